"""A user's program for `test_types.py`: type-checked, never run.

A line that is wrong says by what code of mypy's; all others are right.
"""

from typing import assert_type

import numpy as np

import unigrad as ug

x = ug.asarray([[1.0, 2.0], [3.0, 4.0]])

# Methods, operators and properties are known, and give tensors.
assert_type(x.sum(), ug.Tensor)
assert_type(x.max(0, keepdims=True), ug.Tensor)
assert_type(x.std(axis=1, ddof=1), ug.Tensor)
assert_type(x.reshape(-1), ug.Tensor)
assert_type(x.reshape((4, 1)), ug.Tensor)
assert_type(x.nonzero(), tuple[ug.Tensor, ...])
assert_type(x.astype(ug.float64), ug.Tensor)
assert_type(x.T @ x + 1, ug.Tensor)
assert_type(2 - x, ug.Tensor)
assert_type(x == 0, ug.Tensor)
assert_type(x[0], ug.Tensor)
assert_type(x.at[0, 1].add(10.0), ug.Tensor)
assert_type(list(x), list[ug.Tensor])
assert_type(x.mT.shape, tuple[int, ...])
assert_type(float(x.sum()), float)
x[0] = 3.0
np.testing.assert_array_equal(x, x.numpy())

nonsense = x.nonsense(3)  # error: attr-defined
total: int = x.sum()  # error: assignment
x.sum(axis="rows")  # error: arg-type
x.max(dtype=ug.float64)  # error: call-arg
x.swapaxes(0)  # error: call-arg
x.at[0].subtract(1.0)  # error: attr-defined

# A variable reads like a tensor.
scale = ug.Variable(1.0)
assert_type(scale * x, ug.Tensor)
assert_type(scale.sum(), ug.Tensor)
assert_type(scale.assign_add(1.0), ug.Variable)
whole: int = scale.sum()  # error: assignment
scale.nonsense(3)  # error: attr-defined

# A training step and a module.
model = ug.layers.Sequential(ug.layers.Dense(8, activation="relu"), ug.layers.Dense(3))
optimizer = ug.optimizers.Adam(1e-2)
images = ug.random.normal(ug.random.key(0), (32, 4))
labels = ug.random.randint(ug.random.key(1), (32,), 0, 3)


@ug.jit
def train_step(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
    with ug.GradientTape() as tape:
        loss = ug.losses.sparse_categorical_crossentropy(y, model(x), from_logits=True).mean()
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


assert_type(train_step(images, labels), ug.Tensor)
assert_type(train_step.programs, int)
train_step(images)  # error: call-arg


class Scale(ug.layers.Module):
    def build(self, input_shape: tuple[int, ...]) -> None:
        self.factor = self.add_weight("factor", input_shape[-1:], "ones")

    def call(self, x: ug.Tensor) -> ug.Tensor:
        return x * self.factor


# A checkpoint's parts are its attributes.
checkpoint = ug.io.Checkpoint(keep=2, model=model, optimizer=optimizer, step=0)
checkpoint.step += 1
