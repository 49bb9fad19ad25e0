"""Edges of quantiles, running extremes, segments and interpolation: ties, NaNs and corners.

Equal elements share a derivative; a quantile's goes to the one or two that it lies between, in
stable order; where two pieces meet, the slope is the mean of theirs.
"""

from __future__ import annotations

import math

from unigrad_conformance.edge import edge

NAN, INF = math.nan, math.inf

edge(
    "median of an even number: a half each",
    lambda ug, x: ug.median(x), [3.0, 1.0, 2.0, 9.0],
    value=2.5, gradients=([0.5, 0.0, 0.5, 0.0],), second=([0.0] * 4,),
)  # fmt: skip
edge(
    "median over a tie: the first of equal ones",
    lambda ug, x: ug.median(x), [2.0, 2.0, 2.0],
    value=2.0, gradients=([0.0, 1.0, 0.0],),
)  # fmt: skip
edge(
    "median with a NaN", lambda ug, x: ug.median(x), [1.0, NAN, 2.0],
    value=NAN, gradients=([0.0, 1.0, 0.0],),
)  # fmt: skip
edge("median beside an infinity", lambda ug, x: ug.median(x), [1.0, INF, 2.0], value=2.0,
     gradients=([0.0, 0.0, 1.0],))  # fmt: skip
edge(
    "nanmedian leaves NaNs out", lambda ug, x: ug.nanmedian(x), [1.0, NAN, 2.0],
    value=1.5, gradients=([0.5, 0.0, 0.5],),
)  # fmt: skip
edge("nanmedian of NaNs", lambda ug, x: ug.nanmedian(x), [NAN, NAN], value=NAN,
     gradients=([0.0, 0.0],))  # fmt: skip
edge(
    "quantile by q at an element: the mean of two slopes",
    lambda ug, q: ug.quantile(ug.asarray([0.0, 1.0, 4.0], like=q), q), 0.5,
    value=1.0, gradients=(4.0,),
)  # fmt: skip
edge(
    "quantile by q at both ends",
    lambda ug, q: ug.quantile(ug.asarray([0.0, 1.0, 4.0], like=q), q), [0.0, 1.0],
    value=[0.0, 4.0], gradients=([2.0, 6.0],),
)  # fmt: skip
edge(
    "quantile by q of the lower element",
    lambda ug, q: ug.quantile(ug.asarray([0.0, 1.0], like=q), q, method="lower"), 0.7,
    value=0.0, gradients=(0.0,),
)  # fmt: skip
for _name, _sign in (("max", 1.0), ("min", -1.0)):
    edge(
        f"nan{_name} over a tie beside a NaN",
        lambda ug, x, name=_name: getattr(ug, f"nan{name}")(x), [_sign, NAN, _sign, 0.0],
        value=_sign, gradients=([0.5, 0.0, 0.5, 0.0],),
    )  # fmt: skip
    edge(
        f"nan{_name} of an infinity beside a NaN",
        lambda ug, x, name=_name: getattr(ug, f"nan{name}")(x), [-_sign * INF, NAN],
        value=-_sign * INF, gradients=([1.0, 0.0],),
    )  # fmt: skip
    edge(
        f"cumulative_{_name} over ties",
        lambda ug, x, name=_name: getattr(ug, f"cumulative_{name}")(x),
        [_sign, _sign, 0.0, _sign, 2.0 * _sign],
        value=[_sign, _sign, _sign, _sign, 2.0 * _sign],
        gradients=([1 + 1 / 2 + 1 / 2 + 1 / 3, 1 / 2 + 1 / 2 + 1 / 3, 0.0, 1 / 3, 1.0],),
    )  # fmt: skip
    edge(
        f"cumulative_{_name} from a NaN on",
        lambda ug, x, name=_name: getattr(ug, f"cumulative_{name}")(x), [1.0, NAN, 3.0],
        value=[1.0, NAN, NAN], gradients=([1.0, 2.0, 0.0],),
    )  # fmt: skip
    edge(
        f"segment_{_name} over a tie, and of no elements",
        lambda ug, x, name=_name: getattr(ug, f"segment_{name}")(x, [1, 1, 0], 3),
        [2.0, 2.0, 5.0],
        value=[5.0, 2.0, -_sign * INF], gradients=([0.5, 0.5, 1.0],),
    )  # fmt: skip
edge(
    "nanmean and nanvar of NaNs alone",
    lambda ug, x: ug.nanmean(x) + ug.nanvar(x) + ug.nanstd(x), [NAN, NAN],
    value=NAN, gradients=([0.0, 0.0],),
)  # fmt: skip
edge("nanstd of equal elements", lambda ug, x: ug.nanstd(x), [0.1, NAN, 0.1, 0.1], value=0.0,
     gradients=([0.0] * 4,))  # fmt: skip
edge("nanstd of equal infinities", lambda ug, x: ug.nanstd(x), [INF, NAN, INF], value=0.0,
     gradients=([0.0] * 3,))  # fmt: skip
edge(
    "segment_std of equal elements, and of none",
    lambda ug, x: ug.segment_std(x, [0, 0, 2], 4), [0.1, 0.1, 3.0],
    value=[0.0] * 4, gradients=([0.0] * 3,),
)  # fmt: skip
edge("ptp over ties", lambda ug, x: ug.ptp(x), [1.0, 3.0, 3.0, 1.0], value=2.0,
     gradients=([-0.5, 0.5, 0.5, -0.5],))  # fmt: skip
edge(
    "segment_prod with zeros",
    lambda ug, x: ug.segment_prod(x, [0, 0, 0, 1], 2), [2.0, 0.0, 3.0, 0.0],
    value=[0.0, 0.0], gradients=([0.0, 6.0, 0.0, 1.0],), second=([3.0, 5.0, 2.0, 0.0],),
)  # fmt: skip
edge(
    "cumulative_logsumexp from -∞ on",
    lambda ug, x: ug.cumulative_logsumexp(x)[1:], [-INF, -INF, 0.0],
    value=[-INF, 0.0], gradients=([0.0, 0.0, 1.0],),
)  # fmt: skip
edge(
    "interp at an inner point and at both ends",
    lambda ug, x: ug.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 5.0]), [0.0, 1.0, 2.0],
    value=[0.0, 1.0, 5.0], gradients=([1.0, 2.5, 4.0],),
)  # fmt: skip
edge(
    "interp outside",
    lambda ug, x: ug.interp(x, [0.0, 1.0], [3.0, 5.0]), [-1.0, 2.0, INF, -INF, NAN],
    value=[3.0, 5.0, 5.0, 3.0, NAN], gradients=([0.0, 0.0, 0.0, 0.0, 2.0],),
)  # fmt: skip
edge(
    "interp of one point",
    lambda ug, x: ug.interp(x, ug.full_like(x[:1], 0.5), ug.full_like(x[:1], 3.0)),
    [0.0, 1.0, NAN],
    value=[3.0, 3.0, NAN], gradients=([0.0, 0.0, 0.0],),
)  # fmt: skip
edge("vander at 0", lambda ug, x: ug.vander(x, 3), [0.0], value=[[0.0, 0.0, 1.0]],
     gradients=([1.0],), second=([2.0],))  # fmt: skip
