"""Trees of numbers as vectors: what autograd's checks do with their arguments."""

import numpy as np

import unigrad as ug


def tensor(x):
    """Return a Tensor of an array or number; integers are float64 here, as they are to autograd."""
    found = ug.asarray(x)
    return ug.astype(found, "float64") if found.dtype.kind in "iub" else found


def tensors(tree):
    """Return a tree with Tensors for leaves."""
    return ug.tree.map(tensor, tree)


def leaves(tree):
    """Return the leaves as ndarrays."""
    return [np.asarray(one) for one in ug.tree.leaves(tree)]


def randn_like(tree):
    """Return random numbers, complex ones beside complex ones."""

    def draw(x):
        x = np.asarray(x)
        out = np.random.randn(*x.shape)
        if x.dtype.kind == "c":
            out = out + 1j * np.random.randn(*x.shape)
        return ug.asarray(np.asarray(out))

    return ug.tree.map(draw, tree)


def add_scaled(x, v, number):
    """Return x + number v."""
    return ug.tree.map(lambda a, b: ug.asarray(np.asarray(a) + number * np.asarray(b)), x, v)


def inner(x, y):
    """Return Re Σ conj(x) y."""
    pairs = zip(leaves(x), leaves(y), strict=True)
    return float(sum(np.sum(np.real(np.conj(a) * b)) for a, b in pairs))


def shapes(tree):
    """Return what two vectors of one space have in common."""
    return [(one.shape, one.dtype.kind == "c") for one in leaves(tree)]
