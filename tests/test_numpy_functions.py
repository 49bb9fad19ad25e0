"""NumPy's functions on Tensors: as NumPy's on their values, and Tensors of the same backend."""

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.ops import numpy_functions

V, M = np.array([1.5, -2.5, 3.0]), np.array([[4.0, 1.0], [1.0, 3.0]])
T = np.arange(24.0).reshape(2, 3, 4) + 0.5
#: Calls by the function that they are of, in NumPy's own words.
CALLS = """
all(V); all(M, axis=0); allclose(V, V); angle(V); any(V > 2); argmax(V); argmax(M, 1)
argmin(M, axis=1, keepdims=True); argsort(V); argsort(M, axis=None); argsort(V, kind="stable")
astype(V, "float32"); broadcast_arrays(V, M[:, :1]); broadcast_to(V, (2, 3))
can_cast(V.dtype, "float64"); clip(V, 0, 1); clip(V, a_min=0, a_max=1); clip(V, None, 1)
clip(V, min=-1); concat([V, V]); concatenate([M, M], axis=1); concatenate((M, M), axis=None)
concatenate([V, [1.0, 2.0]]); concatenate([np.ones(2), V]); copy(V); count_nonzero(V); cumprod(V)
cumsum(M); cumsum(M, axis=1); cumulative_prod(V); cumulative_sum(V)
cumulative_sum(M, axis=1, include_initial=True); diag(V, 1); diagonal(T); diagonal(T, 1, 1, 2)
diff(V); diff(M, axis=0, prepend=0.0); dot(V, V); dot(M, M); einsum("ij,jk->ik", M, M)
einsum("i,i", V, np.ones(3)); expand_dims(V, 1); flip(M, 0); full_like(V, 2.0)
geomspace(V[0], 8.0, 4); imag(V); inner(M, M); isclose(V, V + 1e-9); isin(V, [1.5]); kron(M, M)
linspace(V[0], 2.0, 5); logspace(V[0], 2.0, 5); matrix_transpose(T); max(M); max(M, 1)
amax(M, axis=1); amin(M); mean(M, axis=1, keepdims=True); mean(M, 1); meshgrid(V, V)
meshgrid(V, V, indexing="ij"); min(M, axis=(0, 1)); moveaxis(T, 0, -1)
moveaxis(T, source=0, destination=-1); nan_to_num(V); nan_to_num(V, nan=3.0); ndim(V); nonzero(V)
outer(V, V); pad(V, 1); pad(M, 1, mode="edge"); pad(V, (1, 2), constant_values=2.0)
permute_dims(T, (2, 0, 1)); prod(V); ravel(M); ravel(M, order="C"); real(V); repeat(V, 2)
repeat(M, 2, axis=1); reshape(M, (4,)); reshape(M, -1); reshape(M, np.array([1, 4]))
result_type(V, np.float32); roll(V, 1); roll(M, 1, axis=0); round(V); around(V)
searchsorted(np.sort(V), 2.0); shape(V); sinc(V); size(M); size(M, 1); sort(V); sort(M, axis=None)
sort(M, 0); split(V, 3); squeeze(M[:1]); squeeze(M[None], axis=0); stack([V, V])
stack([V, V], axis=1); std(V); std(V, ddof=1); std(M, 0); sum(M, 0); sum(M, axis=1, keepdims=True)
sum(V, dtype="float32"); swapaxes(T, 0, 1); take(M, [1, 2]); take(M, [1], axis=0)
take_along_axis(M, np.array([[0], [1]]), axis=1); tensordot(T, T, axes=([0, 1], [0, 1]))
tensordot(M, M); tile(V, 2); tile(M, (2, 1)); trace(T); trace(M, 1); transpose(M)
transpose(T, (1, 0, 2)); transpose(T); tril(M); triu(M, k=1); unique(V > 0)
unique(M.astype("int64"), return_counts=True); unique_all(V); unique_counts(V); unique_inverse(V)
unique_values(V); unstack(M); var(V, correction=1); var(M, axis=1, ddof=1, keepdims=True)
where(V > 0, V, 0); where(V > 0, V, np.zeros(3)); where(V > 0); append(V, 1.0)
append(M, M, axis=0); argpartition(V, 1)[1]; array_split(V, 2); atleast_1d(V); atleast_2d(V)
atleast_3d(V); average(V, weights=np.array([1.0, 2.0, 3.0])); average(M, axis=0)
bincount(argsort(V)); choose(argsort(V) % 2, [V, V]); column_stack([V, V]); corrcoef(V, V[::-1])
compress([True, False, True], V); cov(M); cov(V, ddof=0); delete(V, 1); delete(V, [0, 2])
diagflat(V); digitize(V, np.sort(V)); dstack([V, V]); extract(V > 0, V); fliplr(M); flipud(M)
gradient(V); gradient(V, 2.0); histogram(V, bins=3); histogram_bin_edges(V, 4); hstack([V, V])
insert(V, 1, 5.0); interp(V, np.array([0.0, 2.0]), np.array([1.0, 3.0])); intersect1d(V, V[1:])
lexsort((V, V)); median(V); median(M, axis=1); nanargmax(V); nanargmin(M, axis=1); nanmax(V)
nanmean(M, axis=0); nanmedian(V); nanmin(V); nanpercentile(V, 30); nanprod(V); nanquantile(V, 0.3)
nanstd(V, ddof=1); nansum(V); nanvar(V); partition(V, 1)[1]; percentile(V, 30); ptp(M, axis=1)
percentile(M, [10, 50], axis=0); quantile(V, 0.3, method="lower"); rot90(M); rot90(M, 2)
ravel_multi_index((np.array([0, 1]), argsort(V)[:2]), (2, 3))
select([V > 2, V < 0], [V, -V], 7.0); setdiff1d(V, V[:1]); trapezoid(V); trapezoid(V, dx=2.0)
union1d(V, V + 1); unravel_index(argsort(V), (2, 2)); vander(V); vander(V, 2, increasing=True)
vstack([V, V]); linalg.cholesky(M); linalg.cond(M); linalg.cross(V, V + 1); linalg.det(M)
linalg.diagonal(T); linalg.eig(M * 0 + 1)[0].shape; linalg.eigh(M)[0]; linalg.eigvals(M).shape
linalg.eigvalsh(M); linalg.inv(M); linalg.matmul(M, M); linalg.matrix_norm(M)
linalg.matrix_norm(M, ord=1); linalg.matrix_power(M, 3); linalg.matrix_rank(M)
linalg.matrix_transpose(M); linalg.multi_dot([M, M, M]); linalg.norm(V); linalg.norm(M)
linalg.norm(M, 1); linalg.norm(T); linalg.norm(M, ord="nuc"); linalg.norm(M, axis=0)
linalg.norm(M, axis=1, keepdims=True); linalg.norm(T, axis=(0, 2), ord=2, keepdims=True)
linalg.norm(T, axis=(2, 0), ord=1); linalg.norm(V, np.inf); linalg.norm(V, 0)
linalg.norm(V, ord=1); linalg.outer(V, V); linalg.pinv(M); abs(linalg.qr(M)[1])
linalg.qr(M, mode="complete")[0].shape; linalg.slogdet(M); linalg.solve(M, M[:, 0])
linalg.svd(M)[1]; linalg.svd(M, compute_uv=False); linalg.svdvals(M); linalg.tensordot(M, M)
linalg.trace(T); linalg.vecdot(V, V); linalg.vector_norm(M, axis=1); fft.fft(V); fft.fft(V, 5)
fft.fft2(M); fft.fftn(T); fft.fftn(T, axes=(0, 1)); fft.fftshift(V); fft.hfft(V); fft.ifft(V)
fft.ifft2(M); fft.ifftn(M); fft.ifftshift(V); fft.ihfft(V); fft.irfft(V); fft.irfft2(M)
fft.irfftn(M); fft.rfft(V, norm="ortho"); fft.rfft2(M); fft.rfftn(M)
""".replace("\n", "; ").split("; ")[1:-1]  # fmt: skip
#: Functions of a vector with a derivative.
SMOOTH = """
clip(V, 0, 4) + where(V > 0, V, V * V); sort(V) * arange(3.0); dot(V, V); stack([V, V * V])
linalg.norm(V); concatenate([V, ones(2), V]); mean(V) * std(V, ddof=1); cumsum(V)
linalg.norm(outer(V, V) + eye(3), ord="nuc"); linalg.inv(diag(V)); abs(fft.fft(V)) * arange(3.0)
einsum("i,j->ij", V, V); linspace(V[0], V[1], 4) ** 2; trace(outer(V, V)); pad(V, 1, mode="edge")
add.outer(V, V) ** 2; multiply.accumulate(V); divmod(V, 2.0)[1]; var(V); tile(V, 2) ** 2
""".replace("\n", "; ").split("; ")[1:-1]  # fmt: skip
#: Each call on two backends; the first ones of these on all: what differs between backends is the
#: ops, which the suite checks, and not what leads to them.
PAIRS = [(backend, call) for backend in ("numpy", "torch") for call in SMOOTH] + [
    (backend, call) for backend in ("jax", "tensorflow") for call in SMOOTH[:6]
]


def called(call: str, make: Any) -> Any:
    """Return the value of a call of NumPy's, of arrays that ``make`` makes."""
    arrays = {name: make(array) for name, array in {"V": V, "M": M, "T": T}.items()}
    # NumPy loads its fft when it is asked for.
    return eval(call, {**vars(np), "np": np, "fft": np.fft}, arrays)


def same(found: Any, expected: Any) -> None:
    """Check a result: NumPy's arrays have become Tensors, everything else is as it is."""
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            same(one, other)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert isinstance(found, ug.Tensor)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-13)
    else:
        assert type(found) is type(expected)
        assert found == expected


@pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)
@pytest.mark.parametrize("call", CALLS)
def test_calls(backend: str, call: str) -> None:
    same(called(call, ug.asarray), called(call, np.asarray))


@pytest.mark.parametrize(("backend", "call"), PAIRS, indirect=["backend"])
def test_gradients_and_programs(backend: str, call: str) -> None:
    def total(x: Any) -> Any:
        return np.sum(called(call, lambda array: x if array is V else array))

    x, step = ug.asarray(V), 1e-6
    gradient = ug.grad(total)(x)
    for i, slope in enumerate(gradient.tolist()):
        move = step * (np.arange(3) == i)
        assert slope == pytest.approx((total(V + move) - total(V - move)) / (2 * step), abs=1e-7)
    compiled = ug.jit(total)(x)
    assert isinstance(compiled, ug.Tensor)
    assert float(compiled) == pytest.approx(total(V), rel=1e-12)


def test_every_function_in_the_table_is_called_here() -> None:
    named = {call.removeprefix("abs(").partition("(")[0] for call in CALLS}
    table = {*numpy_functions._ALIKE, *numpy_functions._OTHER_NAMES, *numpy_functions._WRITTEN}
    filled = {"empty_like", "ones_like", "zeros_like"}
    assert table - named == filled


def test_no_setting_is_lost() -> None:
    """Whatever NumPy's signature has is the op's, has no effect, or is refused."""
    x = ug.asarray(V)
    for call in (
        "sum(x, initial=2.0)",
        "mean(x, dtype='float64')",
        "angle(x, True)",
        "ravel(x, 'F')",
    ):
        with pytest.warns(ug.GradientWarning, match=r"np\.\w+ with (initial|dtype|deg|order)"):
            found = eval(call, {**vars(np), "x": x})
        assert found == pytest.approx(eval(call, {**vars(np), "x": V}))


def test_functions_without_an_op(backend: str) -> None:
    x = ug.asarray(V)
    with pytest.warns(ug.GradientWarning, match=r"np\.unwrap has no counterpart"):
        found = np.unwrap(x)
    assert type(found) is np.ndarray
    with pytest.raises(ug.TracingError):
        ug.jit(lambda x: ug.asarray(np.unwrap(x)))(x)
    assert np.array_equal(x, V)
    assert np.array_repr(x) == np.array_repr(V)


def test_arrays_to_be_filled_are_numpys(backend: str) -> None:
    """Programs write into them through views, as no Tensor is written into."""
    x = ug.asarray(V)
    for make in (np.empty_like, np.ones_like, np.zeros_like):
        assert type(make(x)) is np.ndarray
        assert make(x).shape == (3,)
        assert make(x).dtype == np.float64
    assert np.ones_like(x, dtype="int32", shape=(2,)).tolist() == [1, 1]
    assert ug.jit(lambda x: x + np.ones_like(x))(x).tolist() == (V + 1).tolist()
    filled = np.zeros_like(x)
    filled[1:][x[1:] > 0] = 5.0
    assert filled.tolist() == [0.0, 0.0, 5.0]
    with pytest.warns(ug.GradientWarning):
        ug.grad(lambda x: ug.sum(_filled(x) * x))(x)


def _filled(x: Any) -> Any:
    out = np.zeros_like(x)
    out[:] = x
    return out


def test_nothing_is_written_into(backend: str) -> None:
    x = ug.asarray(V)
    index = np.array([0])
    for write in (
        lambda: np.sum(x, out=np.zeros(())), lambda: np.put(x, 0, 1.0),
        lambda: np.put_along_axis(x, index, 1.0, 0), lambda: np.nan_to_num(x, copy=False),
        lambda: np.copyto(x, V), lambda: np.add.at(x, 0, 1.0), lambda: np.cumsum(x, out=x),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="a tensor is a value"):
            write()
    assert x.tolist() == V.tolist()


def test_other_classes_answer_for_themselves() -> None:
    with pytest.raises(TypeError, match="MaskedArray"):
        np.concatenate([ug.asarray(V), np.ma.masked_array(V)])


def test_the_bound_signatures_are_numpys() -> None:
    """The table rests on signatures that NumPy shows; this tells when it no longer does."""
    for name in numpy_functions._ALIKE:
        function: Any = np
        for part in name.split("."):
            function = getattr(function, part)
        assert inspect.signature(function).parameters, name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.clip(ug.asarray(V), a_max=1.0, a_min=0.0).tolist() == [1.0, 0.0, 1.0]
