"""`MixedPrecision`: forward and backward passes in 16 bits, weights and updates in 32.

float16 has few exponents: gradients below 6e-8 are lost. The loss is therefore multiplied by a
scale, and the gradients divided by it. A step at which a gradient overflows is left out, and the
scale halved; after enough steps without that it is doubled. bfloat16 has float32's exponents, and
needs no scale.

Source: Micikevicius et al., "Mixed precision training" (2018), section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.dtypes import FLOATING, DTypeLike, as_dtype, bfloat16, float16, float32
from unigrad.core.errors import SettingError
from unigrad.core.state import load_into, state_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.arithmetic import minimum
from unigrad.ops.comparison import isfinite, where
from unigrad.ops.reductions import all as all_of
from unigrad.optimizers import Optimizer, SkipNonfinite

#: A loss that overflows even so is not helped by a lower scale; beyond the other bound none is.
LEAST_SCALE, LARGEST_SCALE = 2.0**-14, 2.0**24


class MixedPrecision:
    """Compute in a narrow dtype; see this module.

    The model is one whose leaves can be replaced, as a `Module` is, and the loss is computed from
    the model that it is given: there the weights are in the narrow dtype, and so are the floating
    arrays of the batch.

    Args:
        dtype: float16 or bfloat16.
        scale: the first scale; by default 2¹⁵ for float16 and 1, unchanged, for bfloat16.
        growth_every: after how many steps without an overflow the scale is doubled.

    Raises:
        SettingError: when the dtype is another, or a number is not positive.

    Example:
        >>> import unigrad as ug
        >>> precision = MixedPrecision("float16")
        >>> precision.narrowed(ug.ones(2)).dtype.name
        'float16'
    """

    def __init__(
        self,
        dtype: DTypeLike = "bfloat16",
        scale: float | None = None,
        growth_every: int = 2000,
    ) -> None:
        self.dtype = as_dtype(dtype)
        if self.dtype not in (float16, bfloat16):
            raise SettingError(
                f"MixedPrecision: dtype={self.dtype.name}: expected float16 or bfloat16"
            )
        if (scale is not None and not 0.0 < scale < float("inf")) or growth_every < 1:
            raise SettingError("MixedPrecision: scale and growth_every are positive")
        #: Whether losses are scaled.
        self.scales = self.dtype == float16 or scale is not None
        own = 2.0**15 if self.scales else 1.0
        self._first = own if scale is None else float(scale)
        self._growth_every = growth_every
        self._scale: Variable | None = None
        self._fine_steps: Variable | None = None

    # -- state

    def build(self, like: Tensor) -> None:
        """Make the state, beside a tensor."""
        if self._scale is None:
            scale = as_tensor(np.asarray(self._first, np.float32), like)
            steps = as_tensor(np.asarray(0, np.int64), like)
            self._scale = Variable(scale, trainable=False, name="precision/scale")
            self._fine_steps = Variable(steps, trainable=False, name="precision/fine_steps")

    @property
    def scale(self) -> float:
        """What the loss is multiplied by now."""
        return self._first if self._scale is None else float(self._scale)

    def named_variables(self) -> dict[str, Variable]:
        """Return the state by name."""
        found = {"scale": self._scale, "fine_steps": self._fine_steps}
        return {name: one for name, one in found.items() if one is not None}

    def state_dict(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return a copy of the state as ndarrays by name."""
        return state_of(self.named_variables())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            UnigradError: when it is none of this; then nothing is changed.
        """
        load_into(self.named_variables(), state, type(self).__name__)

    # -- in a step

    def overflowing(self) -> np.errstate:
        """Return a context without NumPy's warnings of what is expected here: overflows."""
        return np.errstate(over="ignore", invalid="ignore")

    def wrap(self, optimizer: Optimizer) -> Optimizer:
        """Return an optimizer that leaves out steps whose gradients overflow."""
        return SkipNonfinite(optimizer) if self.scales else optimizer

    def narrowed(self, values: Any) -> Any:
        """Return a tree with its floating leaves in the narrow dtype."""

        def narrow(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor | Variable) or leaf.dtype not in FLOATING:
                return leaf
            return cast(as_tensor(leaf), self.dtype)

        return tree.map(narrow, values)

    def scaled(self, loss: Tensor) -> Tensor:
        """Return the loss that gradients are taken of, in float32."""
        wide = cast(loss, float32)
        return wide * self._scale if self.scales and self._scale is not None else wide

    def unscaled(self, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Return the gradients of the loss itself, NaN if one overflows; set the next scale."""
        if not self.scales or self._scale is None or self._fine_steps is None:
            return list(gradients)
        scale = as_tensor(self._scale)
        found = [None if g is None else g / cast(scale, g.dtype) for g in gradients]
        fine = as_tensor(True, scale)
        for one in found:
            if one is not None:
                fine = fine & all_of(isfinite(one))
        # An infinity that is clipped would look like any other gradient, a NaN does not.
        found = [None if g is None else where(fine, g, math.nan) for g in found]
        steps = where(fine, as_tensor(self._fine_steps) + 1, 0)
        grown = steps >= self._growth_every
        self._scale.assign(
            where(fine, where(grown, minimum(scale * 2.0, LARGEST_SCALE), scale), scale * 0.5)
        )
        self._fine_steps.assign(where(grown, 0, steps))
        return found


def precision_of(given: MixedPrecision | str | None) -> MixedPrecision | None:
    """Return what a setting stands for: "float16", "bfloat16", or "float32" and None for none.

    Example:
        >>> precision_of("float32") is None
        True
    """
    if given is None or isinstance(given, MixedPrecision):
        return given
    return None if given == "float32" else MixedPrecision(given)
