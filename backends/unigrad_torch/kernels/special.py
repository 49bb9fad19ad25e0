"""Special functions: torch's, in unigrad's domains, with the textbook's derivatives."""

import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import by_rule

_NAN = float("nan")


def digamma(x: torch.Tensor) -> torch.Tensor:
    """Torch's, but NaN at the poles."""
    return torch.where((x <= 0) & (x == torch.floor(x)), _NAN, torch.digamma(x))


def zeta(s: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Torch's, but NaN for negative q, where it has values for some s."""
    found = torch.where(torch.isposinf(q) & (s > 1), 0.0, torch.special.zeta(s, q))
    return torch.where(q < 0, _NAN, found)


TABLE = {
    name: by_rule(name, kernel)
    for name, kernel in {
        "digamma": digamma,
        "gammainc": torch.special.gammainc,
        "gammaincc": torch.special.gammaincc,
        "i0e": torch.special.i0e,
        "i1e": torch.special.i1e,
        "lgamma": torch.lgamma,
        "zeta": zeta,
        "log_ndtr": torch.special.log_ndtr,
        "ndtri": torch.special.ndtri,
    }.items()
} | {
    # Made of ops, and differentiated by rules.
    name: by_rule(name, body_of("torch", name))
    for name in ("j0", "j1", "owens_t", "y0", "y1")
}
