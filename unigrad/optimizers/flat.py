"""A loss of a pytree or of Variables as a function of one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import value_and_grad
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.joining import concat
from unigrad.ops.shaping import reshape
from unigrad.optimizers.transformation import require_floating
from unigrad.tracing.jit import jit


class Result(NamedTuple):
    """Where a minimisation ended."""

    #: A tree as it was given; of Variables, their values.
    parameters: Any
    #: The loss there.
    value: float
    #: The largest element of its gradient.
    gradient: float
    iterations: int
    #: How often the loss was computed, with its gradient.
    evaluations: int
    #: Whether a tolerance was reached.
    converged: bool
    #: Why it ended, in words.
    reason: str


class Flat:
    """A tree's leaves as one vector, and back.

    Raises:
        DTypeError: when leaves are not floating, or of several dtypes.
        ShapeError: when there are none.
    """

    def __init__(self, owner: str, parameters: Any) -> None:
        leaves, self._structure = tree.flatten(parameters)
        tensors = [as_tensor(leaf) for leaf in leaves]
        if not tensors:
            raise ShapeError(f"{owner}: there are no parameters")
        for tensor in tensors:
            require_floating(owner, "a parameter", tensor.dtype)
            if tensor.dtype != tensors[0].dtype:
                raise DTypeError(
                    f"{owner}: parameters of {tensors[0].dtype.name} and {tensor.dtype.name}: it "
                    "takes them as one vector, of one dtype"
                )
        self._shapes = [tensor.shape for tensor in tensors]
        self._sizes = [tensor.size for tensor in tensors]
        self.start = self.vector(tensors)

    def vector(self, leaves: Sequence[Any]) -> Tensor:
        """Return leaves as one vector."""
        return concat([reshape(as_tensor(leaf), (-1,)) for leaf in leaves])

    def leaves(self, vector: Tensor) -> list[Tensor]:
        """Return a vector's parts in the leaves' shapes."""
        found, begin = [], 0
        for shape, size in zip(self._shapes, self._sizes, strict=True):
            found.append(reshape(vector[begin : begin + size], shape))
            begin += size
        return found

    def tree(self, vector: Tensor) -> Any:
        """Return a vector as a tree."""
        return tree.unflatten(self._structure, self.leaves(vector))


#: A vector to the value there and the gradient.
Evaluate = Callable[[Tensor], tuple[float, Tensor]]


def of_tree(flat: Flat, loss: Callable[[Any], Any], compiled: bool) -> Evaluate:
    """Return a loss of a tree as a function of a vector."""
    both = value_and_grad(loss)

    def at(x: Tensor) -> tuple[Tensor, Tensor]:
        value, slopes = both(flat.tree(x))
        return value, flat.vector(tree.leaves(slopes))

    run: Any = jit(at) if compiled else at

    def evaluate(x: Tensor) -> tuple[float, Tensor]:
        value, slope = run(x)
        return float(value), slope

    return evaluate


def of_variables(
    flat: Flat, loss: Callable[[], Any], variables: Sequence[Variable], compiled: bool
) -> Evaluate:
    """Return a loss of Variables as a function of a vector, which it assigns to them."""

    def at(x: Tensor) -> tuple[Tensor, Tensor]:
        for variable, value in zip(variables, flat.leaves(x), strict=True):
            variable.assign(value)
        with GradientTape() as tape:
            value = as_tensor(loss())
        slopes = tape.gradient(value, list(variables), unconnected_gradients="zero")
        return value, flat.vector(slopes)

    run: Any = jit(at) if compiled else at

    def evaluate(x: Tensor) -> tuple[float, Tensor]:
        value, slope = run(x)
        return float(value), slope

    return evaluate
