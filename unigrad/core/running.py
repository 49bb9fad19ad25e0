"""Running an op that was noted, or that stands under an interpreter, on other values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.core.arguments import untracked
from unigrad.core.dtypes import INEXACT
from unigrad.core.op import OPS, Op
from unigrad.core.tensor import Tensor


def apply(op: Op, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Run an op as the front end does: where a derivative ends there, the input is untracked."""
    cut = op.cut
    if op is OPS["astype"] and settings["dtype"] not in INEXACT and inputs[0].dtype in INEXACT:
        cut = (0,)
    if cut:
        inputs = [
            untracked(x) if i in cut and type(x) is Tensor else x for i, x in enumerate(inputs)
        ]
    return op(*inputs, **settings)
