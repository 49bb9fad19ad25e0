"""Functions that unigrad has, called as NumPy calls them."""

import unigrad as ug


def _fft(name):
    function = getattr(ug.fft, name)
    return lambda a, n=None, axis=-1, norm="backward": function(
        a, n=n, axis=axis, norm=norm or "backward"
    )


def _fftn(name, axes):
    function = getattr(ug.fft, name)

    def run(a, s=None, axes=axes, norm="backward"):
        return function(a, s=s, axes=axes, norm=norm or "backward")

    return run


def _statistic(name):
    def run(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
        return getattr(ug, name)(a, axis=axis, correction=ddof, keepdims=keepdims)

    return run


def _cumulative(name):
    def run(a, axis=None):
        a = ug.asarray(a)
        if axis is None:
            return getattr(ug, name)(ug.reshape(a, (-1,)), axis=0)
        return getattr(ug, name)(a, axis=axis)

    return run


def clip(a, a_min, a_max):
    return ug.clip(a, a_min, a_max)


def concatenate(arrays, axis=0):
    return ug.concat(arrays, axis=axis)


def tensordot(a, b, axes=2):
    return ug.tensordot(a, b, axes=axes)


def transpose(a, axes=None):
    a = ug.asarray(a)
    return ug.permute_dims(a, tuple(range(a.ndim))[::-1] if axes is None else tuple(axes))


def moveaxis(a, source, destination):
    return ug.moveaxis(a, source, destination)


def swapaxes(a, axis1, axis2):
    return ug.swapaxes(a, axis1, axis2)


def repeat(a, repeats, axis=None):
    return ug.repeat(a, repeats, axis=axis)


def tile(A, reps):
    return ug.tile(A, reps)


def where(condition, x=None, y=None):
    return ug.nonzero(condition) if x is None else ug.where(condition, x, y)


def einsum(*operands):
    """NumPy also takes operands and lists of axes by turns."""
    if isinstance(operands[0], str):
        return ug.einsum(*operands)
    arrays, axes = operands[: len(operands) // 2 * 2 : 2], operands[1::2]
    spelt = ["".join("..." if one is Ellipsis else chr(97 + one) for one in some) for some in axes]
    equation = ",".join(spelt)
    if len(operands) % 2:
        last = "".join("..." if one is Ellipsis else chr(97 + one) for one in operands[-1])
        equation += f"->{last}"
    return ug.einsum(equation, *arrays)


def cross(a, b, axis=-1):
    return ug.linalg.cross(a, b, axis=axis)


def partition(a, kth, axis=-1):
    return ug.partition(a, kth, axis=axis)


def rollaxis(a, axis, start=0):
    """NumPy's elder moveaxis, which counts ``start`` before the axis is taken out."""
    axis %= ug.asarray(a).ndim
    return ug.moveaxis(a, axis, start - (axis < start))


def _split(axis):
    return lambda ary, indices_or_sections: ug.split(ary, indices_or_sections, axis=axis)


def hsplit(ary, indices_or_sections):
    return _split(0 if ug.asarray(ary).ndim == 1 else 1)(ary, indices_or_sections)


def _hermitian(a, triangle):
    """The matrix that NumPy reads from one triangle, as a function of that triangle alone.

    The gradient of unigrad's `eigh` is symmetric; NumPy's function does not hang on the other
    triangle, and autograd's tests perturb both.
    """
    a = ug.asarray(a)
    half = ug.tril(a, k=-1) if triangle == "L" else ug.triu(a, k=1)
    diagonal = ug.tril(ug.triu(a))
    return half + ug.conj(ug.matrix_transpose(half)) + ug.real(diagonal)


def eigh(a, UPLO="L"):
    return ug.linalg.eigh(_hermitian(a, UPLO))


def svd(a, full_matrices=True, compute_uv=True):
    return ug.linalg.svd(a, full_matrices=full_matrices) if compute_uv else ug.linalg.svdvals(a)


def norm(x, ord=None, axis=None, keepdims=False):
    """NumPy's one function is the standard's two."""
    x = ug.asarray(x)
    pair = isinstance(axis, tuple) and len(axis) == 2
    if ord is None:
        return ug.linalg.vector_norm(x, axis=axis, keepdims=keepdims)
    if (axis is None and x.ndim == 2) or pair:
        if pair:
            x, axis = ug.moveaxis(x, axis, (-2, -1)), tuple(i % x.ndim for i in axis)
        out = ug.linalg.matrix_norm(x, ord=ord)
        return ug.expand_dims(out, sorted(axis or (0, 1))) if keepdims else out
    return ug.linalg.vector_norm(x, ord=ord, axis=axis, keepdims=keepdims)


ADAPTED = {
    **{f"fft.{name}": _fft(name) for name in ("fft", "ifft", "rfft", "irfft")},
    **{
        f"fft.{name}": _fftn(name, (-2, -1))
        for name in ("fft2", "ifft2", "rfft2", "irfft2")
        if hasattr(ug.fft, name)
    },
    **{f"fft.{name}": _fftn(name, None) for name in ("fftn", "ifftn", "rfftn", "irfftn")},
    "clip": clip,
    "concatenate": concatenate,
    "cross": cross,
    "cumprod": _cumulative("cumulative_prod"),
    "cumsum": _cumulative("cumulative_sum"),
    "dsplit": _split(2),
    "einsum": einsum,
    "hsplit": hsplit,
    "linalg.eigh": eigh,
    "linalg.norm": norm,
    "linalg.svd": svd,
    "moveaxis": moveaxis,
    "partition": partition,
    "repeat": repeat,
    "rollaxis": rollaxis,
    "std": _statistic("std"),
    "swapaxes": swapaxes,
    "tensordot": tensordot,
    "tile": tile,
    "transpose": transpose,
    "var": _statistic("var"),
    "vsplit": _split(0),
    "where": where,
}
