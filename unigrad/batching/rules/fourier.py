"""Fourier transforms: axes are counted from the end, where the batch's is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching


def _of_one(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    return batch.op(*inputs, **settings)


batching(_of_one, "fft", "ifft", "rfft", "irfft")
