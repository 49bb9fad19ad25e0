"""Factors of matrices. A matrix that has none gives NaN: the front end says what is wrong with it.

Where values are equal or zero, where torch lacks a case (complete or wide Q R), or where its
derivative is wrong (the determinant of singular matrices), the derivative is the textbook's; where
values can be seen, and are none of these, torch's own, which costs less.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import by_rule
from unigrad_torch.kernels.values import are_finite, has_values

Kernel = Callable[..., Any]

_NAN = float("nan")


def _unless(info: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return NaN in place of what LAPACK could not do."""
    if has_values(x) and not info.any():
        return x
    return torch.where((info == 0)[..., None, None], x, _NAN)


def cholesky(x: torch.Tensor) -> torch.Tensor:
    """Torch's, which goes on where it fails."""
    out, info = torch.linalg.cholesky_ex(x)
    return _unless(info, out)


def solve(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Torch's, which goes on where it fails."""
    out, info = torch.linalg.solve_ex(a, b)
    return _unless(info, out)


def inv(x: torch.Tensor) -> torch.Tensor:
    """Torch's, which goes on where it fails."""
    out, info = torch.linalg.inv_ex(x)
    return _unless(info, out)


def triangular_solve(
    a: torch.Tensor, b: torch.Tensor, *, lower: bool, unit_diagonal: bool
) -> torch.Tensor:
    """Torch's."""
    return torch.linalg.solve_triangular(a, b, upper=not lower, unitriangular=unit_diagonal)


def cofactors(x: torch.Tensor) -> torch.Tensor:
    """By the inverse where there is one; else by singular values, which divides by nothing."""
    out, info = torch.linalg.inv_ex(x)
    found = torch.linalg.det(x)[..., None, None] * out.mT
    if has_values(x) and not info.any():
        return found
    u, s, vh = svd_raw(x, full_matrices=False)
    one = torch.eye(s.shape[-1], dtype=torch.bool, device=x.device)
    others = torch.where(one, 1.0, s[..., None, :]).prod(-1)
    phase = torch.linalg.det(u) * torch.linalg.det(vh)
    exact = (u.conj() * others[..., None, :]) @ vh.conj() * phase[..., None, None]
    return torch.where((info == 0)[..., None, None], found, exact)


def slogdet(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Torch's, whose sign of what is no number is one."""
    sign, logarithm = torch.linalg.slogdet(x)
    return torch.where(torch.isnan(logarithm), _NAN, sign), logarithm


def qr(x: torch.Tensor, *, complete: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Torch's, with a diagonal of R that is real and not negative."""
    q, r = torch.linalg.qr(x, "complete" if complete else "reduced")
    entries = torch.diagonal(r, dim1=-2, dim2=-1)
    phases = torch.where(entries == 0, 1.0, torch.sgn(entries))
    k = entries.shape[-1]
    r = r if r.shape[-2] == k else r[..., :k, :]
    r = r * (phases.conj() if x.is_complex() else phases)[..., None]
    if q.shape[-1] > k:
        r = torch.nn.functional.pad(r, (0, 0, 0, q.shape[-1] - k))
        phases = torch.nn.functional.pad(phases, (0, q.shape[-1] - k), value=1.0)
    return q * phases[..., None, :], r


_ruled_qr = by_rule("qr", qr)


def _qr_of_any(x: torch.Tensor, *, complete: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose torch's derivative of real matrices that are not wide, whose Q has no more columns."""
    m, n = x.shape[-2:]
    if x.is_complex() or m < n or (complete and m > n):
        found: tuple[torch.Tensor, torch.Tensor] = _ruled_qr(x, complete=complete)
        return found
    return qr(x, complete=complete)


def _or_nan(kernel: Callable[..., Any], lower: bool = False) -> Callable[..., Any]:
    """Return a kernel that gives NaN for matrices with NaN or ∞, in the lower triangle if it reads
    no more.

    They are looked for first: of some torch raises, of others LAPACK makes numbers (`eigvalsh`), or
    ends the process (`eigvals`).
    """

    def run(x: torch.Tensor, **settings: Any) -> Any:
        if not has_values(x) or are_finite(x):
            return kernel(x, **settings)
        finite = torch.isfinite(x.tril() if lower else x)
        if finite.all():
            return kernel(x, **settings)
        bad = ~finite.all(-1).all(-1)[..., None, None]
        found = kernel(torch.where(bad, 0.0, x), **settings)
        if isinstance(found, torch.Tensor):
            return torch.where(bad[..., 0], _NAN, found)
        return tuple([torch.where(bad if one.dim() == x.dim() else bad[..., 0], _NAN, one)
                      for one in found])  # fmt: skip

    return run


@_or_nan
def svd_raw(x: torch.Tensor, *, full_matrices: bool) -> tuple[torch.Tensor, ...]:
    """Torch's."""
    return tuple(torch.linalg.svd(x, full_matrices))


@partial(_or_nan, lower=True)
def eigh_raw(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Torch's."""
    return tuple(torch.linalg.eigh(x))


@_or_nan
def eig_raw(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Torch's."""
    return tuple(torch.linalg.eig(x))


def pinv(x: torch.Tensor, rtol: float) -> torch.Tensor:
    """Torch's; NaN for matrices with NaN or ∞, of which it raises."""
    try:
        return torch.linalg.pinv(x, rtol=rtol)
    except RuntimeError:
        bad = ~torch.isfinite(x).all(-1).all(-1)[..., None, None]
        if not has_values(x) or not bad.any():
            raise
        return torch.where(bad, _NAN, torch.linalg.pinv(torch.where(bad, 0.0, x), rtol=rtol))


def phases(vectors: torch.Tensor) -> torch.Tensor:
    """What makes the largest component of each column real and positive, as a row."""
    if not vectors.shape[-1]:
        return vectors[..., :0, :]
    size = vectors.detach().abs()
    near = 1.0 - torch.finfo(size.dtype).eps ** 0.5
    place = (size >= size.amax(-2, keepdim=True) * near).byte().argmax(-2, keepdim=True)
    found = torch.sgn(vectors.gather(-2, place))
    return found.conj_physical() if found.is_complex() else found


def cross(x1: torch.Tensor, x2: torch.Tensor, axis: int = -1) -> torch.Tensor:
    """Torch's, of vectors along one axis of both."""
    if x1.ndim != x2.ndim:
        return _composed_cross(x1, x2, axis=axis)
    return torch.linalg.cross(x1, x2, dim=axis)


_composed_cross = body_of("torch", "cross")


def lu_packed(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Torch's; its exchanges of rows, one after another, as an order."""
    packed, pivots, _ = torch.linalg.lu_factor_ex(x)
    matrix = torch.lu_unpack(packed, pivots, unpack_data=False)[0]
    return packed, matrix.real.argmax(-2) if x.shape[-2] else pivots.long()


def _unless_odd(name: str, kernel: Kernel, is_plain: Callable[..., bool]) -> Kernel:
    """Return a kernel with torch's derivative where its result is plain, else the textbook's."""
    ruled = by_rule(name, kernel)

    def run(x: torch.Tensor, **settings: Any) -> Any:
        if x.requires_grad and has_values(x):
            found = kernel(x, **settings)
            if is_plain(x, found, **settings):
                return found
        return ruled(x, **settings)

    return run


def _are_apart(x: torch.Tensor, values: torch.Tensor) -> bool:
    """Tell whether real numbers, in order, differ by more than rounding, and there are some."""
    if x.is_complex() or not values.numel():
        # Torch refuses the phases of complex vectors.
        return False
    known = values.detach()
    least = known.abs().amax(-1, keepdim=True) * (2 * x.shape[-1] * torch.finfo(x.dtype).eps)
    return bool((known.diff(dim=-1).abs() > least).all())


def _has_plain_vectors(x: torch.Tensor, found: Any) -> bool:
    return _are_apart(x, found[0])


def _has_plain_singular_vectors(x: torch.Tensor, found: Any, *, full_matrices: bool) -> bool:
    if full_matrices and x.shape[-1] != x.shape[-2]:
        return False
    s = found[1].detach()
    # Torch's formula has their squares, which are to be in range.
    limits = torch.finfo(s.dtype)
    squares = s.square()
    if not ((squares > limits.tiny / limits.eps) & (squares < limits.max * limits.eps)).all():
        return False
    # The squares' gaps count, and the least value as one more gap.
    return _are_apart(x, torch.nn.functional.pad(squares, (0, 1)))


def _is_in_range(x: torch.Tensor, found: torch.Tensor, **settings: Any) -> bool:
    """Tell whether the largest result is neither 0 nor so large or small that products may be.

    Torch multiplies the gradient by a determinant, and a pseudo-inverse by itself.
    """
    if not found.numel():
        return True
    size = found.detach().abs()
    peak = size.amax((-2, -1)) if settings else size
    limits = torch.finfo(peak.dtype)
    return bool(((peak > limits.tiny**0.25) & (peak < limits.max**0.25)).all())


def _is_finite(x: torch.Tensor, found: Any) -> bool:
    return bool(torch.isfinite(found[1]).all())


TABLE: dict[str, Callable[..., Any]] = {
    "cholesky": cholesky,
    "cofactors": by_rule("cofactors", cofactors),
    "cross": cross,
    "det": _unless_odd("det", torch.linalg.det, _is_in_range),
    "eig_raw": by_rule("eig_raw", eig_raw),
    "eigh_raw": _unless_odd("eigh_raw", eigh_raw, _has_plain_vectors),
    "eigvals": by_rule("eigvals", _or_nan(torch.linalg.eigvals)),
    "eigvalsh": by_rule("eigvalsh", _or_nan(torch.linalg.eigvalsh, lower=True)),
    "expm": by_rule("expm", torch.linalg.matrix_exp),
    "inv": inv,
    "logm": by_rule("logm", body_of("torch", "logm")),
    "lu_packed": by_rule("lu_packed", lu_packed),
    "phases": phases,
    "pinv": _unless_odd("pinv", pinv, _is_in_range),
    "qr": _qr_of_any,
    "slogdet": _unless_odd("slogdet", slogdet, _is_finite),
    "sqrtm": by_rule("sqrtm", body_of("torch", "sqrtm")),
    "solve": solve,
    "svd_raw": _unless_odd("svd_raw", svd_raw, _has_plain_singular_vectors),
    "svdvals": by_rule("svdvals", _or_nan(torch.linalg.svdvals)),
    "triangular_solve": triangular_solve,
}
