"""Compiled functions in files: a graph of ops with its constants and variables, for any backend.

What is written is what `ug.jit` captured, before any library compiled it: so a program that was
saved on one backend runs on each of the others, compiled by that one's own compiler. A file is in
the safetensors format, with the graph as JSON in its metadata; nothing of it is Python, so that a
file of a stranger's can be read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.core import dtypes, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.io.encoding import decoded, decoded_setting, encoded, encoded_setting
from unigrad.io.files import Arrays, CheckpointError, load, save
from unigrad.tracing.graph import evaluate
from unigrad.tracing.jit import jit
from unigrad.tracing.lowered import Lowered

#: The line of metadata that holds a program, and the version of what is in it.
_KEY, _VERSION = "unigrad program", 1
_NUMBERS: dict[str, type] = {"int": int, "float": float, "complex": complex}


def save_program(path: str | os.PathLike[str], lowered: Lowered) -> None:
    """Write a compiled function, for arguments of certain shapes and dtypes, to a file.

    Args:
        path: the file; it is replaced in one step.
        lowered: what `lower` returned. The values of its variables are those of this moment.

    Raises:
        CheckpointError: when the function contains Python that no file can hold (`custom_vjp`,
            `checkpoint`, `native_call`), or arguments or results in containers other than tuples,
            lists and dicts; as `save`.

    Example:
        >>> import tempfile, pathlib
        >>> import unigrad as ug
        >>> w = ug.Variable([1.0, 2.0])
        >>> f = ug.jit(lambda x: {"y": x * w})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "f.safetensors"
        ...     save_program(path, f.lower(ug.ones(2)))
        ...     g = load_program(path)
        >>> g(ug.asarray([3.0, 4.0]))["y"].tolist()
        [3.0, 8.0]
    """
    arrays: Arrays = {}
    structure, leaves = lowered.arguments
    results, kept = lowered.graph.result
    tensors = iter(range(len(kept)))
    written = {
        "version": _VERSION,
        "graph": encoded(lowered.graph, arrays),
        "arguments": _nested(structure, [[kind, _encoded(one, arrays)] for kind, one in leaves]),
        "results": _nested(
            results,
            [["tensor", next(tensors)] if x is None else ["plain", _encoded(x[0], arrays)]
             for x in kept],
        ),
    }  # fmt: skip
    save(path, arrays, {_KEY: json.dumps(written)})


def _encoded(one: Any, arrays: Arrays) -> Any:
    try:
        return encoded_setting(one, arrays)
    except TypeError as error:
        raise CheckpointError(f"save_program: {error} is neither a tensor nor plain") from None


def _nested(structure: Any, leaves: Sequence[Any]) -> Any:
    """Return a tree as JSON: leaves, and tuples, lists and dicts of trees."""

    def of(one: Any) -> Any:
        kind = type(one)
        if kind is _Leaf:
            return {"leaf": one.value}
        if one is None:
            return None
        if kind is tuple or kind is list:
            return {kind.__name__: [of(x) for x in one]}
        if kind is dict and all(type(key) is str for key in one):
            return {"dict": [[key, of(x)] for key, x in one.items()]}
        raise CheckpointError(
            f"save_program: arguments and results are in tuples, lists and dicts of strings, "
            f"not in a {kind.__name__}"
        )

    return of(tree.unflatten(structure, [_Leaf(one) for one in leaves]))


class _Leaf:
    """A leaf, whatever is in it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _tree_of(given: Any) -> Any:
    """Return the tree that `_nested` wrote, of leaves."""
    if given is None:
        return None
    [(kind, value)] = given.items()
    if kind == "leaf":
        return _Leaf(value)
    if kind == "dict":
        return {str(key): _tree_of(one) for key, one in value}
    return {"tuple": tuple, "list": list}[kind]([_tree_of(one) for one in value])


class LoadedProgram:
    """A program from a file: call it as the function that it was made of.

    It is compiled at its first call, and compiled and differentiable wherever `jit` is.

    Attributes:
        variables: those that it reads or writes, new ones with the values of the file.
        graph: its ops.
    """

    def __init__(self, given: Any, arrays: Arrays) -> None:
        self.graph = decoded(given["graph"], arrays)
        met = [*self.graph.variables.values(), *[one for one, _ in self.graph.writes]]
        self.variables: list[Variable] = list({one.uid: one for one in met}.values())
        leaves, self._structure = tree.flatten(_tree_of(given["arguments"]))
        self._leaves = [
            (kind, decoded_setting(one, arrays)) for kind, one in [x.value for x in leaves]
        ]
        kept, self._results = tree.flatten(_tree_of(given["results"]))
        self._kept = [(kind, decoded_setting(one, arrays)) for kind, one in [x.value for x in kept]]
        self._run = jit(lambda *tensors: tuple(evaluate(self.graph, tensors)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it; arguments are those of the function, of the shapes and dtypes it was lowered for.

        Raises:
            SettingError: when the arguments' structure, or a static one, is another.
            ShapeError: when a shape is another.
            DTypeError: when a dtype is another.
        """
        leaves, structure = tree.flatten((args, kwargs))
        if structure != self._structure:
            raise SettingError(
                f"program: saved for arguments like {self._structure}, not {structure}"
            )
        values = iter(self.graph.inputs)
        tensors = []
        for leaf, (kind, wanted) in zip(leaves, self._leaves, strict=True):
            if kind == "static":
                if type(leaf) is not type(wanted) or leaf != wanted:
                    raise SettingError(
                        f"program: saved for the static argument {wanted!r}, not {leaf!r}"
                    )
            elif kind == "number":
                tensors.append(_number(leaf, wanted, next(values).dtype))
            else:
                tensors.append(_fitting(leaf, next(values)))
        outputs = self._run(*tensors)
        return tree.unflatten(
            self._results, [outputs[x] if kind == "tensor" else x for kind, x in self._kept]
        )


def _number(leaf: Any, kind: str, dtype: dtypes.DType) -> Tensor:
    if type(leaf) is not _NUMBERS[kind]:
        raise DTypeError(f"program: saved for a Python {kind}, not a {type(leaf).__name__}")
    return as_tensor(np.asarray(leaf, dtype))


def _fitting(leaf: Any, value: Any) -> Tensor:
    tensor = as_tensor(leaf)
    if tensor.shape != value.shape:
        raise ShapeError(f"program: saved for {value!r}, given the shape {tensor.shape}")
    if tensor.dtype != value.dtype:
        raise DTypeError(f"program: saved for {value!r}, given {tensor.dtype.name}")
    return tensor


def load_program(path: str | os.PathLike[str]) -> LoadedProgram:
    """Return a program that `save_program` has written, on the current backend.

    Raises:
        CheckpointError: when the file is damaged, holds no program, or one of another version.
    """
    arrays, metadata = load(path)
    if _KEY not in metadata:
        raise CheckpointError(f"load_program: {path} holds no program")
    try:
        given = json.loads(metadata[_KEY])
        version = given["version"]
        if version != _VERSION:
            raise CheckpointError(
                f"load_program: {path} is of version {version}, this unigrad reads {_VERSION}"
            )
        return LoadedProgram(given, arrays)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CheckpointError(f"load_program: {path} holds no sound program: {error}") from error
