"""Trainer: the same losses as a loop by hand, and everything that may go wrong on the way."""

import threading
from itertools import pairwise

import numpy as np
import pytest

import unigrad as ug
from unigrad import training

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
Y = (X[:, :1] * 2 - X[:, 1:] + 0.5).astype(np.float32)


def data_of(size=4):
    return ug.data.dataset((X, Y)).shuffle(2).batch(size)


def squared(model, batch):
    x, y = batch
    return ((model(x) - y) ** 2).mean()


def trainer_of(loss=squared, optimizer=None, units=1, **settings):
    ug.layers.set_seed(1)
    return training.Trainer(
        ug.layers.Dense(units), loss, optimizer or ug.optimizers.Adam(0.05), **settings
    )


# -- what it computes


@pytest.mark.parametrize("jit", [True, False])
def test_the_losses_of_a_loop_by_hand(backend, jit):
    ug.layers.set_seed(1)
    model, optimizer, expected = ug.layers.Dense(1), ug.optimizers.Adam(0.05), []
    model.ensure_built((4, 2))
    for x, y in data_of().stream(3):
        with ug.GradientTape() as tape:
            loss = ((model(ug.asarray(x)) - y) ** 2).mean()
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        expected.append(float(loss))
    trainer = trainer_of(jit=jit)
    history = trainer.fit(data_of(), epochs=3)
    np.testing.assert_allclose(history.losses, expected, rtol=2e-5)
    assert (trainer.step, trainer.epoch, trainer.position) == (9, 3, 0)
    assert [one["loss"] for one in history.epochs] == pytest.approx(
        [np.mean(expected[i : i + 3]) for i in (0, 3, 6)], rel=1e-5
    )


def test_epochs_and_steps_are_those_of_all_calls():
    whole = trainer_of().fit(data_of(), epochs=4).losses
    trainer = trainer_of()
    first = trainer.fit(data_of(), steps=5)
    second = trainer.fit(data_of(), epochs=3)
    third = trainer.fit(data_of(), epochs=4, steps=11)
    assert (first.first, second.first, third.first) == (0, 5, 9)
    assert first.losses + second.losses + third.losses == whole[:11]
    assert trainer.fit(data_of(), epochs=3).losses == []
    assert trainer_of().fit(data_of()).losses == whole[:3]
    assert trainer_of().fit(data_of(), steps=0).losses == []
    assert trainer_of().fit(iter(list(data_of())), steps=3).losses == whole[:3]


def test_means_are_weighted_and_metrics_see_everything(backend):
    labels = np.array([0, 1, 0, 0, 1])
    logits = np.array([[2.0, 1], [0, 1], [0, 1], [3, 0], [1, 0]], np.float32)
    data = ug.data.dataset({"logits": logits, "labels": labels}).batch(2)

    def loss(model, batch):
        value = model(batch["logits"])
        first = value[:, 0].mean()
        return first, {"accuracy": (batch["labels"], value), "largest": value.max()}

    ug.layers.set_seed(0)
    model = ug.layers.Dense(2, kernel_initializer="identity", use_bias=False)
    trainer = training.Trainer(
        model, loss, ug.optimizers.SGD(0.0),
        metrics={"accuracy": ug.metrics.SparseCategoricalAccuracy()},
    )  # fmt: skip
    history = trainer.fit(data, epochs=2, validation=data)
    expected = {"loss": 1.2, "largest": (2 * 2 + 2 * 3 + 1) / 5, "accuracy": 0.6}
    for logs in history.epochs:
        for name, value in expected.items():
            assert logs[name] == pytest.approx(value, rel=1e-6)
            assert logs[f"val_{name}"] == pytest.approx(value, rel=1e-6)
    assert trainer.evaluate(data) == pytest.approx(expected, rel=1e-6)

    def weighing(model, batch):
        return loss(model, batch)[0], {"weight": batch["labels"].sum() + 1}

    given = training.Trainer(model, weighing, ug.optimizers.SGD(0.0)).evaluate(data)
    assert given == {"loss": pytest.approx((2 * 1.0 + 1 * 1.5 + 2 * 1.0) / 5)}


def test_predictions_are_put_together(backend):
    trainer = trainer_of(units=3)
    parts = trainer.predict(data_of(5))
    assert parts.shape == (12, 3)
    order = np.concatenate([x for x, _ in data_of(5)])
    np.testing.assert_allclose(parts, trainer.model(ug.asarray(order)).numpy(), rtol=1e-6)
    both = trainer.predict(data_of(5), lambda model, batch: {"x": batch[0], "y": model(batch[0])})
    np.testing.assert_array_equal(both["x"], order)
    with pytest.raises(ug.ShapeError, match="no batch"):
        trainer.predict([])


def test_dropout_is_on_in_training_alone():
    modes = []

    def loss(model, batch):
        modes.append(ug.layers.training.is_training())
        return squared(model, batch)

    trainer = trainer_of(loss, jit=False)
    trainer.model.ensure_built((4, 2))
    trainer.fit(data_of(), validation=data_of(12))
    assert modes == [True, True, True, False]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mixed_precision(backend, dtype):
    seen = []

    def loss(model, batch):
        x, y = batch
        out = model(x)
        seen.append((out.dtype.name, y.dtype.name))
        return ((out - y) ** 2).mean()

    trainer = trainer_of(loss, precision=dtype)
    history = trainer.fit(data_of(12), epochs=30)
    wide = trainer_of(jit=False).fit(data_of(12), epochs=5)
    assert set(seen[-1:]) == {(dtype, dtype)}
    assert trainer.model.kernel.dtype.name == "float32"
    np.testing.assert_allclose(history.losses[:5], wide.losses, rtol=0.05)
    assert history.losses[-1] < 0.5 * history.losses[0]
    assert trainer.precision.scale == (2.0**15 if dtype == "float16" else 1.0)


def test_mixed_precision_of_a_decoder_with_attention():
    tokens = np.random.default_rng(0).integers(3, 9, (16, 5))
    target = np.pad(np.pad(tokens, [(0, 0), (1, 0)], constant_values=1), [(0, 0), (0, 1)])

    def losses(precision):
        ug.layers.set_seed(0)
        model = ug.seq2seq.Seq2Seq(
            9, 9, embedding_size=4, encoder_units=4, decoder_units=4, attention_units=4
        )
        trainer = training.Trainer(
            model, lambda model, batch: model.loss(*batch), ug.optimizers.Adam(0.01),
            precision=precision, jit=False,
        )  # fmt: skip
        return trainer.fit(ug.data.dataset((tokens, target)).batch(8), epochs=3).losses

    np.testing.assert_allclose(losses("float16"), losses(None), rtol=5e-3)


def test_a_scale_that_overflows_is_lowered_and_grows_again(backend):
    precision = training.MixedPrecision("float16", scale=2.0**24, growth_every=4)
    trainer = trainer_of(precision=precision)
    trainer.model.ensure_built((4, 2))
    before = trainer.model.kernel.numpy()
    scales = []

    class Look(training.Callback):
        def on_step(self, trainer, logs):
            scales.append(precision.scale)
            if len(scales) == 1:
                np.testing.assert_array_equal(trainer.model.kernel.numpy(), before)

    trainer.callbacks.append(Look())
    losses = trainer.fit(data_of(12), epochs=30).losses
    assert scales[0] == 2.0**23
    assert min(scales) < 2.0**18
    assert any(after == 2 * earlier for earlier, after in pairwise(scales))
    assert losses[-1] < losses[0]


# -- what is refused


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: training.Trainer(3, squared, ug.optimizers.SGD(0.1)), "int is no model"),
        (lambda: trainer_of(loss="mse"), "function of model and batch"),
        (lambda: trainer_of(optimizer="adam"), "expected an optimizer"),
        (lambda: trainer_of(callbacks=[training.Progress]), "objects, not classes"),
        (lambda: trainer_of(precision="float64"), "expected float16 or bfloat16"),
        (lambda: training.MixedPrecision(scale=0.0), "positive"),
        (lambda: trainer_of().fit((X, Y)), "rows, not batches"),
        (lambda: trainer_of().fit(ug.data.dataset((X, Y)).shuffle(0)), "rows, not batches"),
        (lambda: trainer_of().fit(ug.data.dataset((X, Y)).map(lambda row: row)), "rows, not"),
        (lambda: trainer_of().fit(data_of(), epochs=-1), "epochs=-1"),
        (lambda: trainer_of().fit(data_of(), steps=1.5), "steps=1.5"),
        (lambda: trainer_of().fit(data_of(), save_every=0), "save_every=0"),
        (lambda: trainer_of().fit(data_of(), resume=True), "no folder to go on in"),
        (lambda: trainer_of(lambda m, b: (squared(m, b), 3)).fit(data_of()), "dict of numbers"),
        (
            lambda: trainer_of(metrics={"a": ug.metrics.Mean()}).fit(data_of()),
            "nothing for the metric 'a'",
        ),
    ],
)
def test_settings_that_make_no_sense(make, message):
    with pytest.raises(ug.SettingError, match=message):
        make()


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (lambda model, batch: model(batch[0]), ug.ShapeError, "take its mean"),
        (lambda model, batch: ug.asarray(3), ug.DTypeError, "int64"),
        (lambda model, batch: model(batch[0]).mean() * 0 + 1, None, ""),
    ],
)
def test_losses_that_are_none(backend, loss, error, message):
    if error is None:
        assert trainer_of(loss).fit(data_of()).losses == [1.0] * 3
        return
    with pytest.raises(error, match=message):
        trainer_of(loss).fit(data_of())


def test_data_without_batches():
    with pytest.raises(ug.ShapeError, match="no batch"):
        trainer_of().fit([])
    with pytest.raises(ug.ShapeError, match="no batch"):
        trainer_of().evaluate([])


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ug.SettingError, match="is no folder to write to"):
        trainer_of(folder=tmp_path / "file").fit(data_of())
    assert (tmp_path / "file").read_text() == "mine"


def test_errors_in_the_data_end_the_thread():
    def broken(epoch):
        yield (X[:4], Y[:4])
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        trainer_of().fit(ug.data.dataset(broken).prefetch())
    assert not any(one.name == "unigrad.data.prefetch" for one in threading.enumerate())
