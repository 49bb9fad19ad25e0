"""What a backend tells of its library's own code: derivatives of functions, and layers.

By these `ug.native_call` runs a library's functions inside unigrad, the suite differentiates
unigrad's functions from outside (`ug.interop`), and a library's layers become modules. A backend
without an autograd of its own leaves them as they are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from unigrad.core.errors import DTypeError, NotDifferentiableError


class NativeLayer(ABC):
    """A library's own layer, taken apart. Calling it here never changes the layer itself."""

    @abstractmethod
    def weights(self) -> Mapping[str, tuple[Any, bool]]:
        """Return its arrays by name: of each the value, and whether optimizers should train it."""

    @abstractmethod
    def call(
        self,
        weights: Mapping[str, Any],
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
        training: bool,
    ) -> tuple[Any, Mapping[str, Any]]:
        """Run the layer with these arrays in place of its own.

        Returns its result and the new values of those arrays that the call has changed.
        """


@dataclass(frozen=True)
class LayerData:
    """A layer as data that unigrad and a library can both make it from."""

    #: The name of unigrad's class.
    kind: str
    #: The keyword arguments of its constructor; layers among them are data, too.
    settings: Mapping[str, Any]
    #: An input's shape, of which only the last axis counts, or the second of channels first.
    input_shape: tuple[int, ...] = ()
    #: Its variables by path; none where the layers among the settings have all.
    state: Mapping[str, Any] = field(default_factory=dict)
    #: Paths of those that are not trained.
    frozen: tuple[str, ...] = ()


class NativeCode(ABC):
    """A part of the backend contract. All arrays are the library's own."""

    name: str
    #: The settings of its compiler, each with the values that it may have.
    jit_options: Mapping[str, tuple[Any, ...]] = {}

    def vjp(
        self, function: Callable[..., Sequence[Any]], primals: Sequence[Any]
    ) -> tuple[Sequence[Any], Callable[[Sequence[Any | None]], Sequence[Any | None]]]:
        """Run a function of arrays under the library's own reverse mode.

        Returns its results and their pullback, from a cotangent per result (``None``: zero) to one
        per primal (``None``: unconnected, or of a dtype without derivatives); both can be
        differentiated by the library again. Complex cotangents are those of the rules: ūᵀ J.

        Raises:
            NotDifferentiableError: when the library has none.
        """
        raise NotDifferentiableError(f"{self.name} has no autograd of its own")

    def jvp(
        self,
        function: Callable[..., Sequence[Any]],
        primals: Sequence[Any],
        tangents: Sequence[Any | None],
    ) -> tuple[Sequence[Any], Sequence[Any | None]]:
        """Run a function of arrays under the library's own forward mode.

        Returns its results and their tangents. ``None`` stands for zero. Raises as `vjp`.
        """
        raise NotDifferentiableError(f"{self.name} has no autograd of its own")

    def differentiable(
        self, kernel: Callable[..., Any], rule: Callable[[], Any]
    ) -> Callable[..., Any]:
        """Return a kernel whose derivative, to the library's own autograd, is a rule's.

        ``rule`` gives the rule (`unigrad.autodiff.rules.registry.Rule`) when it is wanted.
        """
        return kernel

    def host_call(
        self,
        function: Callable[..., Sequence[npt.NDArray[Any]]],
        results: Sequence[tuple[tuple[int, ...], Any]],
        *natives: Any,
    ) -> tuple[Any, ...]:
        """Call a function of ndarrays with the values of arrays; return its results as arrays.

        ``results`` are their shapes and dtypes. A library that compiles programs of its own puts
        the call into them, with `unigrad.core.host_errors.noted`.
        """
        home: Any = self
        device = home.beside(natives[0])
        found = function(*[home.to_numpy(x) for x in natives])
        return tuple([home.from_numpy(x, device) for x in found])

    def plain(self, native: Any) -> Any:
        """Return an array whose memory holds its values as they are, for those who read memory."""
        return native

    def owned(self, native: Any) -> Any:
        """Return a value that no holder of the array can change: itself where arrays never do."""
        return native

    def handed_out(self, native: Any, given: Sequence[Any]) -> Any:
        """Return a result for a caller who may write to it, and who gave these arrays."""
        return native

    def from_dlpack(self, array: Any) -> Any:
        """Return an array that speaks DLPack as one of the library's, on the same memory if it can.

        Raises:
            Exception: whatever the library raises where it cannot: its values are then copied.
        """
        raise BufferError(f"{self.name} reads no DLPack")

    def layer(self, native: Any) -> NativeLayer:
        """Return a layer of the library, taken apart.

        Raises:
            DTypeError: when it is none.
        """
        raise DTypeError(f"{self.name} has no layer like a {type(native).__qualname__}")

    def layer_data(self, native: Any) -> LayerData:
        """Return a layer of the library as data: settings and weights in unigrad's order.

        Raises:
            DTypeError: when unigrad has no layer that computes the same.
        """
        raise DTypeError(f"{self.name} has no layer like a {type(native).__qualname__}")

    def layer_from(self, data: LayerData) -> Any:
        """Return a layer of the library's own, made from data.

        Raises:
            DTypeError: when the library has none that computes the same.
        """
        raise DTypeError(f"{self.name} has no layer like {data.kind}")
