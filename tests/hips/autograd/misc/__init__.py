"""autograd.misc: what its tests use."""

import unigrad as ug
from autograd.trees import tensors


def flatten(tree):
    """Return the leaves of a tree as one vector, and the way back."""
    flat = [
        ug.ravel(one) if hasattr(ug, "ravel") else ug.reshape(one, (-1,))
        for one in ug.tree.leaves(tensors(tree))
    ]
    like = tensors(tree)

    def unflatten(vector):
        vector, start, parts = ug.asarray(vector), 0, []
        for one in ug.tree.leaves(like):
            parts.append(ug.reshape(vector[start : start + one.size], one.shape))
            start += one.size
        return ug.tree.unflatten(ug.tree.structure(like), parts)

    return (ug.concat(flat) if flat else ug.zeros(0)), unflatten


def const_graph(fun, *args, **kwargs):
    """Return the function: unigrad compiles with `ug.jit`, which keeps no graph of constants."""
    return lambda *more: fun(*more, *args, **kwargs)
