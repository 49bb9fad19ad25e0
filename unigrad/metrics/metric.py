"""`Metric`: an accumulator as pure functions, and as an object whose state is in Variables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, cast, placed
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import DType, float32, float64
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.state import load_into, state_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.comparison import equal, where
from unigrad.ops.filling import zeros_like
from unigrad.ops.shaping import broadcast_to
from unigrad.tracing.scope import init_scope, making

#: What a metric has counted: Tensors by name.
State: TypeAlias = dict[str, Tensor]


class Metric(ABC):
    """A running value.

    A subclass writes `shapes`, what it counts; `accumulate`, which counts a batch; and `compute`,
    which makes the value of the counts. It counts in float64, where a million examples do not
    drift and counts are exact up to 2⁵³; in float32 where a backend holds no 64 bits.

    The object's state is made at its first update, on the backend of what it is given; inside a
    compiled function as well, which then updates it whenever it runs.

    Example:
        >>> import unigrad as ug
        >>> from unigrad.metrics import Mean
        >>> mean = Mean()
        >>> state = mean.init()
        >>> state = mean.accumulate(state, [1.0, 2.0])
        >>> float(mean.compute(mean.merge(state, mean.accumulate(mean.init(), 6.0))))
        3.0
        >>> @ug.jit
        ... def step(x):
        ...     mean.update(x * x)
        >>> for x in (1.0, 3.0):
        ...     step(ug.asarray(x))
        >>> mean.result()
        5.0
    """

    _variables: dict[str, Variable] | None = None

    # -- pure

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted, by name, and its shapes."""

    @abstractmethod
    def accumulate(self, state: State, *inputs: Any, **settings: Any) -> State:
        """Return the state after a batch; the given one stays as it is."""

    @abstractmethod
    def compute(self, state: State) -> Tensor:
        """Return the value so far; NaN of nothing."""

    def init(self, like: TensorLike | None = None) -> State:
        """Return the state of nothing.

        Args:
            like: what it is to lie beside; None: on the current backend and device.
        """
        backend, device = _place_of(like)
        dtype = counting_dtype(backend)
        return {
            name: wrap(backend, backend.from_numpy(np.zeros(shape, dtype), device))
            for name, shape in self.shapes().items()
        }

    def merge(self, first: State, second: State) -> State:
        """Return the state of both: of what two processes have seen, say."""
        return {name: first[name] + second[name] for name in first}

    # -- in Variables

    def update(self, *inputs: Any, **settings: Any) -> None:
        """Take in a batch, as `accumulate` does."""
        held = self._held(inputs)
        state = self.accumulate(self._state(), *inputs, **settings)
        for name, variable in held.items():
            variable.assign(state[name])

    def result(self) -> Any:
        """Return the value so far: a float, or a Tensor where there are several."""
        value = self.compute(self.init() if self._variables is None else self._state())
        return value if value.ndim else value.item()

    def reset(self) -> None:
        """Forget everything."""
        for variable in (self._variables or {}).values():
            variable.assign(zeros_like(variable.read()))

    @property
    def variables(self) -> list[Variable]:
        """The Variables that hold the state; none before the first update."""
        return list((self._variables or {}).values())

    def named_variables(self) -> dict[str, Variable]:
        """Return the Variables by what they count."""
        return dict(self._held(()))

    def state_dict(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return copies of the state's values as ndarrays."""
        return state_of(self._held(()))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            UnigradError: when it is none of this metric; then nothing is changed.
        """
        load_into(self._held(()), state, type(self).__name__)

    def _state(self) -> State:
        return {name: variable.read() for name, variable in self._held(()).items()}

    def _held(self, inputs: tuple[Any, ...]) -> dict[str, Variable]:
        """Return the Variables, made beside some inputs if they are not there yet."""
        held = self._variables
        if held is None:
            with making, init_scope():
                held = self._variables or {
                    name: Variable(value, trainable=False, name=f"{type(self).__name__}/{name}")
                    for name, value in self.init(inputs).items()
                }
                self._variables = held
        return held


def _place_of(inputs: Any) -> tuple[Backend, str | None]:
    """Return the library and the device of the first Tensor in a tree, else the current ones."""
    for one in tree.leaves(inputs):
        tensor = one.__unigrad_tensor__() if hasattr(one, "__unigrad_tensor__") else one
        if isinstance(tensor, Tensor):
            return tensor.backend.root, tensor.backend.beside(tensor._native)
    backend, device = placed()
    return backend.root, device


def counting_dtype(backend: Backend) -> DType:
    """Return the widest floating dtype that a backend holds."""
    try:
        backend.from_numpy(np.zeros((), float64), None)
    except DTypeError:
        return float32
    return float64


def counted(state: State, values: TensorLike) -> Tensor:
    """Return values beside a state and in its dtype; Python's own keep all their digits."""
    like = next(iter(state.values()))
    return cast(as_tensor(values, like, like.dtype), like.dtype)


def weights_of(
    name: str, state: State, weights: TensorLike | None, shape: tuple[int, ...]
) -> Tensor:
    """Return a weight for each example, 1 by default.

    Raises:
        ShapeError: when weights do not broadcast to the examples' shape.
    """
    given = counted(state, 1.0 if weights is None else weights)
    try:
        return broadcast_to(given, shape)
    except ShapeError:
        raise ShapeError(
            f"{name}: weights of shape {given.shape} for examples of shape {shape}; they must "
            "broadcast to it"
        ) from None


def ratio(part: Tensor, whole: Tensor, otherwise: float = float("nan")) -> Tensor:
    """Return part / whole, and something else where there is no whole."""
    nothing = equal(whole, 0.0)
    return where(nothing, otherwise, part / where(nothing, 1.0, whole))
