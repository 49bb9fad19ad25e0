"""The training step of the documentation: model, loss, tape and optimizer, eager and compiled."""

import numpy as np

import unigrad as ug
from unigrad import layers


def test_training_step_in_jit_agrees_with_eager(backend):
    generator = np.random.default_rng(5)
    x, y = generator.normal(size=(8, 5)).astype(np.float32), generator.integers(0, 3, 8)

    def run(compiled):
        layers.set_seed(4)
        model = layers.Sequential(layers.Dense(6, activation="relu"), layers.Dense(3))
        optimizer = ug.optimizers.Adam(0.05)

        def train_step(x, y):
            with ug.GradientTape() as tape:
                loss = ug.losses.sparse_categorical_crossentropy(
                    y, model(x), from_logits=True
                ).mean()
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables))
            return loss

        step = ug.jit(train_step) if compiled else train_step
        return [step(ug.asarray(x), ug.asarray(y)).item() for _ in range(4)]

    eager = run(compiled=False)
    assert eager[-1] < 0.9 * eager[0]
    np.testing.assert_allclose(run(compiled=True), eager, rtol=2e-5)
