"""Every layer that torch has, with torch's weights: outputs, gradients, and the state after a step.

The gradients and the stepped weights of torch come in unigrad's order by the conversion itself, of
a module that holds them.
"""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import unigrad as ug
from unigrad.layers import convert

RATE = 0.1


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def first(out):
    return out[0] if isinstance(out, tuple) else out


def unordered(module):
    """Give every weight values that are alike in no two places."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, one in module.named_parameters():
            one.copy_(torch.randn(one.shape) * 0.4 + ("norm" in name))
    return module.eval()


RECURRENT = {
    "rnn": lambda: nn.RNN(3, 4, batch_first=True),
    "rnn relu": lambda: nn.RNN(3, 4, batch_first=True, nonlinearity="relu", bias=False),
    "gru": lambda: nn.GRU(3, 4, batch_first=True),
    "lstm": lambda: nn.LSTM(3, 4, batch_first=True),
    "two grus": lambda: nn.GRU(3, 4, 2, batch_first=True, bidirectional=True),
    "two lstms": lambda: nn.LSTM(3, 4, 2, batch_first=True),
}
SIMPLE = {
    "linear": (lambda: nn.Linear(3, 4), (2, 3)),
    "layer norm": (lambda: nn.LayerNorm(4), (2, 4)),
    "layer norm of two": (lambda: nn.LayerNorm((3, 4)), (2, 3, 4)),
    "rms norm": (lambda: nn.RMSNorm(4), (2, 4)),
    "batch norm": (lambda: nn.BatchNorm2d(3), (2, 3, 4, 2)),
    "group norm": (lambda: nn.GroupNorm(2, 4), (2, 4, 3)),
    "conv 1": (lambda: nn.Conv1d(2, 4, 3, stride=2, padding=1), (2, 2, 6)),
    "conv 2": (lambda: nn.Conv2d(4, 6, (2, 3), dilation=(2, 1), groups=2), (2, 4, 5, 4)),
    "conv same": (lambda: nn.Conv2d(2, 2, 3, padding="same", bias=False), (1, 2, 3, 4)),
    "depthwise": (lambda: nn.Conv2d(2, 4, 2, groups=2), (1, 2, 3, 4)),
    "transposed 1": (lambda: nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, groups=2), (2, 4, 3)),
    "transposed 2": (lambda: nn.ConvTranspose2d(2, 3, 2, stride=2), (1, 2, 2, 3)),
    "max pool": (lambda: nn.MaxPool2d(3, 2, 1), (1, 2, 5, 4)),
    "average pool": (lambda: nn.AvgPool1d(3, 2, 1), (1, 2, 5)),
    "sequence": (lambda: nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2)), (2, 3)),
    "attention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), None),
    "attention to others": (
        lambda: nn.MultiheadAttention(4, 2, kdim=3, vdim=5, batch_first=True, bias=False), None,
    ),
    "encoder": (
        lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True), (2, 3, 4),
    ),
    "encoder norm first": (
        lambda: nn.TransformerEncoderLayer(
            4, 2, 6, 0.0, "gelu", batch_first=True, norm_first=True
        ),
        (2, 3, 4),
    ),
    "decoder": (lambda: nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True), None),
}  # fmt: skip


def compare(module, run, twin_run, *inputs, training=False):
    """Run both on the inputs; compare outputs, gradients by all, and weights after a step."""
    layer = convert.from_torch(module)
    module.train(training)
    given = [torch.tensor(one, requires_grad=one.dtype.kind == "f") for one in inputs]
    out = first(run(module, *given))
    weights = torch.tensor(drawn(*out.shape, seed=9))
    (out * weights).sum().backward()
    tensors = [ug.asarray(one) for one in inputs]
    named = {name: one for name, one in layer.named_variables().items() if one.trainable}

    def differentiated(*tensors):
        floats = [one for one in tensors if one.dtype.kind == "f"]
        with ug.GradientTape() as tape:
            tape.watch(floats)
            with ug.layers.training_mode(training):
                mine = first(twin_run(layer, *tensors))
            loss = ug.sum(mine * ug.asarray(weights.numpy()))
        return mine, *tape.gradient(loss, (list(named.values()), floats))

    # One program there, as one for each op costs more than all else.
    run = ug.jit(differentiated) if ug.get_backend() == "jax" else differentiated
    mine, found, by_inputs = run(*tensors)
    np.testing.assert_allclose(mine.numpy(), out.detach().numpy(), rtol=1e-5, atol=1e-5)
    wanted = [one.grad.numpy() for one in given if one.requires_grad]
    for mine, theirs in zip(by_inputs, wanted, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, rtol=1e-5, atol=1e-5)
    graded, stepped = copy.deepcopy(module), copy.deepcopy(module)
    with torch.no_grad():
        for one, own, further in zip(
            module.parameters(), graded.parameters(), stepped.parameters(), strict=True
        ):
            own.copy_(one.grad)
            further.sub_(RATE * one.grad)
    grads = convert.from_torch(graded).state_dict()
    for (name, variable), one in zip(named.items(), found, strict=True):
        np.testing.assert_allclose(one.numpy(), grads[name], rtol=1e-5, atol=2e-5, err_msg=name)
        variable.assign(variable.read() - RATE * one)
    after = convert.from_torch(stepped).state_dict()
    for name, one in layer.state_dict().items():
        np.testing.assert_allclose(one, after[name], rtol=1e-5, atol=1e-5, err_msg=name)


#: Cases that differ from others in settings, of which ops see nothing: they run on NumPy alone.
VARIANTS = {
    "linear", "layer norm of two", "conv same", "depthwise", "conv 1", "transposed 2", "sequence",
    "encoder", "encoder norm first", "rnn relu", "two lstms", "rnn", "batch norm", "average pool",
}  # fmt: skip


def cases(names):
    return [
        (backend, name)
        for name in names
        for backend in (("numpy",) if name in VARIANTS else ("numpy", "torch", "jax", "tensorflow"))
    ]


@pytest.mark.parametrize(
    ("backend", "name"),
    cases([name for name in SIMPLE if SIMPLE[name][1] is not None]),
    indirect=["backend"],
)
def test_simple(backend, name):
    make, shape = SIMPLE[name]
    compare(unordered(make()), lambda m, x: m(x), lambda m, x: m(x), drawn(*shape))


def test_batch_norm_in_training(backend):
    module = unordered(nn.BatchNorm1d(3, momentum=0.3))
    compare(module, lambda m, x: m(x), lambda m, x: m(x), drawn(4, 3, 5), training=True)


LENGTHS = [4, 2, 3]
MASK = np.arange(4) < np.array(LENGTHS)[:, None]


def packed(module, x):
    lengths = torch.tensor(LENGTHS)
    sequence = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
    return nn.utils.rnn.pad_packed_sequence(module(sequence)[0], batch_first=True)


@pytest.mark.parametrize(("backend", "name"), cases(RECURRENT), indirect=["backend"])
def test_recurrent(backend, name):
    """With masks, where torch packs its sequences."""
    module = unordered(RECURRENT[name]())
    compare(module, packed, lambda m, x: m(x, mask=ug.asarray(MASK)), drawn(3, 4, 3))


def test_first_states():
    module, x, h, c = (
        unordered(nn.LSTM(3, 4, batch_first=True)),
        drawn(2, 4, 3),
        drawn(2, 4),
        drawn(2, 4, seed=3),
    )
    compare(
        module,
        lambda m, x, h, c: m(x, (h[None], c[None])),
        lambda m, x, h, c: m(x, (h, c)),
        x, h, c,
    )  # fmt: skip
    last = convert.from_torch(module)(ug.asarray(x), (ug.asarray(h), ug.asarray(c)))[1]
    wanted = module(torch.tensor(x), (torch.tensor(h[None]), torch.tensor(c[None])))[1]
    for mine, theirs in zip(last, wanted, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs[0].detach().numpy(), atol=1e-5)


def test_cells():
    for make in (nn.RNNCell, nn.GRUCell):
        compare(
            unordered(make(3, 4)),
            lambda m, x, h: m(x, h),
            lambda m, x, h: m(x, h),
            drawn(2, 3),
            drawn(2, 4),
        )
    compare(
        unordered(nn.LSTMCell(3, 4)),
        lambda m, x, h, c: m(x, (h, c)),
        lambda m, x, h, c: m(x, (h, c)),
        drawn(2, 3), drawn(2, 4), drawn(2, 4, seed=2),
    )  # fmt: skip


def test_embedding():
    module = nn.Embedding(7, 3, padding_idx=0)
    module = unordered(module)
    compare(module, lambda m, i: m(i), lambda m, i: m(i), np.array([[1, 0, 6], [2, 2, 0]]))
    layer = convert.from_torch(module)
    assert layer.mask(ug.asarray([[1, 0]])).tolist() == [[True, False]]


PADDING = np.array([[True, True, False, True], [True, True, True, False]])
ALLOWED = np.array([[True, True, False, True], [False, True, True, True], [True] * 4])


def attended(module, q, k, v):
    return module(
        q, k, v, key_padding_mask=torch.tensor(~PADDING), attn_mask=torch.tensor(~ALLOWED)
    )


def attends(layer, q, k, v):
    return layer(q, k, v, key_mask=ug.asarray(PADDING), mask=ug.asarray(ALLOWED))


@pytest.mark.parametrize("sizes", [(4, 4), (3, 5)])
def test_attention(backend, sizes):
    make, _ = SIMPLE["attention" if sizes == (4, 4) else "attention to others"]
    keys, values = drawn(2, 4, sizes[0], seed=1), drawn(2, 4, sizes[1], seed=2)
    compare(unordered(make()), attended, attends, drawn(2, 3, 4), keys, values)


def test_transformers_with_masks(backend):
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    lost = np.array([[False, False, True], [False, False, False]])
    compare(
        unordered(SIMPLE["encoder"][0]()),
        lambda m, x: m(x, causal < 0, torch.tensor(lost)) * torch.tensor(~lost)[..., None],
        lambda m, x: m(x, key_mask=ug.asarray(~lost), causal=True) * ug.asarray(~lost)[..., None],
        drawn(2, 3, 4),
    )
    compare(
        unordered(SIMPLE["decoder"][0]()),
        lambda m, x, y: m(x, y, causal, memory_key_padding_mask=torch.tensor(~PADDING)),
        lambda m, x, y: m(x, y, memory_mask=ug.asarray(PADDING)),
        drawn(2, 3, 4), drawn(2, 4, 4, seed=4),
    )  # fmt: skip


@pytest.mark.parametrize("name", [*SIMPLE, *RECURRENT])
def test_there_and_back(name):
    """What is made of a layer again is the module it came from."""
    module = unordered(RECURRENT[name]() if name in RECURRENT else SIMPLE[name][0]())
    try:
        back = convert.to_torch(convert.from_torch(module))
    except ug.DTypeError:
        assert "pool" in name  # They have no weights to bring back.
        return
    mine, theirs = back.state_dict(), module.state_dict()
    assert list(mine) == list(theirs)
    for key in mine:
        torch.testing.assert_close(mine[key], theirs[key])


def test_other_dtypes_and_refusals():
    layer = convert.from_torch(nn.Linear(2, 3).double())
    assert layer.kernel.dtype == ug.float64
    with pytest.raises(ug.DTypeError, match="padding_mode"):
        convert.from_torch(nn.Conv1d(1, 1, 2, padding=1, padding_mode="reflect"))
    with pytest.raises(ug.DTypeError, match="Bilinear"):
        convert.from_torch(nn.Bilinear(1, 1, 1))
    gru = ug.layers.GRU(2, reset_after=False)
    gru(ug.ones((1, 2, 3)))
    with pytest.raises(ug.DTypeError, match="reset_after"):
        convert.to_torch(gru)
