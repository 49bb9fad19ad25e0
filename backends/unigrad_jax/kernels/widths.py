"""The dtypes that a JAX program holds: without its 64-bit mode, none of 64 bits.

The setting is the program's. Where it is off, integers of 64 bits, which indices and counts are
without anybody asking, are integers of 32 bits, as all over JAX. Floats are never narrowed.
"""

from typing import Any

import jax
import numpy as np

from unigrad.core.errors import DTypeError


def held(dtype: Any) -> Any:
    """Return the dtype in which JAX holds a dtype now.

    Raises:
        DTypeError: when it is floating and has no such width.
    """
    found = jax.dtypes.canonicalize_dtype(dtype)
    if found != dtype and found.kind not in "iu":
        raise DTypeError(
            f"JAX holds no {np.dtype(dtype).name} while its 64-bit mode is off: turn "
            "jax_enable_x64 on (unset JAX_ENABLE_X64=0, if that is set), or ask for 32 bits"
        )
    return found
