"""`ug.vmap`: a function of one example, run on a batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optree

from unigrad.batching.interpreter import Batching, Examples, batched_at
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.axes import axis_number, normalize_axis
from unigrad.core.backend import Backend
from unigrad.core.calls import check_function
from unigrad.core.dispatch import wrap
from unigrad.core.errors import SettingError, ShapeError, TracingError
from unigrad.core.interpreters import running
from unigrad.core.op import OPS, another_handle
from unigrad.core.registry import current_backend
from unigrad.core.tensor import Tensor
from unigrad.core.traces import NoDependencies, traced_by, tracing
from unigrad.core.variable import Variable


def vmap(
    function: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    axis_size: int | None = None,
) -> Callable[..., Any]:
    """Return the function that maps a function over an axis of its arguments.

    The function runs once, on tensors that stand for one example; its ops run on the whole batch.
    Variables, and tensors from outside, are the same for all examples. A Python `if` on an
    example's value is refused: use `where` or `cond`.

    Args:
        function: takes and returns pytrees of tensors, for one example.
        in_axes: the axis to map over: one for all positional arguments, or a sequence with an
            integer, ``None`` (the same for all examples) or a pytree of these for each of them.
            Arguments by keyword are mapped over axis 0.
        out_axes: where the examples stand in the results: an integer, or a pytree of them that is a
            prefix of the result's; ``None`` for a result that is the same for all.
        axis_size: the number of examples, where no argument is mapped or to have it checked.

    Raises:
        ShapeError: when the axes differ in length, or there is none to map over and no
            ``axis_size``.
        SettingError: when ``in_axes`` or ``out_axes`` does not fit the arguments or the results.

    Source of signature and meaning: ``jax.vmap``.

    Example:
        >>> import unigrad as ug
        >>> vmap(lambda x, y: ug.tanh(x) * y, in_axes=(0, None))(ug.ones(2), 2.0).shape
        (2,)
    """

    check_function("vmap: function", function)
    if axis_size is not None and (type(axis_size) is not int or axis_size < 0):
        raise SettingError(f"vmap: axis_size is a number of examples, not {axis_size!r}")

    @functools.wraps(function, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten((args, kwargs))
        axes = [*_spread("in_axes", _per_argument(in_axes, args), args), *_spread("", 0, kwargs)]
        tensors = [
            x if axis is None else as_tensor(x) for x, axis in zip(leaves, axes, strict=True)
        ]
        size = _size(tensors, axes, args, kwargs, axis_size)
        moved = [
            x if axis is None else _to_front("in_axes", x, axis)
            for x, axis in zip(tensors, axes, strict=True)
        ]
        frame = Batching(size)
        with running(frame), traced_by(_Variables(frame)):
            given = [
                _handle(x) if axis is None else _example(frame, x)
                for x, axis in zip(moved, axes, strict=True)
            ]
            args, kwargs = tree.unflatten(structure, given)
            result = function(*args, **kwargs)
            found, structure = tree.flatten(result)
            results = [_result(frame, one) for one in found]
        places = _spread("out_axes", out_axes, result)
        return tree.unflatten(
            structure, [_out(frame, x, axis) for x, axis in zip(results, places, strict=True)]
        )

    return mapped


class _Variables:
    """Stands between variables and their readers: they are the same for all examples."""

    def __init__(self, frame: Batching) -> None:
        self._frame = frame
        self._outer = tracing.trace
        self.backend: Backend = current_backend() if self._outer is None else self._outer.backend
        self.dependencies: Any = getattr(self._outer, "dependencies", NoDependencies())
        self.closes: bool = getattr(self._outer, "closes", False)

    def read(self, variable: Variable) -> Tensor:
        """Return a variable's value, as those who record outside know it."""
        value = self._below(variable.__unigrad_tensor__)
        return wrap(
            batched_at(variable.backend.root, self._frame.depth),
            Examples(self._frame, value, False),
        )

    def write(self, variable: Variable, tensor: Tensor) -> None:
        """Assign what is the same for all examples.

        Raises:
            TracingError: when it differs.
        """
        native = tensor._native
        if type(native) is Examples:
            if native.batched:
                raise TracingError(
                    f"{variable.name}: each example of ug.vmap would assign another value to one "
                    "variable; return the values instead"
                )
            tensor = native.value
        self._below(lambda: variable.assign(tensor))

    def outside(self, make: Callable[..., Tensor], value: Any, dtype: Any) -> Tensor:
        """Make a variable's initial value: one for all examples."""
        native = value._native if isinstance(value, Tensor) else None
        if type(native) is Examples:
            if native.batched:
                raise TracingError("Variable: its initial value differs between ug.vmap's examples")
            value = native.value
        if self._outer is not None:
            made: Tensor = self._below(lambda: self._outer.outside(make, value, dtype))
        else:
            made = self._below(lambda: make(value, dtype))
        return made

    def _below(self, run: Callable[[], Any]) -> Any:
        def there() -> Any:
            with traced_by(self._outer):
                return run()

        return self._frame.below(there)


def _per_argument(in_axes: Any, args: tuple[Any, ...]) -> Any:
    """Return ``in_axes`` as one entry per argument.

    Raises:
        SettingError: when there are more or fewer.
    """
    if in_axes is None or isinstance(in_axes, int):
        return in_axes
    if not isinstance(in_axes, Sequence) or len(in_axes) != len(args):
        raise SettingError(
            f"vmap: in_axes {in_axes!r} for {len(args)} arguments: it is an integer or None for "
            "all, or a tuple with an entry for each"
        )
    return tuple(in_axes)


def _spread(name: str, axes: Any, values: Any) -> list[int | None]:
    """Return an axis for every leaf of a tree, given a prefix of it.

    Raises:
        SettingError: when it is none.
    """
    if axes is None or isinstance(axes, int):
        axis = None if axes is None else axis_number("vmap", axes)
        return [axis] * len(tree.leaves(values))
    if optree.tree_is_leaf(values) or type(axes) is not type(values):
        raise _misfit(name, axes, values)
    inner, _, keys, _ = optree.tree_flatten_one_level(axes, none_is_leaf=True)
    parts, _, others, _ = optree.tree_flatten_one_level(values)
    if keys != others:
        raise _misfit(name, axes, values)
    return [
        axis for one, part in zip(inner, parts, strict=True) for axis in _spread(name, one, part)
    ]


def _misfit(name: str, axes: Any, values: Any) -> SettingError:
    return SettingError(f"vmap: {name} {axes!r} does not fit {tree.structure(values)}")


def _size(
    tensors: Sequence[Any],
    axes: Sequence[int | None],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    count: int | None,
) -> int:
    """Return the number of examples, which may be given.

    Raises:
        ShapeError: when the arguments disagree, or none says.
    """
    sizes: dict[int, int] = {}
    for i, (x, axis) in enumerate(zip(tensors, axes, strict=True)):
        if axis is not None:
            shape = x.shape
            if not -len(shape) <= axis < len(shape):
                name = _names(args, kwargs)[i]
                raise ShapeError(f"vmap: axis {axis} of {name}, which has shape {shape}")
            sizes[i] = shape[axis]
    lengths = {*sizes.values()} if count is None else {*sizes.values(), count}
    if not lengths:
        raise ShapeError(
            "vmap: nothing to map over: there is no argument, or in_axes is None for each; "
            "axis_size= says how many examples there are"
        )
    if len(lengths) > 1:
        names = _names(args, kwargs)
        shown = [f"{names[i]} has {size}" for i, size in sizes.items()]
        given = [] if count is None else [f"axis_size is {count}"]
        raise ShapeError(f"vmap: the mapped axes differ in length: {', '.join(shown + given)}")
    return lengths.pop()


def _names(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
    """Return a name for each leaf of the arguments, for messages."""
    return [
        f"argument {key}{''.join(map('[{!r}]'.format, path))}"
        for key, one in (*enumerate(args), *sorted(kwargs.items()))
        for path in optree.tree_paths(one)
    ]


def _to_front(name: str, x: Tensor, axis: int) -> Tensor:
    """Return a tensor with one axis moved to the front."""
    place = normalize_axis(f"vmap: {name}", axis, x.ndim)
    order = (place, *[i for i in range(x.ndim) if i != place])
    return x if place == 0 else OPS["permute_dims"](x, axes=order)


def _handle(x: Any) -> Any:
    return another_handle(x) if type(x) is Tensor else x


def _example(frame: Batching, x: Tensor) -> Tensor:
    """Return the tensor that stands for one example of a batch."""
    return wrap(batched_at(x.backend.root, frame.depth), Examples(frame, x, True))


def _result(frame: Batching, leaf: Any) -> Examples | Tensor:
    """Return a result as it is below: a batch, or what is the same for all examples."""
    x = as_tensor(leaf)
    native = x._native
    if type(native) is not Examples or native.frame.depth < frame.depth:
        return x
    batched_at(x.backend.root, frame.depth).check(native)
    return native


def _out(frame: Batching, found: Examples | Tensor, axis: int | None) -> Tensor:
    """Return a result with the examples along an axis."""
    x = found.value if type(found) is Examples else found
    assert isinstance(x, Tensor)
    batched = type(found) is Examples and found.batched
    if axis is None:
        if batched:
            raise SettingError("vmap: out_axes is None for a result that differs between examples")
        return another_handle(x)
    rank = x.ndim + (not batched)
    place = normalize_axis("vmap: out_axes", axis, rank)
    if not batched:
        x = OPS["broadcast_to"](x, shape=(frame.size, *x.shape))
    if place == 0:
        return another_handle(x) if batched else x
    order = [*range(1, place + 1), 0, *range(place + 1, rank)]
    out: Tensor = OPS["permute_dims"](x, axes=tuple(order))
    return out
