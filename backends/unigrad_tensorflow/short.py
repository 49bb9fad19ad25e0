"""Short ways: composites that one raw op, and a look at values on the host, can do.

A look at a few values takes a microsecond, an op five and a graph fifteen or more. So where the
values show that a raw op is the whole answer, it is given by that op alone, bit for bit. All else,
and whatever a tape or a graph would have to hear of, is left to the composite's body.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.private import could_possibly_record, eager_context
from unigrad_tensorflow.raw import BINDERS

#: Takes tensors, then plain arguments; gives ``None`` where it has no answer.
Quick: TypeAlias = Callable[..., Any]


def short(name: str, quick: Quick) -> Callable[..., Any]:
    """Return the kernel of a composite that has a short way."""
    body = body_of("tensorflow", name)

    def run(*natives: Any, **settings: Any) -> Any:
        return bind(**settings)(*natives)

    def bind(**settings: Any) -> Callable[..., Any]:
        plain = _plain_arguments(settings)
        if plain is None:
            return partial(body, **settings)
        tail, named = plain
        settled = partial(quick, **named) if named else quick

        def run_bound(*natives: Any) -> Any:
            if eager_context() is not None and not could_possibly_record():
                found = settled(*natives, *tail)
                if found is not None:
                    return found
            return body(*natives, **settings)

        return run_bound

    BINDERS[run] = bind
    return run


def _plain_arguments(settings: dict[str, Any]) -> tuple[list[Any], dict[str, Any]] | None:
    """Return what follows the tensors of a call, as `unigrad.core.whole` hands it on.

    ``None`` where tensors stand behind it, or in tuples.
    """
    named = dict(settings)
    layout = named.pop("layout", None) or ()
    if named.pop("named", ()) or any(type(one) is int for one in layout):
        return None
    tail = [one for one in layout if one is not None]
    if None in layout[len(layout) - len(tail) :]:
        return None
    return [one for (one,) in tail], named
