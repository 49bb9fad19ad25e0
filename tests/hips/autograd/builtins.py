"""autograd wraps Python's containers so that derivatives go through them; unigrad needs no such."""

import builtins

import numpy as np

import unigrad as ug

dict = builtins.dict
list = builtins.list
tuple = builtins.tuple


def isinstance(value, classes):
    """Python's, for which a Tensor is an array (and a float, if it has no axes)."""
    if builtins.isinstance(value, ug.Tensor):
        some = classes if builtins.isinstance(classes, builtins.tuple) else (classes,)
        return any(issubclass(one, np.ndarray | float) for one in some) or builtins.isinstance(
            value, classes
        )
    return builtins.isinstance(value, classes)
