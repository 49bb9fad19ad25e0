"""A graph of ops as JSON and named arrays, and back: ops by name, nothing that could be run.

Values are numbered: inputs, constants, variables, then the results of the nodes, in order. Numbers,
strings, dtypes, tuples and the graphs of control flow are written as settings; functions with a
derivative of their own, and native functions, are Python, and refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import as_tensor
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.io.files import Arrays, CheckpointError
from unigrad.tracing.graph import Graph, Node, Value

Json: TypeAlias = Any
_PLAIN = (bool, int, float, str, type(None))


def encoded_setting(one: Any, arrays: Arrays) -> Json:
    """Return a setting, an operand or a static argument as JSON.

    Raises:
        TypeError: when it is of a kind that has no place there.
    """
    if type(one) in _PLAIN:
        return one
    if type(one) is complex:
        return {"complex": [one.real, one.imag]}
    if type(one) is tuple or type(one) is list:
        return {type(one).__name__: [encoded_setting(x, arrays) for x in one]}
    if type(one) is dict:
        pairs = [[key, encoded_setting(x, arrays)] for key, x in one.items()]
        if all(type(key) is str for key, _ in pairs):
            return {"dict": pairs}
    if isinstance(one, np.dtype):
        return {"dtype": one.name}
    if isinstance(one, Graph):
        return {"graph": encoded(one, arrays)}
    raise TypeError(f"a {type(one).__name__}")


def decoded_setting(one: Json, arrays: Arrays) -> Any:
    """Return what `encoded_setting` wrote."""
    if type(one) in _PLAIN:
        return one
    [(kind, value)] = one.items()
    if kind == "complex":
        return complex(*value)
    if kind == "dtype":
        return dtypes.as_dtype(value)
    if kind == "graph":
        return decoded(value, arrays)
    if kind == "dict":
        return {str(key): decoded_setting(x, arrays) for key, x in value}
    return {"tuple": tuple, "list": list}[kind]([decoded_setting(x, arrays) for x in value])


def encoded(graph: Graph, arrays: Arrays) -> dict[str, Json]:
    """Return a graph as JSON; its constants and variables go to arrays.

    Raises:
        CheckpointError: when an op, or a setting of one, is a Python function of the program's.
    """
    results = [value for node in graph.nodes for value in node.outputs]
    values = [*graph.inputs, *graph.constants, *graph.variables, *results]
    numbers = {value: i for i, value in enumerate(values)}
    variables = {one.uid: one for one in (*graph.variables.values(), *[v for v, _ in graph.writes])}
    places = {uid: i for i, uid in enumerate(variables)}
    return {
        "inputs": [_type_of(one) for one in graph.inputs],
        "constants": [_kept(one.numpy(), "constant", arrays) for one in graph.constants.values()],
        "variables": [
            {
                "name": one.name,
                "trainable": one.trainable,
                "array": _kept(one.numpy(), "variable", arrays),
            }
            for one in variables.values()
        ],
        "reads": [places[one.uid] for one in graph.variables.values()],
        "nodes": [_encoded_node(node, numbers, arrays) for node in graph.nodes],
        "outputs": [numbers[one] for one in graph.outputs],
        "writes": [[places[one.uid], numbers[value]] for one, value in graph.writes],
    }


def _type_of(value: Value) -> Json:
    return [value.dtype.name, list(value.shape)]


def _kept(array: Any, kind: str, arrays: Arrays) -> str:
    """Put an array among the others; return its name."""
    name = f"{kind}/{len(arrays)}"
    arrays[name] = array
    return name


def _encoded_node(node: Node, numbers: Mapping[Value, int], arrays: Arrays) -> Json:
    op = node.op
    if OPS.get(op.name) is not op:
        raise CheckpointError(
            f"save_program: {op.name} is a Python function with a derivative of its own, or a "
            "native one; a file holds ops only"
        )
    settings = {}
    for name, one in node.settings.items():
        try:
            # A loop's plan says how it is differentiated, which is found out anew.
            settings[name] = None if name == "plan" else encoded_setting(one, arrays)
        except TypeError as error:
            raise CheckpointError(
                f"save_program: {op.name} has {name}={one!r}, {error}, which a file cannot hold"
            ) from None
    inputs = [
        {"value": numbers[one]} if type(one) is Value else encoded_setting(one, arrays)
        for one in node.inputs
    ]
    outputs = [_type_of(one) for one in node.outputs]
    return {
        "op": op.name, "inputs": inputs, "settings": settings, "outputs": outputs,
        "multiple": node.multiple,
    }  # fmt: skip


def decoded(given: Mapping[str, Json], arrays: Arrays) -> Graph:
    """Return the graph, with its constants and new Variables on the current backend.

    Raises:
        CheckpointError: when it has an op that there is not.
    """
    variables = [
        Variable(arrays[one["array"]], trainable=one["trainable"], name=one["name"])
        for one in given["variables"]
    ]
    inputs = [_value(one) for one in given["inputs"]]
    constants = {_like(x): x for x in [as_tensor(arrays[name]) for name in given["constants"]]}
    reads = {_like(variables[i].current()): variables[i] for i in given["reads"]}
    values = [*inputs, *constants, *reads]
    nodes = [_decoded_node(one, values, arrays) for one in given["nodes"]]
    return Graph(
        inputs=tuple(inputs),
        nodes=tuple(nodes),
        outputs=tuple([values[i] for i in given["outputs"]]),
        constants=constants,
        variables=reads,
        writes=[(variables[i], values[number]) for i, number in given["writes"]],
    )


def _value(given: Sequence[Any]) -> Value:
    name, shape = given
    return Value(tuple(shape), dtypes.as_dtype(name))


def _like(x: Tensor) -> Value:
    return Value(x.shape, x.dtype)


def _decoded_node(given: Mapping[str, Json], values: list[Value], arrays: Arrays) -> Node:
    """Return a node; its results join the values."""
    if given["op"] not in OPS:
        raise CheckpointError(f"load_program: this version of unigrad has no op {given['op']!r}")
    outputs = [_value(one) for one in given["outputs"]]
    inputs = [
        values[one["value"]] if type(one) is dict and "value" in one
        else decoded_setting(one, arrays)
        for one in given["inputs"]
    ]  # fmt: skip
    settings = {name: decoded_setting(one, arrays) for name, one in given["settings"].items()}
    values.extend(outputs)
    return Node(
        OPS[given["op"]], tuple(inputs), settings, tuple(outputs), multiple=given["multiple"]
    )
