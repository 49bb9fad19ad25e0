"""Native errors as unigrad's own, with the op, the shapes and the dtypes in the message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unigrad.core.backend import Backend
from unigrad.core.errors import (
    LEAKED,
    DeviceMismatchError,
    DTypeError,
    NotDifferentiableError,
    ShapeError,
    TracingError,
    UnigradError,
)
from unigrad.core.host_errors import own_error

if TYPE_CHECKING:
    from unigrad.core.op import Op


#: What only a library can say of a function of the program's own.
_OF_THE_LIBRARY = (NotDifferentiableError, TracingError)


def explain(
    op: Op,
    backend: Backend,
    natives: Sequence[Any],
    settings: Mapping[str, Any],
    error: Exception,
) -> Exception:
    """Turn a native error into unigrad's class, with the op, the shapes and the dtypes.

    Raises:
        Exception: the error itself, if there is nothing to add. Who raises what is returned here
            names the error as its cause, and one that is its own cause keeps others going round.
    """
    own = own_error(error)
    if own is error:
        raise error
    if own is not None:
        return own
    # A warning is here because somebody made warnings errors: it is theirs to see.
    if op.foreign or isinstance(error, (UnigradError, ZeroDivisionError, Warning)):
        raise error
    described, shapes = [], []
    for native in natives:
        if isinstance(native, (bool, int, float, complex)):
            described.append(repr(native))
        else:
            shapes.append(backend.shape(native))
            described.append(f"{backend.dtype(native).name}{list(shapes[-1])}")
    kind = backend.error_class(error)
    if op.opaque and kind not in _OF_THE_LIBRARY:
        # The program's own error: the ops inside of its function have told already what was theirs.
        raise error
    if kind is None:  # Not the library's own, as what stops torch's recomputation of a checkpoint.
        raise error
    if op.broadcasts and kind not in (TracingError, DeviceMismatchError):
        try:
            np.broadcast_shapes(*shapes)
            kind = DTypeError
        except ValueError:
            kind = ShapeError
    chosen = "".join(f", {name}={value!r}" for name, value in settings.items())
    text = str(error).strip()
    reason = text.splitlines()[0][:200] if text else type(error).__name__
    if kind is TracingError:
        reason = LEAKED
    elif kind is DeviceMismatchError:
        arrays = [x for x in natives if not isinstance(x, (bool, int, float, complex))]
        places = ", ".join(dict.fromkeys(map(backend.device, arrays)))
        reason = f"they are on {places}; x.to_device(name) copies one to another device"
    elif kind is ShapeError and op.broadcasts:
        reason = "the shapes do not broadcast"
    return kind(f"{op.name}({', '.join(described)}{chosen}) on {backend.name}: {reason}")
