"""`Module`: something callable that owns Variables.

What it owns is found in its attributes, so assigning one is all there is to registering it. It
knows no op and no optimizer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes, tree
from unigrad.core.copying import own_handles
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import UnigradError
from unigrad.core.interpreters import scope, stack
from unigrad.core.registry import restore
from unigrad.core.state import load_into, state_of
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.core.variable import Variable
from unigrad.layers.pytrees import register
from unigrad.layers.seeds import LayerKey
from unigrad.layers.summary import summary
from unigrad.layers.training import training_mode
from unigrad.random import Generator
from unigrad.tracing.dependencies import watched
from unigrad.tracing.scope import init_scope, making


@watched
class Module:
    """A layer or a model.

    A subclass writes `call`; if it makes weights that depend on its input's shape, it makes them
    in `build` with `add_weight`, which runs once, before the first call. Variables, modules and
    random generators in attributes, and in lists, tuples and dicts of them, are the module's own,
    in order of definition, each once.

    Args:
        name: for the names of variables and for messages; the class's name by default.
        key: an int or a `ug.random` key for the weights; by default the next from
            `ug.layers.set_seed`'s seed.

    Example:
        >>> import unigrad as ug
        >>> class Scale(Module):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight("factor", input_shape[-1:], "ones")
        ...
        ...     def call(self, x):
        ...         return x * self.factor
        >>> scale = Scale()
        >>> scale(ug.asarray([[1.0, 2.0]])).tolist(), list(scale.named_variables())
        ([[1.0, 2.0]], ['factor'])
    """

    def __init_subclass__(cls, **settings: Any) -> None:
        """Make the class's instances pytrees."""
        super().__init_subclass__(**settings)
        register(cls)

    def __new__(cls, *args: Any, **settings: Any) -> Self:
        """Note what the module is made with."""
        module = super().__new__(cls)
        module.__dict__["_made_with"] = _MadeWith(args, settings)
        return module

    def __init__(self, *, name: str | None = None, key: Any = None) -> None:
        self.name = name or type(self).__name__
        self._key = LayerKey(key)
        self._weights_made = 0
        self._built = False

    # -- to be written by subclasses

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights for inputs of this shape. Nothing to do by default."""

    def call(self, *inputs: Any, **settings: Any) -> Any:
        """Compute. To be written by the subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no call method")

    # -- calling

    def __call__(self, *inputs: Any, training: bool | None = None, **settings: Any) -> Any:
        """Build at the first call, then run `call`.

        Args:
            inputs: handed to `call`; `build` gets the first one's shape.
            training: the mode for everything inside this call; by default that of the call
                around it, and outermost False.
            settings: handed to `call`.
        """
        if not self.__dict__.get("_built", False):
            self.ensure_built(_shape(inputs[0]) if inputs else ())
        if stack.frames:
            with scope(self.name):
                return self._run(inputs, training, settings)
        return self._run(inputs, training, settings)

    def _run(
        self, inputs: tuple[Any, ...], training: bool | None, settings: Mapping[str, Any]
    ) -> Any:
        """Run `call` in its mode."""
        if training is None:
            result = self.call(*inputs, **settings)
        else:
            with training_mode(training):
                result = self.call(*inputs, **settings)
        return _not_given(result, inputs, settings)

    def ensure_built(self, input_shape: tuple[int, ...]) -> None:
        """Run `build` if nobody has yet. Threads that come at once wait for the one that does."""
        if not self.__dict__.get("_built", False):
            with making, init_scope():
                if not self.__dict__.get("_built", False):
                    self.build(tuple(input_shape))
                    self._built = True
                    if self.__dict__.get("_freezes"):
                        self._freeze_what_was_made()

    @property
    def built(self) -> bool:
        """Whether the weights are there."""
        return bool(self.__dict__.get("_built", False))

    def add_weight(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: str | Callable[..., Any],
        *,
        trainable: bool = True,
        dtype: DTypeLike | None = None,
    ) -> Variable:
        """Make a Variable, drawn with a key of its own.

        Args:
            name: for messages and checkpoints.
            shape: its shape.
            initializer: a name for `ug.initializers.get`, or ``init(key, shape, dtype)``.
            trainable: whether optimizers should train it.
            dtype: that of `weights_in` if None, else the default floating dtype.
        """
        from unigrad.initializers import get

        if "_key" not in self.__dict__:
            raise UnigradError(f"{type(self).__name__}.__init__ must call super().__init__() first")
        wanted = _weights_dtype.get() if dtype is None else dtype
        chosen = dtypes.default_dtype() if wanted is None else dtypes.as_dtype(wanted)
        number = self._weights_made
        self._weights_made += 1
        with init_scope():
            value = get(initializer)(self._key.make(number), tuple(shape), chosen)
            return Variable(value, trainable=trainable, name=f"{self.name}/{name}", dtype=chosen)

    # -- what it owns

    def named_variables(self) -> dict[str, Variable]:
        """Return all variables by path, such as ``encoder/layers/0/kernel``, each once.

        Raises:
            UnigradError: when two have one path, as those of ``{1: v, "1": w}`` have.
        """
        named: dict[str, Variable] = {}
        for path, one in _walk(self, "", set()):
            if isinstance(one, Variable) and named.setdefault(path, one) is not one:
                raise UnigradError(f"{self.name}: two variables have the path {path!r}")
        return named

    @property
    def variables(self) -> list[Variable]:
        """All variables, in order of definition."""
        return [one for _, one in _walk(self, "", set()) if isinstance(one, Variable)]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that optimizers should train."""
        return [variable for variable in self.variables if variable.trainable]

    @property
    def submodules(self) -> list[Module]:
        """All modules inside this one, in order of definition."""
        return [one for _, one in _walk(self, "", set()) if isinstance(one, Module)]

    def state_dict(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return copies of all values as ndarrays by path."""
        return state_of(self.named_variables())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over values by path. The module must have been built.

        Raises:
            UnigradError: when names, shapes or dtypes differ; then nothing is changed.
        """
        load_into(self.named_variables(), state, self.name)

    def freeze(self) -> None:
        """Take the module's variables from training until `unfreeze`, those to be made as well.

        Example:
            >>> import unigrad as ug
            >>> layer = ug.layers.Dense(2)
            >>> layer.build((1, 3))
            >>> layer.freeze()
            >>> len(layer.trainable_variables)
            0
        """
        for one in reversed([self, *self.submodules]):
            one.__dict__["_freezes"] = not one.built
            one._take_from_training(one.named_variables())

    def _take_from_training(self, named: Mapping[str, Variable]) -> None:
        frozen = {path for path, variable in named.items() if variable.trainable}
        self.__dict__["_frozen"] = self.__dict__.get("_frozen", frozenset()) | frozen
        for path in frozen:
            named[path].trainable = False

    def _freeze_what_was_made(self) -> None:
        """Freeze own variables and new modules; those that were there have been told."""
        inside = self.submodules
        for one in inside:
            if "_freezes" not in one.__dict__:
                one.freeze()
        theirs = {variable.uid for one in inside for variable in one.variables}
        named = self.named_variables().items()
        self._take_from_training({path: x for path, x in named if x.uid not in theirs})

    def unfreeze(self) -> None:
        """Train again what `freeze` took from training, here and in all modules inside."""
        for one in [self, *self.submodules]:
            one.__dict__["_freezes"] = False
            named = one.named_variables()
            for path in one.__dict__.pop("_frozen", frozenset()):
                named[path].trainable = True

    def summary(self, *inputs: Any, **settings: Any) -> str:
        """Return a table of the layers with their numbers of parameters.

        With inputs, for a call, the module is run on them, and the table has its results' shapes.

        Example:
            >>> import unigrad as ug
            >>> layer = ug.layers.Dense(2)
            >>> print(layer.summary(ug.ones((4, 3))).splitlines()[-1].strip())
            8 in all, 8 of them trained
        """
        return summary(self, inputs, settings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class _MadeWith:
    """A constructor's arguments, where nobody looks for variables."""

    __slots__ = ("args", "settings")

    def __init__(self, args: tuple[Any, ...] = (), settings: Mapping[str, Any] | None = None):
        self.args = args
        self.settings = settings or {}


def settings_of(module: Module) -> dict[str, Any]:
    """Return what a module was made with by name, defaults included."""
    made: _MadeWith = module.__dict__["_made_with"]
    found: dict[str, Any] = {}
    given = dict(made.settings)
    for cls in type(module).__mro__:
        if not issubclass(cls, Module) or "__init__" not in cls.__dict__:
            continue
        named = [
            one
            for one in list(inspect.signature(cls.__init__).parameters.values())[1:]
            if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        ]
        if not found:
            given |= zip([one.name for one in named], made.args, strict=False)
        found = {one.name: one.default for one in named if one.default is not one.empty} | found
    return found | given


_weights_dtype: ContextVar[DTypeLike | None] = ContextVar("unigrad_weights_dtype", default=None)


@contextmanager
def weights_in(dtype: DTypeLike) -> Iterator[None]:
    """Let weights that are made inside the block be of a dtype.

    Example:
        >>> import unigrad as ug
        >>> layer = ug.layers.Dense(2)
        >>> with weights_in("float64"):
        ...     layer.build((1, 3))
        >>> layer.kernel.dtype.name
        'float64'
    """
    token = _weights_dtype.set(dtype)
    try:
        yield
    finally:
        restore(_weights_dtype, token)


def _walk(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Give the variables and modules inside a value with their paths, parents first, each once."""
    if isinstance(value, Generator):
        value, path = value.key, f"{path}/key"
    if isinstance(value, (Variable, Module, list, tuple, dict)):
        if id(value) in seen:
            return
        seen.add(id(value))
    if isinstance(value, Variable) or (isinstance(value, Module) and path):
        yield path, value
    children: Any = ()
    if isinstance(value, Module):
        if tracing.trace is not None:
            tracing.trace.dependencies.on_structure(value)
        children = vars(value).items()
    elif isinstance(value, dict):
        children = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    for name, child in list(children):
        yield from _walk(child, f"{path}/{name}" if path else str(name), seen)


def _not_given(result: Any, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Return a call's result, with other handles in place of those that the call was given."""
    if type(result) is Tensor and not settings:
        for one in inputs:
            if one is result or type(one) is not Tensor:
                break
        else:
            return result
    given = tree.leaves((inputs, settings))
    if any(isinstance(one, Variable) for one in given):
        # Its readers share a handle, which the result may be.
        return own_handles(result)
    known = set(map(id, given))
    return tree.map(lambda one: own_handles(one) if id(one) in known else one, result)


def _shape(x: Any) -> tuple[int, ...]:
    """Return the shape of a call's first input, which may be a list."""
    shape = getattr(x, "shape", None)
    return tuple(np.shape(x)) if shape is None else tuple(shape)
