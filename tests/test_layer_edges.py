"""Layers at their edges: random state that is saved, paths that collide, inputs that do not fit."""

from pathlib import Path

import numpy as np
import pytest

import unigrad as ug
from unigrad import io, layers


def test_dropout_goes_on_after_a_restore(backend: str, tmp_path: Path) -> None:
    def made(seed: int) -> tuple[layers.Dropout, ug.random.Generator, io.Checkpoint]:
        drop, generator = layers.Dropout(0.5, seed=seed), ug.random.Generator(seed)
        drop(ug.ones((64,)))
        return drop, generator, io.Checkpoint(drop=drop, generator=generator, step=0)

    x = ug.ones((64,))
    drop, generator, checkpoint = made(3)
    for _ in range(3):
        drop(x, training=True)
        generator.uniform()
    path = checkpoint.save(tmp_path, 3)
    expected = drop(x, training=True).tolist(), generator.uniform((3,)).tolist()
    drop, generator, checkpoint = made(4)
    checkpoint.restore(path)
    assert (drop(x, training=True).tolist(), generator.uniform((3,)).tolist()) == expected


def test_a_modules_generators_are_its_own() -> None:
    model = layers.Sequential(layers.Dropout(0.5), layers.Dropout(0.5))
    model(ug.ones((3,)))
    assert list(model.named_variables()) == ["layers/0/generator/key", "layers/1/generator/key"]
    assert list(model.state_dict()) == list(model.named_variables())
    assert model.trainable_variables == []


@pytest.mark.parametrize("keys", [(1, "1"), ("b/c", "b")])
def test_variables_of_one_path(keys: tuple[object, object]) -> None:
    first, second = ug.Variable(1.0), ug.Variable(2.0)
    model = layers.Module()
    model.parts = {keys[0]: first, keys[1]: {"c": second} if keys[1] == "b" else second}
    assert model.variables == [first, second]
    assert model.trainable_variables == [first, second]
    with pytest.raises(ug.UnigradError, match="two variables have the path 'parts/"):
        model.state_dict()


def test_one_variable_at_two_places_has_one_path() -> None:
    one = ug.Variable(1.0)
    model = layers.Module()
    model.first = model.second = one
    assert model.named_variables() == {"first": one}


@pytest.mark.parametrize("indices", [[-1], [[0, -5]], np.array([3, -2])])
def test_embedding_of_a_negative_integer(backend: str, indices: object) -> None:
    layer = layers.Embedding(5, 2)
    with pytest.raises(ug.OutOfBoundsError):
        layer(indices)
    with pytest.raises(ug.OutOfBoundsError):
        layer(ug.asarray(indices))
    assert layer(np.zeros((0, 2), np.int64)).shape == (0, 2, 2)


def test_a_sequence_without_steps(backend: str) -> None:
    with pytest.raises(ug.ShapeError, match="no step"):
        layers.GRU(3)(ug.zeros((2, 0, 3)))
    with pytest.raises(ug.ShapeError, match="no step"):
        layers.Bidirectional(layers.GRU(3))(ug.zeros((2, 0, 3)))


def test_a_given_key_decides_both_directions() -> None:
    def state(key: object) -> dict[str, np.ndarray]:
        layer = layers.Bidirectional(layers.GRU(4, key=key))
        layer(ug.ones((1, 2, 3)))
        return layer.state_dict()

    first, again, other = state(5), state(np.int64(5)), state(6)
    for path, value in first.items():
        np.testing.assert_array_equal(value, again[path])
    for path in ("forward/kernel", "backward/kernel"):
        assert not np.array_equal(first[path], other[path])
    assert not np.array_equal(first["forward/kernel"], first["backward/kernel"])
