"""What unigrad's own programs use on torch beside the table: see `unigrad.tracing.straight`."""

from __future__ import annotations

import math
from functools import wraps
from typing import Any

import torch

from unigrad.core import dtypes
from unigrad.core.native_tape import Kernel
from unigrad.core.programs import Fusion, Saving
from unigrad_torch.kernels import TABLE
from unigrad_torch.kernels.indexing import LOOKING
from unigrad_torch.kernels.linear import linear
from unigrad_torch.kernels.losses import crossentropy
from unigrad_torch.kernels.values import has_values, without_values
from unigrad_torch.private import log_softmax, product_by_onednn


def _blind(kernel: Kernel) -> Kernel:
    """Return a kernel that treats wrong indices as if nobody could look at them.

    The kernel of the table runs first: it raises where an index is wrong, which is seldom.
    """

    @wraps(kernel)
    def run(*natives: Any, **settings: Any) -> Any:
        try:
            return kernel(*natives, **settings)
        except IndexError:
            with without_values():
                return kernel(*natives, **settings)

    return run


UNCHECKED: dict[str, Kernel] = {name: _blind(kernel) for name, kernel in LOOKING.items()}


def _saving_crossentropy(logits: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, Any]:
    """Return the losses, and softmax(x) if it is as exact by way of the logarithms."""
    if logits.dtype.itemsize == 2 or logits.dim() != 2 or labels.dtype is not torch.int64:
        return crossentropy(logits, labels), (None, logits, labels)
    logs = log_softmax(logits, 1, False)
    index = labels.unsqueeze(1)
    return torch.neg(logs.gather(1, index).squeeze(1)), (logs, logits, index)


def _gradient_of_saved(g: torch.Tensor, saved: Any) -> torch.Tensor:
    """g · (softmax(x) - onehot(i))."""
    logs, logits, index = saved
    if logs is None:
        return _gradient(g, logits, index)
    slope = torch.exp(logs)
    slope.scatter_add_(1, index, slope.new_full((), -1.0).expand(index.shape))
    return slope.mul_(g.unsqueeze(1))


def _gradient(g: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    classes = torch.arange(logits.shape[-1], device=logits.device)
    ones = (labels.unsqueeze(-1).to(torch.int64) == classes).to(logits.dtype)
    return g.unsqueeze(-1) * (torch.softmax(logits, -1) - ones)


_threshold = torch.ops.aten.threshold_backward.default


def _alive(g: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return g where x > 0 and 0 elsewhere.

    Torch's derivative of ``relu`` does, but for NaN, of which it returns g. Of (100, 100) elements
    that and NaN's replacement take 9 µs, torch's own ``where`` 26.
    """
    found: torch.Tensor = _threshold(g, torch.nan_to_num(x, 0.0), 0)
    return found


def _writing_over(function: Kernel, inside: Kernel, count: int) -> Kernel:
    """Return f(g(x, …)), of so many arrays, for a function f that writes over what it takes."""

    def run(*given: Any) -> Any:
        natives, out = given[:count], given[count:]
        if not out or out[0] is None or not all(map(_is_plain, natives)):
            return function(inside(*natives))
        return function(inside(*natives, out=out[0]))

    return run


#: tanh of fewer elements takes as long by its own function.
_MANY = 2**13


def _tanh_(x: torch.Tensor) -> torch.Tensor:
    """Write tanh over an array; torch's own takes twice the time of e^(2x) - 1.

    tanh x = e / (e + 2) with e = e^(2x) - 1, to two units in the last place: of (320, 256) elements
    0.18 ms by torch's own and 0.08 so.
    """
    if x.numel() < _MANY or x.dtype is not torch.float32 or not _is_plain(x):
        return x.tanh_()
    # From 2x = 20 on the result is 1.
    x.add_(x).clamp_max_(20.0).expm1_()
    return x.div_(x + 2.0)


def _is_plain(x: torch.Tensor) -> bool:
    """Tell whether what is computed of an array may go into memory that a program keeps."""
    return has_values(x) and not x.requires_grad


def _always(*_: tuple[int, ...]) -> bool:
    return True


def _is_batch_of_products(
    x: tuple[int, ...], y: tuple[int, ...], z: tuple[int, ...], out: tuple[int, ...]
) -> bool:
    """Tell whether x @ y + z is one of matrices side by side, with an entry of z for each of it."""
    return len(x) == len(y) == 3 and x[0] == y[0] and z == out == (*x[:2], y[2])


def _products_and_sum(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    return torch.baddbmm(z, x, y)


#: oneDNN takes longer for products of fewer multiplications, rows or columns.
_LEAST, _FEWEST_ROWS, _FEWEST_COLUMNS = 2**19, 4, 16


def _is_large(x: tuple[int, ...], y: tuple[int, ...], *_: Any) -> bool:
    """Tell whether a product of these shapes is quicker with oneDNN."""
    if len(x) < 2 or len(y) != 2 or y[1] < _FEWEST_COLUMNS:
        return False
    rows = math.prod(x[:-1])
    return rows >= _FEWEST_ROWS and rows * y[0] * y[1] >= _LEAST


def _is_matrix_and_bias(
    x: tuple[int, ...], y: tuple[int, ...], bias: tuple[int, ...], *_: Any
) -> bool:
    return len(x) == len(y) == 2 and bias == y[1:]


def _is_large_linear(
    x: tuple[int, ...], y: tuple[int, ...], bias: tuple[int, ...], *_: Any
) -> bool:
    return bias == y[1:] and _is_large(x, y)


def _large_product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """x @ y by oneDNN, which torch was built with beside MKL.

    On processors with AVX-512 that are not Intel's MKL leaves half of their width unused: (320,
    256) by (256, 768) takes 1.2 ms of a core by MKL and 0.6 by oneDNN. On Intel's it takes 0.6 by
    both, and (5, 256) by (256, 768) 12 and 29 µs; where there is no more than AVX2, 1.5 and 2.7 ms.
    """
    if _is_plain(x) and _is_plain(y):
        return product_by_onednn(x, y.t(), None)
    return torch.matmul(x, y)


def _large_linear(x: torch.Tensor, y: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    if _is_plain(x) and _is_plain(y) and _is_plain(bias):
        return product_by_onednn(x, y.t(), bias)
    return linear(x, y, bias)


#: The integers as wide as a float.
_BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


def _kept(mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """``where(mask, x, 0)`` by bits: torch's own takes one element after the other.

    Half a million elements of a mask that looks random take 0.95 ms by torch's own, and 0.11 so;
    0.20 where another array is in place of zeros.
    """
    if not _is_plain(x):
        return torch.where(mask, x, 0.0)
    bits = _BITS[x.dtype]
    # All bits, or none.
    return (x.view(bits) & mask.to(bits).neg_()).view(x.dtype)


def _left_out(mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """``where(mask, 0, x)``, too."""
    if not _is_plain(x):
        return torch.where(mask, 0.0, x)
    bits = _BITS[x.dtype]
    return (x.view(bits) & mask.to(bits).sub_(1)).view(x.dtype)


def _chosen(mask: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """``where(mask, x, y)``, too."""
    if not (_is_plain(x) and _is_plain(y)):
        return torch.where(mask, x, y)
    bits = _BITS[x.dtype]
    other = y.view(bits)
    found = (x.view(bits) ^ other) & mask.to(bits).neg_()
    return found.bitwise_xor_(other).view(x.dtype)


#: torch's own ``where`` is as quick for fewer elements, and for fewer of two arrays.
_SOME, _SOME_OF_TWO = 2**12, 2**16


def _are_some(mask: tuple[int, ...], x: tuple[int, ...], out: tuple[int, ...]) -> bool:
    return x == out and math.prod(out) >= _SOME


def _are_some_of_two(mask: tuple[int, ...], *shapes: tuple[int, ...]) -> bool:
    return len({*shapes}) == 1 and math.prod(shapes[0]) >= _SOME_OF_TWO


_FLOATS = frozenset((dtypes.float32, dtypes.float64))
_SINGLE = frozenset((dtypes.float32,))

#: Fresh memory of some megabytes comes from the system page by page, which costs more than what
#: fills it: σ(x + y) of (64, 5, 8, 256) elements takes 2.4 ms of a core in two fresh arrays, 1.4 in
#: one, and 0.2 in one that is kept.
INTO: dict[str, Kernel] = {
    f"{name}_of_{inside.__name__}": _writing_over(function, inside, count)
    for name, function in (("sigmoid", torch.sigmoid_), ("tanh", _tanh_))
    for inside, count in ((torch.add, 2), (torch.addcmul, 3))
}

#: All but those that are known to make arrays of their own.
VIEWS = frozenset(TABLE) - {"add", "subtract", "multiply", "divide", "matmul"}

#: See `Backend.by_arrays`. Of these both ways give the same bits.
BY_ARRAYS = frozenset(
    (
        "add", "subtract", "multiply", "divide", "where",
        "equal", "not_equal", "greater", "greater_equal", "less", "less_equal",
    )
)  # fmt: skip

FUSIONS: list[Fusion] = [
    Fusion(
        "alive",
        ("where", ("greater", "x", 0.0), "g", 0.0),
        ("g", "x"),
        _alive,
        _FLOATS,
    ),
    *[
        Fusion(
            kernel.__name__[1:],
            ("where", "mask", *pattern),
            ("mask", *inputs),
            kernel,
            _FLOATS,
            fits=fits,
            masks=frozenset(("mask",)),
        )
        for kernel, pattern, inputs, fits in (
            (_kept, ("x", 0.0), ("x",), _are_some),
            (_left_out, (0.0, "x"), ("x",), _are_some),
            (_chosen, ("x", "y"), ("x", "y"), _are_some_of_two),
        )
    ],
    *[
        Fusion(
            f"{name}_of_addcmul",
            (name, ("add", "x", ("multiply", "y", "z"))),
            ("x", "y", "z"),
            INTO[f"{name}_of_addcmul"],
            _FLOATS,
            over=True,
        )
        for name in ("sigmoid", "tanh")
    ],
    *[
        Fusion(
            f"{name}_of_add",
            (name, ("add", "x", "y")),
            ("x", "y"),
            INTO[f"{name}_of_add"],
            _FLOATS,
            fits=_always,
            over=True,
        )
        for name in ("sigmoid", "tanh")
    ],
    Fusion(
        "addcmul",
        ("add", "x", ("multiply", "y", "z")),
        ("x", "y", "z"),
        torch.addcmul,
        _FLOATS,
        over=True,
    ),
    Fusion(
        "products_and_sum",
        ("add", ("matmul", "x", "y"), "z"),
        ("x", "y", "z"),
        _products_and_sum,
        _FLOATS,
        elementwise=False,
        fits=_is_batch_of_products,
        over=True,
    ),
    Fusion(
        "product_and_bias",
        ("add", ("matmul", "x", "y"), "bias"),
        ("x", "y", "bias"),
        linear,
        _FLOATS,
        elementwise=False,
        fits=_is_matrix_and_bias,
    ),
]
_processor = torch.cpu.get_capabilities()
#: See `_large_product`.
BY_ONEDNN = (
    product_by_onednn is not None
    and torch.backends.cpu.get_cpu_capability() == "AVX512"
    and not str(_processor.get("cpu_name", "Intel")).startswith("Intel")
)
#: Used if `BY_ONEDNN`.
LARGE_PRODUCTS: list[Fusion] = [
    Fusion(
        "large_product",
        ("matmul", "x", "y"),
        ("x", "y"),
        _large_product,
        _SINGLE,
        elementwise=False,
        fits=_is_large,
    ),
    *[
        Fusion(
            name,
            pattern,
            ("x", "y", "bias"),
            _large_linear,
            _SINGLE,
            elementwise=False,
            fits=_is_large_linear,
        )
        for name, pattern in (
            ("large_linear", ("linear", "x", "y", "bias")),
            ("large_product_and_bias", ("add", ("matmul", "x", "y"), "bias")),
        )
    ],
]
if BY_ONEDNN:
    FUSIONS += LARGE_PRODUCTS

SAVINGS: list[Saving] = [
    Saving(
        "sparse_softmax_crossentropy",
        "sparse_softmax_crossentropy_gradient",
        _saving_crossentropy,
        _gradient_of_saved,
    )
]
