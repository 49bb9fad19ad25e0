"""NumPy's names of functions that unigrad has under the standard's."""


class Missing(AttributeError):
    """unigrad has no such function."""


RENAMED = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "array": "asarray",
    "concatenate": "concat",
    "conjugate": "conj",
    "degrees": "rad2deg",
    "cumsum": "cumulative_sum",
    "cumprod": "cumulative_prod",
    "fabs": "abs",
    "float_power": "pow",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "mod": "remainder",
    "power": "pow",
    "radians": "deg2rad",
    "right_shift": "bitwise_right_shift",
    "row_stack": "vstack",
    "transpose": "permute_dims",
    "true_divide": "divide",
}

#: No functions of arrays to differentiate: constants, classes, keys and questions about types.
OF_NUMPY = {
    "__version__", "clongdouble", "complex64", "complex128", "dtype", "e", "euler_gamma",
    "float16", "float32", "float64", "index_exp", "inf", "int32", "int64", "iscomplexobj",
    "isrealobj", "longdouble", "nan", "ndarray", "newaxis", "pi", "random", "s_", "uint8",
    "ndindex", "shape", "ndim", "linalg.LinAlgError", "bool_", "finfo", "result_type", "int8",
    "errstate",
}  # fmt: skip
