"""What changes between two fits, and copies: each `Trainer` trains its own model, as it is then."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.training import AverageWeights, ClipGradients, Trainer

_X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
_Y = _X.sum(1, keepdims=True)


def _loss(model: Any, batch: Any) -> Any:
    return ug.astype(((model(batch["x"]) - batch["y"]) ** 2).mean(), "float32")


def _data() -> ug.data.Dataset:
    return ug.data.dataset({"x": _X, "y": _Y}).batch(10)


def _model() -> ug.layers.Sequential:
    ug.layers.set_seed(0)
    model = ug.layers.Sequential(ug.layers.Dense(4, activation="tanh"), ug.layers.Dense(1))
    model(ug.asarray(_X))
    return model


def _moved(model: Any, before: dict[str, Any]) -> list[str]:
    return [name for name, one in model.state_dict().items() if (one != before[name]).any()]


@pytest.mark.parametrize("compiles", [True, False])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_trains_and_evaluates_its_own_model(duplicate: Any, compiles: bool) -> None:
    trainer = Trainer(_model(), _loss, ug.optimizers.Adam(0.05), jit=compiles)
    trainer.fit(_data(), epochs=1)
    trainer.evaluate(_data())
    trainer.predict(_data().map(lambda batch: batch["x"]))
    other = duplicate(trainer)
    kept = trainer.model.state_dict()
    other.fit(_data(), epochs=3)
    assert not _moved(trainer.model, kept)
    assert other.evaluate(_data())["loss"] < trainer.evaluate(_data())["loss"]
    trainer.fit(_data(), epochs=3)
    assert not _moved(trainer.model, other.model.state_dict())


def test_a_copy_has_its_own_averages() -> None:
    trainer = Trainer(_model(), _loss, ug.optimizers.SGD(0.05), callbacks=[AverageWeights(0.5)])
    trainer.fit(_data(), epochs=1)
    other = copy.deepcopy(trainer)
    before = trainer.evaluate(_data())["loss"]
    assert other.evaluate(_data())["loss"] == before
    other.fit(_data(), epochs=4)
    assert other.evaluate(_data())["loss"] < before == trainer.evaluate(_data())["loss"]


@pytest.mark.parametrize("by", ["global_norm", "norm", "value"])
def test_an_overflow_is_left_out_however_gradients_are_clipped(backend: str, by: str) -> None:
    # The slopes of the scaled loss do not fit into float16.
    y = _X @ np.float32([[1], [2], [3]]) + 1
    data = ug.data.dataset({"x": _X, "y": y}).batch(10)
    model = _model()
    before = model.state_dict()
    trainer = Trainer(
        model, _loss, ug.optimizers.SGD(0.01), precision="float16",
        callbacks=[ClipGradients(1.0, by)],
    )  # fmt: skip
    trainer.fit(data, steps=1)
    assert trainer.precision is not None
    assert trainer.precision.scale == 2.0**14
    assert not _moved(model, before)


@pytest.mark.parametrize("compiles", [True, False])
@pytest.mark.parametrize("average", [True, False])
def test_what_is_trainable_is_trained(backend: str, compiles: bool, average: bool) -> None:
    model = _model()
    first = [f"layers/0/{name}" for name in ("kernel", "bias")]
    last = [f"layers/1/{name}" for name in ("kernel", "bias")]
    model.layers[0].freeze()
    trainer = Trainer(
        model, _loss, ug.optimizers.Adam(0.05), jit=compiles,
        callbacks=[AverageWeights(0.5)] * average,
    )  # fmt: skip
    for trained, change in (
        (last, lambda: model.layers[0].unfreeze()),
        (first + last, lambda: model.layers[1].freeze()),
        (first, lambda: None),
    ):
        before = model.state_dict()
        trainer.fit(_data(), epochs=trainer.epoch + 1)
        assert _moved(model, before) == trained
        change()
        trainer.evaluate(_data())


def test_layers_are_frozen_before_they_are_built() -> None:
    layers = ug.layers
    model = layers.Sequential(layers.Dense(4), layers.Bidirectional(layers.GRU(3)), layers.Dense(1))
    model.freeze()
    model.layers[2].unfreeze()
    model(ug.ones((2, 5, 3)))
    assert model.trainable_variables == model.layers[2].trainable_variables != []
    model.unfreeze()
    assert len(model.trainable_variables) == len(model.variables)


def test_a_value_that_some_batches_have_is_a_mean_of_those() -> None:
    calls: list[int] = []

    def loss(model: Any, batch: Any) -> Any:
        calls.append(1)
        return _loss(model, batch), {"one": 1.0} if len(calls) % 2 else {}

    history = Trainer(_model(), loss, ug.optimizers.SGD(0.1), jit=False).fit(_data(), epochs=1)
    assert history.epochs[0]["one"] == 1.0


def test_a_history_stays_as_it_was() -> None:
    trainer = Trainer(_model(), _loss, ug.optimizers.SGD(0.1))
    first = trainer.fit(_data(), epochs=1)
    second = trainer.fit(_data(), epochs=3)
    assert (len(first.epochs), len(second.epochs)) == (1, 3)


def test_other_batches_in_the_middle_of_an_epoch_are_refused(tmp_path: Path) -> None:
    def trainer() -> Trainer:
        return Trainer(_model(), _loss, ug.optimizers.SGD(0.1), folder=tmp_path)

    rows = ug.data.dataset({"x": _X, "y": _Y})
    trainer().fit(rows.batch(10), steps=2)
    with pytest.raises(ug.io.CheckpointError, match="an epoch of 4 batches, the data has 8"):
        trainer().fit(rows.batch(5), epochs=2, resume=True)
    trainer().fit(rows.batch(10), epochs=1, resume=True)
    assert len(trainer().fit(rows.batch(5), epochs=2, resume=True).losses) == 8
