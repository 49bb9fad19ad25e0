"""autograd's checks of derivatives, with its tolerances, by unigrad's transforms."""

from itertools import product

import numpy as np

import unigrad as ug
from autograd.differentials import make_jvp, make_vjp, on_arguments
from autograd.trees import add_scaled, inner, leaves, randn_like, shapes, tensors

TOL = RTOL = 1e-6
EPS = 1e-6


def scalar_close(a, b):
    """autograd's: absolutely or relatively close."""
    a, b = np.asarray(a), np.asarray(b)
    return bool(abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL)


def _numerical(f, x, v):
    after, before = (tensors(f(add_scaled(x, v, sign * EPS / 2))) for sign in (1, -1))
    return ug.tree.map(lambda a, b: (np.asarray(a) - np.asarray(b)) / EPS, after, before)


def check_vjp(f, x):
    """Compare ⟨w, J v⟩ by differences with ⟨Jᴴ w, v⟩."""
    pull, y = make_vjp(f)(x)
    v, w = randn_like(x), randn_like(y)
    found = pull(w)
    assert shapes(found) == shapes(x), f"{shapes(found)} is not {shapes(x)}"
    numeric, exact = inner(w, _numerical(f, x, v)), inner(found, v)
    name = getattr(f, "__name__", "fun")
    assert scalar_close(numeric, exact), (
        f"Derivative (VJP) check of {name} failed: {exact}, by differences {numeric}"
    )


def check_jvp(f, x):
    """Compare J v with differences."""
    v = randn_like(x)
    check_equivalent(make_jvp(f)(x)(v)[1], _numerical(f, x, v))


def check_equivalent(x, y):
    """Compare two vectors along a random direction."""
    assert shapes(x) == shapes(y), f"{shapes(x)} is not {shapes(y)}"
    v = randn_like(y)
    a, b = inner(v, x), inner(v, y)
    assert scalar_close(a, b), f"{leaves(x)} is not {leaves(y)}"


@on_arguments
def check_grads(f, x, modes=("fwd", "rev"), order=2):
    """Check both modes, and the derivatives of derivatives."""
    assert set(modes) <= {"fwd", "rev"}
    x = tensors(x)
    if "fwd" in modes:
        check_jvp(f, x)
        if order > 1:
            v = randn_like(x)
            check_grads(lambda x, v: make_jvp(f)(x)(v)[1], (0, 1), modes, order=order - 1)(x, v)
    if "rev" in modes:
        check_vjp(f, x)
        if order > 1:
            w = randn_like(tensors(f(x)))

            def pulled(x, w):
                return make_vjp(f)(x)[0](w)

            pulled.__name__ = f"vjp_{getattr(f, '__name__', 'fun')}"
            check_grads(pulled, (0, 1), modes, order=order - 1)(x, w)


def combo_check(fun, *args, **settings):
    """Check all combinations of arguments and keywords."""

    def check(*choices, **keywords):
        named = [[(name, one) for one in values] for name, values in keywords.items()]
        for some in product(*choices):
            for pairs in product(*named):
                check_grads(fun, *args, **settings)(*some, **dict(pairs))

    return check
