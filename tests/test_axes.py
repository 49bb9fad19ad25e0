"""What is an axis: an integer, not a bool, for every function that takes one."""

import inspect

import numpy as np
import pytest

import unigrad as ug

ONES = np.ones((2, 2, 2), np.float32)
INDICES = np.zeros((2, 2, 2), np.int64)
#: What stands between the tensor and the axes, where that is more than nothing.
REST = {
    "append": (ONES,),
    "argpartition": (1,),
    "array_split": (2,),
    "associative_scan": (ONES,),
    "boolean_mask": (np.asarray([True, False]),),
    "compress": (ONES,),
    "delete": ([0],),
    "index_select": ([0],),
    "insert": ([0], 1.0),
    "nanpercentile": (50.0,),
    "nanquantile": (0.5,),
    "one_hot": (3,),
    "partition": (1,),
    "percentile": (50.0,),
    "put_along_axis": (INDICES, 1.0),
    "quantile": (0.5,),
    "repeat": (2,),
    "roll": (1,),
    "split": (2,),
    "swapaxes": (0,),
    "take": ([0],),
    "take_along_axis": (INDICES,),
    "tensordot": (ONES,),
    "top_k": (1,),
    "vecdot": (ONES,),
}
FIRST = {
    "associative_scan": ug.add,
    "compress": [True, False],
    "one_hot": INDICES,
    "squeeze": ONES[..., :1],
    "concat": [ONES, ONES],
    "stack": [ONES, ONES],
}
#: Where one axis is not enough.
AXES = {
    "permute_dims": lambda one: (0, one, 2),
    "rot90": lambda one: (0, one),
    "transpose": lambda one: (0, one, 2),
    "tensordot": lambda one: ((0,), (one,)),
}


def of_axes():
    """The names of all functions that take axes, and how they call them."""
    for name in ug.__all__:
        function = getattr(ug, name)
        if inspect.isfunction(function):
            taken = [one for one in inspect.signature(function).parameters if "ax" in one]
            yield from ((name, one) for one in taken if one in ("axis", "axes", "axis2"))
    yield from (("moveaxis", one) for one in ("source", "destination"))


def call(name, setting, axis):
    function = getattr(ug, name)
    given = [FIRST.get(name, ONES), *REST.get(name, ())]
    if name == "moveaxis":
        return function(*given, *((axis, 0) if setting == "source" else (0, axis)))
    axis = AXES.get(name, lambda one: one)(axis)
    kind = inspect.signature(function).parameters[setting].kind
    if kind is inspect.Parameter.KEYWORD_ONLY or name == "associative_scan":
        return function(*given, **{setting: axis})
    return function(*given, axis)


@pytest.mark.parametrize(("name", "setting"), list(of_axes()))
def test_an_integer_of_another_class_is_an_axis(name, setting):
    axis = -1 if name == "squeeze" else 1
    result, same = call(name, setting, axis), call(name, setting, np.int32(axis))
    np.testing.assert_array_equal(np.asarray(result), np.asarray(same))


@pytest.mark.parametrize(("name", "setting"), list(of_axes()))
def test_a_bool_is_no_axis(name, setting):
    told = {"transpose": "permute_dims"}.get(name, name)
    for axis in (True, np.True_, 1.0):
        with pytest.raises(ug.DTypeError, match=f"{told}: .*integer.*{axis}"):
            call(name, setting, axis)


def test_a_bool_is_no_axis_of_a_reduction(backend):
    for x in (ug.asarray(ONES), ug.asarray(INDICES)):
        for name in ("sum", "prod", "mean", "max", "min", "any", "all", "argmax"):
            with pytest.raises(ug.DTypeError, match=name):
                getattr(x, name)(axis=True)
    with pytest.raises(ug.DTypeError, match="sum"):
        ug.sum(ONES, axis=(0, True))
