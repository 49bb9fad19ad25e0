"""Special functions as a namespace, under the names that SciPy has for them."""

from unigrad.ops.activations import sigmoid as expit
from unigrad.ops.bessel import j0, j1, ndtri, owens_t, y0, y1
from unigrad.ops.elementary import erf, erfc, erfinv, sinc
from unigrad.ops.softmax import log_softmax, logsumexp, softmax
from unigrad.ops.special import (
    beta,
    betaln,
    digamma,
    gammainc,
    gammaincc,
    i0,
    i0e,
    i1,
    i1e,
    lgamma,
    log_ndtr,
    logit,
    ndtr,
    polygamma,
    xlog1py,
    xlogy,
    zeta,
)

__all__ = [
    "beta",
    "betaln",
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "gammainc",
    "gammaincc",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "j0",
    "j1",
    "lgamma",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "ndtri",
    "owens_t",
    "polygamma",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "zeta",
]
