"""Warnings of tracked values that leave for the host, or come back from there as constants.

No recorder sees what other code computes from a value's numbers, so the derivative ends there.
That is meant now and then (a loss is printed) and else a silent wrong gradient. A warning
therefore names the line of the program, once per line as Python's warnings do. Nothing here runs
unless a recorder of this thread tracks the value.
"""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import TYPE_CHECKING

from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import GradientWarning
from unigrad.core.native_tape import Native
from unigrad.core.registry import loaded_backends

if TYPE_CHECKING:
    from unigrad.core.tensor import Tensor

#: Packages whose frames are never the program's own line. Functions of Python's library take
#: tensors for the program (`statistics.fmean`, `functools.reduce`).
_PASSED = sys.stdlib_module_names | {"unigrad", "numpy", "optree"}


def warn_program(message: str, category: type[Warning] = GradientWarning) -> None:
    """Give a warning at the line of the program, past the frames of the libraries."""
    frame = program_frame(sys._getframe(1))
    names = frame.f_globals
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        names.get("__name__", "<string>"),
        names.setdefault("__warningregistry__", {}),
    )


def program_frame(frame: FrameType) -> FrameType:
    """Return the innermost frame that is neither unigrad's nor Python's nor an array library's."""
    passed = set()
    for backend in loaded_backends():
        passed.add(_package(type(backend)))
        library = _package(backend.array_type)
        # Array classes live in the library's package, or in its compiled part ("jaxlib").
        passed.update((library, library.removesuffix("lib")))
    found = frame
    # Code that a library has written as it ran is of no module.
    while (name := found.f_globals.get("__name__", "unigrad").partition(".")[0]) in passed or (
        name in _PASSED
    ):
        if found.f_back is None:
            return frame
        found = found.f_back
    return found


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def warn_if_it_leaves(x: Tensor, way: str) -> None:
    """Warn if a value that a recorder tracks is about to leave for the host.

    A dtype without derivatives loses nothing.
    """
    if x.uid and x.dtype in INEXACT and recorders.watchers((x.uid,), x.backend.depth):
        warn_program(
            f"{way}: a value that a tape or an accumulator follows leaves for the host; what is "
            "computed from it there has no gradient. Use unigrad's ops, or take it from "
            "ug.stop_gradient(x) if this is meant"
        )


def warn_if_taken(x: Tensor) -> None:
    """Warn if the native array of a tracked value is taken and nothing sees what becomes of it."""
    if (
        x.dtype in INEXACT
        and recorders.watchers((x.uid,), x.backend.depth)
        and not x.backend.follows(x._native)
    ):
        warn_program(
            "x.native: the array of a value that a tape or an accumulator follows; what is "
            "computed from it outside of unigrad has no gradient. Use unigrad's ops, "
            "ug.native_call, or ug.stop_gradient(x).native if this is meant"
        )


def warn_if_unseen(x: Tensor, kind: type) -> None:
    """Warn if a tracked value goes to another library's function that its recorder cannot see.

    It sees what the library's own graph sees, if that is behind it and the value is of the
    library's ``kind`` of array.
    """
    for one in recorders.watchers((x.uid,), x.backend.depth) if x.uid else ():
        if one.native_tapes.get(x.backend) is None or not isinstance(x._native, kind):
            library = _package(kind).removesuffix("lib")
            warn_program(
                "a tensor that a tape or an accumulator follows was handed to a function of "
                f"{library}, which it cannot see: use unigrad's op"
            )


def warn_if_it_returns(native: Native) -> None:
    """Warn if a new tensor is made of the very array of a tracked value: the path ends here."""
    # A view (a slice, a transposed array) names the array whose memory it shares.
    arrays = (native, getattr(native, "base", None))
    for recorder in recorders.active():
        if any(one is not None and recorder.holds(one) for one in arrays):
            warn_program(
                "the native array of a value that a tape or an accumulator follows was made a "
                "tensor again; to them it is a constant. Use the tensor itself, or "
                "ug.stop_gradient(x) if this is meant"
            )
            return


def warn_if_graph_ends(owner: Backend) -> None:
    """Warn that an array in its library's own graph was handed to unigrad."""
    warn_program(
        f"an array that {owner.name}'s own autograd follows was handed to unigrad, where its "
        "graph ends: use ug.GradientTape or ug.grad to differentiate unigrad's ops"
    )
