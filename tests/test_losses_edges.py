"""What losses refuse, and what they do at the edges of their domains."""

from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad import losses

P = [[0.2, 0.3, 0.5]] * 2
BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "reduction": (lambda: losses.mse(P, P, reduction="average"), ug.SettingError, "reduction"),
    "weights": (lambda: losses.mse(P, P, weights=[1.0] * 3), ug.ShapeError, r"weights .*\(3,\)"),
    "more weights": (lambda: losses.mse(P, P, weights=[[1.0, 1.0]]), ug.ShapeError, "weights"),
    "mask": (lambda: losses.mse(P, P, mask=[1, 0]), ug.DTypeError, "bools"),
    "mask's shape": (lambda: losses.mse(P, P, mask=[True] * 3), ug.ShapeError, "mask"),
    "smoothing": (
        lambda: losses.categorical_crossentropy(P, P, label_smoothing=1.5), ug.SettingError,
        "label_smoothing=1.5",
    ),
    "classes": (
        lambda: losses.sparse_categorical_crossentropy([0, 1], P, class_weights=[1.0]),
        ug.ShapeError, "class_weights",
    ),
    "delta": (lambda: losses.huber(P, P, delta=-1.0), ug.SettingError, "delta"),
    "gamma": (lambda: losses.binary_focal_crossentropy(P, P, gamma=-1), ug.SettingError, "gamma"),
    "events": (lambda: losses.binary_crossentropy([[2.0]], [[0.5]]), ug.SettingError, "from 2 to"),
    "probabilities": (lambda: losses.kl_div([[-0.5]], [[0.5]]), ug.SettingError, "from -0.5"),
    "signs": (lambda: losses.hinge([[0.0, 1.0]], [[0.5, 0.5]]), ug.SettingError, "2 y - 1"),
    "labels": (lambda: losses.multi_margin([3, 0], P), ug.OutOfBoundsError, "3 classes"),
    "counts": (lambda: losses.poisson([[-1.0]], [[1.0]]), ug.SettingError, "y_true has -1"),
    "variance": (
        lambda: losses.gaussian_nll([[1.0]], [[1.0]], [[-1.0]]), ug.SettingError, "variance has -1"
    ),
    "variances": (lambda: losses.gaussian_nll(P, P, [1.0, 2.0]), ug.ShapeError, "variance"),
    "kinds": (lambda: losses.contrastive([1], P, P), ug.ShapeError, "contrastive"),
    "boxes": (lambda: losses.iou(P, P), ug.ShapeError, "left, top"),
    "inside out": (
        lambda: losses.giou([[1.0, 0.0, 0.0, 1.0]], [[0.0, 0.0, 1.0, 1.0]]), ug.SettingError,
        "right < left",
    ),
    "complex": (lambda: losses.mse([[1j]], [[1.0]]), ug.DTypeError, "complex"),
    "ctc's shapes": (lambda: losses.ctc([1, 2], [P]), ug.ShapeError, "batch"),
    "ctc's labels": (lambda: losses.ctc([[3]], [P]), ug.OutOfBoundsError, "3 classes"),
    "ctc's blank": (lambda: losses.ctc([[0]], [P]), ug.SettingError, "blank"),
    "blank": (lambda: losses.ctc([[0]], [P], blank=3), ug.OutOfBoundsError, "blank=3"),
    "ctc's lengths": (
        lambda: losses.ctc([[1]], [P], logit_lengths=[3]), ug.OutOfBoundsError, "logit_lengths"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_refused(backend: str, name: str) -> None:
    call, error, words = BAD[name]
    with pytest.raises(error, match=words):
        call()


def gradient(f: Any, x: Any) -> list[Any]:
    found: list[Any] = ug.grad(lambda x: f(x).sum())(ug.asarray(x, dtype="float64")).tolist()
    return found


@pytest.mark.parametrize(
    ("dtype", "size"), [("float16", 1e4), ("float32", 1e25), ("float64", 1e-200)]
)
def test_directions_of_vectors_whose_length_leaves_the_range(
    backend: str, dtype: str, size: float
) -> None:
    x = ug.full((2, 100), size, dtype=dtype)
    found = losses.cosine_similarity(x, x).numpy()
    np.testing.assert_allclose(found.astype(float), -1.0, rtol=2e-3)
    assert losses.cosine_similarity(x[:, :0], x[:, :0]).tolist() == [0.0, 0.0]


def test_ctc_of_what_nobody_can_look_at(backend: str) -> None:
    labels, logits = ug.asarray([[1, 2], [2, 1], [2, 2]]), ug.zeros((3, 4, 3))

    @ug.jit
    def f(labels: Any, label_lengths: Any, logit_lengths: Any, mask: Any) -> ug.Tensor:
        lengths = {"label_lengths": label_lengths, "logit_lengths": logit_lengths}
        return losses.ctc(labels, logits, mask=mask, **lengths)

    two, four, every = ug.asarray([2, 2, 2]), ug.asarray([4, 4, 4]), ug.asarray([True] * 3)
    fine = losses.ctc(labels, logits).numpy()
    np.testing.assert_allclose(f(labels, two, four, every).numpy(), fine, rtol=1e-6)
    for bad in (
        (ug.asarray([[1, 0], [2, 1], [2, 2]]), two, four),
        (ug.asarray([[1, 3], [2, 1], [2, 2]]), two, four),
        (labels, ug.asarray([3, 2, 2]), four),
        (labels, ug.asarray([-1, 2, 2]), four),
        (labels, two, ug.asarray([5, 4, 4])),
        (labels, two, ug.asarray([-1, 4, 4])),
    ):
        found = f(*bad, every).numpy()
        np.testing.assert_allclose(found, [np.nan, *fine[1:]], rtol=1e-6)
        rest = f(*bad, ug.asarray([False, True, True])).numpy()
        np.testing.assert_allclose(rest, [0.0, *fine[1:]], rtol=1e-6)


def test_corners() -> None:
    assert gradient(lambda p: losses.hinge([[1.0]], p), [[1.0]]) == [[0.0]]
    assert gradient(lambda p: losses.cosine_similarity([[1.0, 0.0]], p), [[0.0, 0.0]]) == [
        [0.0, 0.0]
    ]
    assert gradient(lambda p: losses.triplet(p, [[1.0]], [[9.0]]), [[1.0]]) == [[0.0]]
    assert gradient(lambda p: losses.iou([[0.0] * 4], p), [[0.0] * 4]) == [[0.0] * 4]
    # A certain and right prediction, γ < 1: the power's infinite slope has a factor of 0.
    certain = losses.binary_focal_crossentropy([[1.0]], [[1.0]], gamma=0.5)
    assert certain.tolist() == [0.0]
    f = losses.categorical_focal_crossentropy
    assert gradient(lambda p: f([[1.0, 0.0]], p, gamma=0.5), [[1.0, 0.0]]) == [[0.0, 0.0]]
    # Small differences keep their digits.
    assert losses.log_cosh([[0.0]], [[1e-9]]).item() == pytest.approx(5e-19, rel=1e-6)


def test_labels_of_no_steps() -> None:
    empty = losses.ctc(np.zeros((2, 0), np.int64), ug.zeros((2, 0, 3)))
    assert empty.tolist() == [0.0, 0.0]
    assert losses.ctc([[1]], ug.zeros((1, 0, 3))).tolist() == [np.inf]
    assert losses.ctc(np.zeros((0, 2), np.int64), ug.zeros((0, 4, 3))).shape == (0,)


def test_nothing_counts() -> None:
    assert losses.mse(np.zeros((0, 3)), np.zeros((0, 3)), reduction="mean").item() == 0.0
    assert losses.mse(P, P, weights=0.0, reduction="mean").item() == 0.0


@pytest.mark.parametrize("name", ["torch", "tensorflow"])
def test_beside_another_current_backend(name: str) -> None:
    """Losses run where the predictions live, whatever the current backend is."""
    from unigrad.core.registry import load_backend

    load_backend("torch")
    with ug.use_backend(name):
        x = ug.asarray(np.zeros((1, 3, 4)))
    assert losses.ctc([[1, 2]], x, reduction="mean").backend.name == name
    boxes = losses.giou([[0.0, 0.0, 1.0, 1.0]], x[0, :1], weights=[1.0])
    assert boxes.backend.name == name


def test_under_vmap() -> None:
    x = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    spoken = np.array([[1, 2], [3, 3]])
    found = ug.vmap(lambda x: losses.ctc(spoken, x))(ug.asarray(x))
    expected = [losses.ctc(spoken, ug.asarray(one)).tolist() for one in x]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-13)
