"""Layers in programs and transforms: their states, masks and caches."""

import copy
import pickle

import numpy as np
import pytest

import unigrad as ug
from unigrad import layers


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def close(mine, theirs, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(mine), np.asarray(theirs), rtol=tolerance, atol=tolerance)


def test_running_moments_in_a_program(backend):
    """A compiled step changes them as an eager one, and only in training."""
    x = drawn(6, 3, seed=1) + 1.0
    first, second = (layers.BatchNorm(momentum=0.7) for _ in range(2))
    step = ug.jit(lambda x: second(x, training=True))
    for _ in range(2):
        close(first(ug.asarray(x), training=True).numpy(), step(ug.asarray(x)).numpy())
    for one, other in zip(first.variables, second.variables, strict=True):
        close(one.numpy(), other.numpy())
    close(first.running_mean.numpy(), (1 - 0.7**2) * x.mean(0))
    before = second.state_dict()
    ug.jit(second)(ug.asarray(x))
    for name, one in second.state_dict().items():
        np.testing.assert_array_equal(one, before[name])


def test_recurrent_layers_in_a_program(backend):
    """As one loop: the same values, gradients and states, masks included."""
    x, mask = ug.asarray(drawn(2, 4, 3)), ug.asarray([[True] * 4, [True, True, False, False]])

    def twin():
        one = layers.Bidirectional(layers.LSTM(2, key=1))
        return layers.StackedRNN([one, layers.SimpleRNN(3, key=2)], return_state=True)

    def loss(layer, x, mask):
        out, (both, last) = layer(x, mask=mask)
        return ug.sum(ug.square(out)) + ug.sum(both[0][1] * both[1][0]) + ug.sum(last)

    layer = twin()
    layer(x)
    compiled, gradient = ug.jit(ug.value_and_grad(loss, argnums=1))(layer, x, mask)
    with ug.use_backend("numpy"):
        other, x, mask = twin(), ug.asarray(x.numpy()), ug.asarray(mask.numpy())
        value, wanted = ug.value_and_grad(loss, argnums=1)(other, x, mask)
        captured = str(ug.graph.capture(other)(x, mask=mask))
    close(value.numpy(), compiled.numpy())
    close(wanted.numpy(), gradient.numpy())
    assert captured.count("scan") == 3


def test_padding_does_not_count():
    """Whatever it is, in outputs, states and gradients."""
    mask = np.array([[True, True, False]])
    x = drawn(1, 3, 2)
    worse = np.where(mask[..., None], x, np.nan)
    for layer in (layers.LSTM(2, key=1, return_sequences=True), layers.SimpleRNN(2, key=1)):
        for given in (x, worse):
            layer.ensure_built(x.shape)
            gradient = ug.jit(ug.grad(lambda layer, x: ug.sum(layer(x, mask=ug.asarray(mask)))))
            found = gradient(layer, ug.asarray(given))
            grads = [one.numpy() for one in ug.tree.leaves(found)]
            if given is x:
                wanted = grads
        for one, other in zip(grads, wanted, strict=True):
            np.testing.assert_array_equal(one, other)


def test_states_carry_on():
    """Two halves, the second from the first one's state, are the whole."""
    x = ug.asarray(drawn(2, 6, 3))
    for make in (layers.SimpleRNN, layers.GRU, layers.LSTM):
        layer = make(4, return_sequences=True, return_state=True, key=3)
        whole, last = layer(x)
        first, state = layer(x[:, :2])
        second, after = layer(x[:, 2:], state)
        close(ug.concat([first, second], axis=1).numpy(), whole.numpy(), 1e-6)
        for one, other in zip(ug.tree.leaves(last), ug.tree.leaves(after), strict=True):
            close(one.numpy(), other.numpy(), 1e-6)


def test_backwards_is_forwards_of_the_turned():
    x = ug.asarray(drawn(2, 5, 3))
    layer = layers.LSTM(4, return_sequences=True, key=3)
    forwards = layer(ug.flip(x, axis=1))
    layer.go_backwards = True
    close(ug.flip(layer(x), axis=1).numpy(), forwards.numpy(), 1e-6)


@pytest.mark.parametrize("make", [layers.SimpleRNN, layers.GRU, layers.LSTM])
def test_dropout_of_steps(make):
    """The same elements in all steps; none outside of training; the expectation is kept."""
    x = ug.ones((1, 5, 400))
    layer = make(3, dropout=0.25, seed=1, key=1)
    close(layer(x).numpy(), layer(x).numpy(), 0)
    dropped = layer._dropped(x)
    close(dropped.numpy(), x.numpy(), 0)
    with layers.training_mode():
        dropped = layer._dropped(x).numpy()
    assert set(np.unique(dropped)) == {np.float32(0.0), np.float32(1 / 0.75)}
    assert (dropped == dropped[:, :1]).all()
    assert abs(dropped.mean() - 1.0) < 0.1
    wide = make(300, recurrent_dropout=0.5, seed=2, key=1)
    wide(x[:, :1, :2])
    with layers.training_mode():
        kept = wide._kept(ug.zeros((1, 300))).numpy()
    assert set(np.unique(kept)) == {0.0, 2.0}


@pytest.mark.parametrize("settings", [{"seed": 1}, {"key": 1}, {}])
def test_directions_drop_elements_of_their_own(settings):
    layer = layers.Bidirectional(layers.GRU(2, dropout=0.5, **settings))
    layer(ug.ones((1, 2, 3)))
    keys = [one.generator.key.tolist() for one in (layer.forward, layer.backward)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("reset_after", [True, False])
def test_recurrent_dropout_goes_before_the_product(reset_after):
    """With all kept once over, a step is the plain one; the carried part is never dropped."""
    cell = layers.GRUCell(3, reset_after=reset_after, key=1, bias_initializer="normal")
    x, state = ug.asarray(drawn(2, 4)), ug.asarray(drawn(2, 3))
    plain = cell(x, state)
    close(cell.step(cell.project(x), state, ug.ones((2, 3))).numpy(), plain.numpy(), 1e-6)
    cell.kernel.assign(cell.kernel.read() * 0.0)
    cell.recurrent_kernel.assign(cell.recurrent_kernel.read() * 0.0)
    cell.bias.assign(ug.concat([ug.zeros(3), ug.zeros(3) + 50.0, ug.zeros(3)]))
    close(cell.step(cell.project(x), state, ug.zeros((2, 3))).numpy(), state.numpy(), 1e-6)


def test_step_by_step_is_all_at_once(backend):
    """Cached decoding, as a loop in a program."""
    x = ug.asarray(drawn(2, 4, 8))
    memory = ug.asarray(drawn(2, 3, 8, seed=1))
    block = layers.TransformerDecoderBlock(2, 6)
    whole = ug.jit(block)(x, memory).numpy()
    step = ug.jit(lambda row, cache: block(row, memory, cache=cache))
    cache, found = block.cache(2, 4), []
    for i in range(4):
        out, cache = step(x[:, i : i + 1], cache)
        found.append(out)
    close(ug.concat(found, axis=1).numpy(), whole)
    assert int(cache["count"]) == 4


def test_rotary_cache_and_distances():
    attention = layers.MultiHeadAttention(2, use_rotary=True, key=1)
    x = ug.asarray(drawn(1, 5, 8))
    whole = attention(x, causal=True).numpy()
    cache = attention.cache(1, 5)
    first, cache = attention(x[:, :3], cache=cache)
    second, cache = attention(x[:, 3:], cache=cache)
    close(ug.concat([first, second], axis=1).numpy(), whole)
    q, k = ug.asarray(drawn(1, 6)), ug.asarray(drawn(1, 6, seed=1))
    near = ug.sum(layers.rotary(q, [2]) * layers.rotary(k, [5]))
    far = ug.sum(layers.rotary(q, [12]) * layers.rotary(k, [15]))
    close(near.numpy(), far.numpy())


def test_luong_scores():
    """Against the formulas, masks and gradients included."""
    query, memory = drawn(2, 3), drawn(2, 4, 5, seed=1)
    mask = np.array([[True, True, False, True], [True] * 4])
    for score, units in (("general", None), ("concat", 6)):
        layer = layers.LuongAttention(score, units, key=1)
        spoilt = np.where(mask[..., None], memory, np.inf)
        run = ug.jit(layer)
        context, weights = run(ug.asarray(query), ug.asarray(spoilt), mask=ug.asarray(mask))
        state = layer.state_dict()
        if score == "general":
            scores = np.einsum("bq,qm,btm->bt", query, state["kernel"], memory)
        else:
            hidden = query @ state["query_kernel"]
            hidden = np.tanh(hidden[:, None] + memory @ state["memory_kernel"])
            scores = (hidden @ state["vector"])[..., 0]
        scores = np.where(mask, np.exp(scores), 0.0)
        wanted = scores / scores.sum(-1, keepdims=True)
        close(weights.numpy(), wanted)
        close(context.numpy(), np.einsum("bt,btm->bm", wanted, memory))
        several, _ = run(ug.asarray(query[:, None]), ug.asarray(memory), mask=ug.asarray(mask))
        close(several[:, 0].numpy(), context.numpy())


def test_tied_weights():
    """Both uses of the table add to its gradient."""
    embedding = layers.Embedding(5, 3, padding=0, key=1)
    indices = ug.asarray([[1, 4, 0]])
    with ug.GradientTape() as tape:
        logits = embedding.attend(embedding(indices))
        loss = ug.sum(ug.square(logits))
    table = embedding.table.numpy()
    rows = table[[1, 4, 0]]
    by_logits = 2 * rows @ table.T
    wanted = by_logits.T @ rows
    np.add.at(wanted, [1, 4, 0], by_logits @ table)
    close(tape.gradient(loss, embedding.table).numpy(), wanted)
    assert embedding.mask(indices).tolist() == [[True, True, False]]
    with pytest.raises(ug.SettingError):
        layers.Embedding(5, 3).mask(indices)


# -- modules as pytrees


def model(seed=0):
    made = layers.Sequential(
        layers.Dense(4, activation="tanh", key=seed),
        layers.BatchNorm(),
        layers.Dense(2, key=seed + 9),
    )
    made(ug.ones((2, 3)))
    return made


def loss_of(model, x):
    return ug.sum(ug.square(model(x)))


def test_modules_are_differentiated(backend):
    module, x = model(), ug.asarray(drawn(5, 3))
    gradient = ug.jit(ug.grad(loss_of))(module, x)

    def by_tape(x):
        with ug.GradientTape() as tape:
            loss = loss_of(module, x)
        return tape.gradient(loss, module.trainable_variables)

    wanted = ug.jit(by_tape)(x)
    for one, other in zip(ug.tree.leaves(gradient), wanted, strict=True):
        close(one.numpy(), other.numpy())
    close(gradient.layers[0].kernel.numpy(), wanted[0].numpy())
    moved = ug.tree.map(lambda w, g: w.read() - 0.1 * g, module, gradient)
    again = ug.jit(loss_of)(moved, x)
    for variable, g in zip(module.trainable_variables, wanted, strict=True):
        variable.assign(variable.read() - 0.1 * g)
    close(again.numpy(), ug.jit(loss_of)(module, x).numpy())


def test_modules_in_batches(backend):
    many, x = [model(seed) for seed in range(3)], ug.asarray(drawn(5, 3))
    stacked = ug.tree.map(
        lambda *leaves: ug.stack([*leaves]), many[0], *map(as_first(many[0]), many[1:])
    )
    found = ug.vmap(lambda one, x: one(x), in_axes=(0, None))(stacked, x)
    close(found.numpy(), np.stack([one(x).numpy() for one in many]))


def as_first(origin):
    """Return a module's weights as a copy of another, which trees compare equal."""
    return lambda one: ug.tree.unflatten(ug.tree.structure(origin), ug.tree.leaves(one))


def test_modules_as_trees():
    module = model()
    leaves, structure = ug.tree.flatten(module)
    assert leaves == module.trainable_variables
    assert ug.tree.unflatten(structure, leaves) is module
    copied = ug.tree.map(lambda one: one.read() * 2.0, module)
    assert copied is not module
    assert copied.layers[1].running_mean is module.layers[1].running_mean
    assert ug.tree.structure(copied) == structure
    assert len(ug.tree.leaves([module, copied])) == 2 * len(leaves)
    parameters = ug.optimizers.Adam(0.1)
    state = parameters.init(module)
    after, state = parameters.update(copied, state, module)
    assert after.layers[0].kernel.shape == (3, 4)


def test_frozen_weights():
    module = model()
    count = len(module.trainable_variables)
    module.layers[0].freeze()
    assert len(module.trainable_variables) == count - 2
    assert len(ug.tree.leaves(ug.grad(loss_of)(module, ug.ones((2, 3))))) == count - 2
    module.freeze()
    assert not module.trainable_variables
    other = pickle.loads(pickle.dumps(copy.deepcopy(module)))
    for one in (module, other):
        one.unfreeze()
        assert len(one.trainable_variables) == count
        assert not one.layers[1].running_mean.trainable


def test_summary():
    text = model().summary(ug.ones((7, 3)))
    lines = text.splitlines()
    assert any(
        "layers/0" in line and "Dense" in line and "(7, 4)" in line and "16" in line
        for line in lines
    )
    assert any("layers/1" in line and "16" in line for line in lines)
    assert lines[-1].strip() == "42 in all, 34 of them trained"
    assert "(7, 2)" not in model().summary()


def test_bad_calls():
    """Errors name the layer and what was wrong."""
    for call, match in (
        (lambda: layers.Conv2D(2, 3)(ug.ones((1, 4, 3))), "has not 2 axes"),
        (lambda: layers.Conv1D(2, 3, groups=2)(ug.ones((1, 4, 3))), "2 groups"),
        (lambda: layers.MaxPool(5)(ug.ones((1, 4, 3))), "longer than"),
        (lambda: layers.LSTM(2)(ug.ones((4, 3))), "batch, time, inputs"),
        (lambda: layers.MultiHeadAttention(2)(ug.ones((1, 2))), "batch, steps"),
        (lambda: layers.MultiHeadAttention(3)(ug.ones((1, 2, 4))), "3 heads"),
        (lambda: layers.GroupNorm(2)(ug.ones((1, 2, 3))), "2 groups"),
        (lambda: layers.BatchNorm()(ug.ones((2, 3)), mask=ug.asarray([True]), training=1), "mask"),
        (lambda: layers.LuongAttention("cosine"), "cosine"),
        (lambda: layers.LSTM(2, dropout=1.0), "rate"),
        (lambda: layers.StackedRNN([]), "no layer"),
        (lambda: layers.LearnedPositions(2)(ug.ones((1, 3, 4))), "more than 2"),
        (lambda: ug.conv(ug.ones((1, 4, 2)), ug.ones((2, 2, 3)), padding="full"), "full"),
        (lambda: ug.conv(ug.ones((1, 4, 2)), ug.ones((2, 3, 3))), "fit"),
        (lambda: ug.conv(ug.ones((1, 4, 2)) + 1j, ug.ones((2, 2, 3))), "complex"),
        (lambda: ug.conv(ug.ones((1, 4, 2)), ug.ones((2, 2, 3)), strides=0), "strides"),
        (lambda: ug.conv(ug.ones((4, 2)), ug.ones((2, 2))), "one to three axes"),
    ):  # fmt: skip
        with pytest.raises(ug.UnigradError, match=match):
            call()
