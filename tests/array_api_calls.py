"""Calls of SciPy's, scikit-learn's and array-api-extra's functions on Tensors, as a program.

SciPy decides at its import whether it asks arrays for their namespace, so
`test_array_api_libraries` runs this file with ``SCIPY_ARRAY_API=1`` and reads what it prints: for
each backend and call an empty string, or what was wrong with it.
"""

import importlib
import json
import sys
import warnings
from typing import Any

import numpy as np
from sklearn import config_context

import unigrad as ug

#: The modules that the calls name.
MODULES = {
    **{name: f"scipy.{name}" for name in (
        "cluster", "differentiate", "fft", "integrate", "linalg", "ndimage", "signal", "spatial",
        "special", "stats",
    )},
    **{name: f"sklearn.{name}" for name in (
        "decomposition", "discriminant_analysis", "kernel_approximation", "linear_model",
        "metrics", "model_selection", "preprocessing", "utils",
    )},
    "pairwise": "sklearn.metrics.pairwise",
    "xpx": "array_api_extra",
}  # fmt: skip
#: SciPy's and array-api-extra's functions, of these arrays.
SCIPY = """
special.betaln(V, W); special.chdtr(V, W); special.chdtrc(V, W); special.erf(V); special.erfc(V)
special.expit(V); special.expm1(V); special.gammainc(V, W); special.gammaincc(V, W); special.i0(V)
special.i0e(V); special.i1(V); special.i1e(V); special.log1p(V); special.log_ndtr(V)
special.log_softmax(V); special.logit(P); special.logsumexp(V); special.logsumexp(M, axis=1)
special.j0(V); special.ndtr(V); special.ndtri(P)
special.polygamma(1, V); special.rel_entr(V, W); special.sinc(V)
special.softmax(V); special.softmax(M, axis=1); special.xlog1py(V, W); special.xlogy(V, W)
special.zeta(V+1.5, W); stats.zscore(V); stats.zmap(V, W); stats.gzscore(V); stats.kurtosis(V)
stats.skew(V); stats.moment(V, 2); stats.variation(V); stats.gmean(V); stats.hmean(V)
stats.pmean(V, 2); stats.sem(V); stats.entropy(P); stats.entropy(P, P[::-1])
stats.pearsonr(V, W).statistic; stats.ttest_1samp(V, 0.5).statistic
stats.ttest_ind(V, W).statistic; stats.ttest_rel(V, W).statistic; stats.jarque_bera(V).statistic
stats.chisquare(P*10).statistic; stats.power_divergence(P*10).statistic
stats.bartlett(V, W).statistic; stats.describe(V).variance
stats.directional_stats(M).mean_direction; stats.circmean(V); stats.circvar(V); stats.circstd(V)
stats.tmean(V); stats.tvar(V); stats.tstd(V); stats.tsem(V); stats.tmin(V); stats.tmax(V)
stats.rankdata(V); stats.lmoment(V); stats.combine_pvalues(P).statistic; stats.boxcox_llf(0.5, V)
stats.quantile(V, 0.3); stats.f_oneway(V, W).statistic; stats.levene(V, W).statistic
stats.median_abs_deviation(V); stats.iqr(V); stats.trim_mean(V, 0.1); stats.sigmaclip(V)[0]
stats.mode(I.astype(float)).mode; stats.ks_1samp(P, special.ndtr).statistic
stats.wilcoxon(V, W).statistic; stats.hmean(V, weights=W); stats.gstd(V); signal.hilbert(V)
signal.fftconvolve(V, W); signal.oaconvolve(V, W); signal.freqz(P)[1]; signal.resample(V, 6)
signal.tf2zpk(P, V)[2]; signal.gausspulse(V); integrate.trapezoid(V, W)
integrate.cumulative_trapezoid(V); cluster.vq.whiten(M); fft.fft(V); fft.rfft(V); fft.irfft(V)
fft.fftn(M); fft.fftshift(V); fft.fht(V, 0.1, 0.5); fft.hfft(V); fft.ifft2(M)
linalg.block_diag(M, M); spatial.transform.Rotation.from_quat(V).as_matrix()
spatial.transform.Rotation.from_rotvec(V[:3]).apply(W[:3])
spatial.transform.Rotation.from_euler('x', V[0]).as_quat()
spatial.transform.RigidTransform.from_translation(V[:3]).as_matrix()
spatial.transform.Rotation.from_quat(V).inv().as_quat()
spatial.transform.Rotation.from_quat(V).magnitude(); xpx.atleast_nd(V, ndim=2); xpx.cov(M)
xpx.create_diagonal(V); xpx.expand_dims(V, axis=(0, 1)); xpx.kron(M, M); xpx.nunique(I)
xpx.one_hot(I, 3); xpx.pad(V, 2); xpx.setdiff1d(I, J[:2]); xpx.sinc(V); xpx.isclose(V, W)
xpx.nan_to_num(V); xpx.partition(V, 2)[:3].sum(); xpx.argpartition(V, 2)[2]; xpx.isin(I, J)
xpx.union1d(I, J); xpx.angle(V+1j*W); xpx.apply_where(V > 1, V, lambda x: x * x, fill_value=0.0)
differentiate.derivative(lambda x: x * x * x, V).df
""".replace("\n", "; ").split("; ")[1:-1]
#: scikit-learn's, under ``array_api_dispatch``.
SKLEARN = """
metrics.mean_squared_error(y, Z); metrics.root_mean_squared_error(y, Z)
metrics.mean_absolute_error(y, Z); metrics.r2_score(y, Z); metrics.explained_variance_score(y, Z)
metrics.max_error(y, Z); metrics.mean_absolute_percentage_error(y, Z)
metrics.mean_squared_log_error(A, A2); metrics.root_mean_squared_log_error(A, A2)
metrics.mean_tweedie_deviance(A, A2, power=1.5); metrics.mean_poisson_deviance(A, A2)
metrics.mean_gamma_deviance(A, A2); metrics.d2_tweedie_score(A, A2)
metrics.mean_pinball_loss(y, Z); metrics.median_absolute_error(y, Z); metrics.accuracy_score(C, D)
metrics.zero_one_loss(C, D); metrics.f1_score(C, D); metrics.precision_score(C, D)
metrics.recall_score(C, D); metrics.fbeta_score(C, D, beta=2); metrics.jaccard_score(C, D)
metrics.balanced_accuracy_score(C, D); metrics.cohen_kappa_score(C, D); metrics.hamming_loss(C, D)
metrics.log_loss(C, Q); metrics.brier_score_loss(C, Q)
metrics.average_precision_score(C, Q); metrics.precision_recall_curve(C, Q)[0]
metrics.det_curve(C, Q)[0]; metrics.d2_absolute_error_score(y, Z); metrics.d2_brier_score(C, Q)
pairwise.euclidean_distances(X); pairwise.cosine_similarity(X); pairwise.cosine_distances(X)
pairwise.linear_kernel(X); pairwise.polynomial_kernel(X); pairwise.rbf_kernel(X)
pairwise.sigmoid_kernel(X); pairwise.laplacian_kernel(X); pairwise.manhattan_distances(X)
pairwise.paired_euclidean_distances(X, X+1); pairwise.paired_cosine_distances(X, X+1)
pairwise.pairwise_distances(X, metric='cosine'); pairwise.paired_manhattan_distances(X, X+1)
preprocessing.MinMaxScaler().fit_transform(X); preprocessing.MaxAbsScaler().fit_transform(X)
preprocessing.Normalizer().fit_transform(X); preprocessing.normalize(X)
preprocessing.Binarizer().fit_transform(X); preprocessing.KernelCenterer().fit_transform(X@X.T)
preprocessing.PolynomialFeatures(2).fit_transform(X); preprocessing.maxabs_scale(X)
preprocessing.minmax_scale(X); decomposition.PCA(2, svd_solver='full').fit_transform(X)
decomposition.PCA(2, svd_solver='covariance_eigh').fit(X).explained_variance_
linear_model.Ridge(solver='svd').fit(X, y).coef_
linear_model.Ridge(solver='svd').fit(X, y).predict(X)
discriminant_analysis.LinearDiscriminantAnalysis().fit(X, C).decision_function(X)
linear_model.RidgeClassifier(solver='svd').fit(X, C).coef_
kernel_approximation.Nystroem(random_state=0, n_components=4).fit_transform(X)
model_selection.train_test_split(X, random_state=0)[0]; utils.resample(X, random_state=0)
utils.shuffle(X, random_state=0); utils.check_array(X); utils.extmath.softmax(X)
utils.extmath.row_norms(X); utils.extmath.randomized_svd(X, 2, random_state=0)[1]
utils.extmath.stable_cumsum(X); utils.validation.check_X_y(X, C)[0]
""".replace("\n", "; ").split("; ")[1:-1]
#: SciPy's that compute on the host: they say so where a gradient is lost.
LEAVING = """
special.gammasgn(V); signal.detrend(V); signal.zpk2tf(P, V, 1.0)[0]
signal.convolve2d(M, M); cluster.vq.vq(M, M[:2])[1]; cluster.vq.kmeans(M, M[:2])[0]; fft.dctn(M)
ndimage.gaussian_filter(M, 1.0); ndimage.sobel(M); ndimage.uniform_filter(M, 3)
ndimage.median_filter(M, 3); ndimage.shift(M, 0.5); ndimage.zoom(M, 2); ndimage.laplace(M)
ndimage.convolve(M, M); spatial.distance.pdist(M); special.betainc(V, W, P)
special.binom(V + 3, W); special.exp1(V); special.exp2(V); special.gamma(V); special.psi(V)
special.huber(V, W); special.hyp1f1(V, W, P); special.k0(V); special.kl_div(V, W)
special.rgamma(V); signal.convolve(V, W); signal.medfilt(V); fft.dct(V); fft.dst(V)
""".replace("\n", "; ").split("; ")[1:-1]

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(12, 3))
TARGETS = FEATURES @ np.array([1.0, -2.0, 0.5]) + 0.1 * RANDOM.normal(size=12)
GUESSES = TARGETS + 0.1 * RANDOM.normal(size=12)
ARRAYS: dict[str, Any] = {
    "V": np.array([0.3, 0.7, 1.4, 2.2]),
    "W": np.array([1.1, 0.2, 0.9, 1.6]),
    "P": np.array([0.1, 0.2, 0.3, 0.4]),
    "M": np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]),
    "I": np.array([0, 1, 1, 2]),
    "J": np.array([0, 1, 2, 2]),
    "X": FEATURES,
    "y": TARGETS,
    "Z": GUESSES,
    "C": (TARGETS > 0).astype(np.int64),
    "D": (GUESSES > 0.2).astype(np.int64),
    "Q": 1 / (1 + np.exp(-GUESSES)),
    "A": np.abs(TARGETS) + 0.1,
    "A2": np.abs(GUESSES) + 0.1,
}
#: What a call's result is differentiated by: the first of these that it names.
BY = ("V", "X", "P", "M", "W")
HOME = {name: importlib.import_module(module) for name, module in MODULES.items()}


def called(call: str, arrays: dict[str, Any]) -> Any:
    return eval(call, {**HOME, **arrays})


def fault(call: str, leaves: bool) -> str:
    """Return what is wrong with a call on Tensors, or nothing."""
    tensors = {name: ug.asarray(array) for name, array in ARRAYS.items()}
    # Copies: a function may write into its argument.
    expected = called(call, {name: array.copy() for name, array in ARRAYS.items()})
    found = called(call, dict(tensors))
    numbers = not isinstance(expected, (float, int))
    if numbers and not isinstance(found, ug.Tensor):
        return f"a {type(found).__name__} came back"
    if not np.allclose(np.asarray(found), expected, rtol=1e-8, atol=1e-10):
        return f"{found}, not {expected}"
    by = next((name for name in BY if name in call), None)
    if by is None or not numbers or np.asarray(expected).dtype.kind not in "fc":
        return ""
    weights = np.cos(np.arange(np.asarray(expected).size)).reshape(np.shape(expected))

    def total(x: Any) -> Any:
        out = called(call, {**tensors, by: x})
        return ug.sum((ug.abs(out) if out.dtype.kind == "c" else out) * weights)

    array, step = ARRAYS[by], 1e-6
    direction = np.sin(1.0 + np.arange(array.size)).reshape(array.shape)
    if leaves:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ug.grad(total)(tensors[by])
        lost = any(one.category is ug.GradientWarning for one in caught)
        return "" if lost else "the gradient was lost without a word"
    slope = float(ug.sum(ug.grad(total)(tensors[by]) * direction))
    ends = [float(total(ug.asarray(array + sign * step * direction))) for sign in (1, -1)]
    change = (ends[0] - ends[1]) / (2 * step)
    return "" if np.isclose(slope, change, rtol=1e-5, atol=1e-6) else f"slope {slope}, not {change}"


def main() -> None:
    found: dict[str, dict[str, str]] = {}
    ug.set_default_dtype("float64")
    # A function that lost the gradient on the host would warn of it.
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", ug.GradientWarning)
    for backend in sys.argv[1:]:
        with ug.use_backend(backend), config_context(array_api_dispatch=True):
            for call in SCIPY + SKLEARN + LEAVING:
                try:
                    wrong = fault(call, call in LEAVING)
                except Exception as error:
                    wrong = f"{type(error).__name__}: {error}"
                found.setdefault(backend, {})[call] = wrong
    print(json.dumps(found))


if __name__ == "__main__":
    main()
