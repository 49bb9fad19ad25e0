"""The short examples of transforms: the same on every backend, and right."""

from pathlib import Path

import numpy as np
import pytest

from unigrad.core.registry import load_backend

EXAMPLES = Path(__file__).parent.parent / "examples"
BACKENDS = ("numpy", "torch", "jax", "tensorflow")


@pytest.fixture(params=BACKENDS)
def flags(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    load_backend("torch")
    monkeypatch.syspath_prepend(EXAMPLES)
    return ["--backend", request.param]


def test_maml(flags: list[str]) -> None:
    import maml

    before, after = maml.main(flags)
    assert before == pytest.approx(0.52305, abs=1e-4)
    assert after == pytest.approx(0.48224, abs=1e-4)


def test_per_example_gradients(flags: list[str]) -> None:
    import per_example_gradients

    norms = per_example_gradients.main(flags)
    assert norms.shape == (64,)
    assert float(norms.max()) == pytest.approx(4.9140, abs=1e-3)


def test_gauss_newton(flags: list[str]) -> None:
    import gauss_newton

    found, history = gauss_newton.main(flags)
    np.testing.assert_allclose(found, [2.0, 0.7, 3.0], rtol=1e-9)
    assert history[4] < 1e-11 < history[3]


def test_implicit_differentiation(flags: list[str]) -> None:
    import implicit_differentiation

    slope, apart = implicit_differentiation.main(flags)
    assert slope == pytest.approx(0.5 / np.sqrt(2.0), rel=1e-12)
    np.testing.assert_allclose(apart, np.zeros((4, 4)), atol=1e-14)


def test_figures(flags: list[str], tmp_path: Path) -> None:
    import graph_figures

    rows = graph_figures.main([*flags, "--output", str(tmp_path), "--largest", "10"])
    assert [row[:2] for row in rows] == [(1, 1), (10, 1), (1, 10)]
    assert len(list(tmp_path.iterdir())) == 5


def test_neural_ode(flags: list[str]) -> None:
    import neural_ode

    first, last, apart = neural_ode.main([*flags, "--steps", "20"])
    assert first == pytest.approx(3.0002, abs=1e-4)
    assert last < 0.4 * first
    # Of the fourth order in the step, both are right.
    assert 0.0 < apart < 1e-5


@pytest.mark.parametrize("name", ["numpy", "torch", "tensorflow"])
def test_lecture_seq2seq(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # JAX compiles its step, which is written out, for half a minute; the library's own loops, with
    # which the example compares its losses and answers, are tested there.
    load_backend("torch")
    monkeypatch.syspath_prepend(EXAMPLES)
    import lecture_seq2seq

    losses, _ = lecture_seq2seq.main(["--backend", name, "--steps", "4", "--words", "2"])
    assert losses[-1] < losses[0]
