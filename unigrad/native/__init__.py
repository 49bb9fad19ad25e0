"""Native code in and out: unigrad's functions for callers of a library, and theirs in unigrad."""

from unigrad.native.call import native_call
from unigrad.native.interop import interop
from unigrad.native.minimizing import scipy_value_and_grad

__all__ = ["interop", "native_call", "scipy_value_and_grad"]
