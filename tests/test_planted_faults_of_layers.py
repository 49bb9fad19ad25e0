"""Faults planted into layers, conversions and convolutions must be caught, and where."""

import numpy as np
import pytest
import test_layers_beside_keras as beside_keras
import test_layers_beside_torch as beside_torch
import test_layers_composed as composed

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.layers import multihead, normalization, sequences, transformer
from unigrad.layers.multihead import MultiHeadAttention
from unigrad.ops import recurrent
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.masked_layers import MASKED_LAYERS
from unigrad_conformance.running import try_op


@pytest.fixture(autouse=True)
def on_numpy():
    with ug.use_backend("numpy"):
        yield


def another_order(honest):
    def split(x, count, axis=-1):
        parts = honest(x, count, axis=axis)
        return (parts[1], parts[0], *parts[2:])

    return split


def without_second_bias(self, x):
    return sequences.linear(x, self.kernel, self.bias)


def faults(patch):
    """Plant, and return what must fail then."""
    of = beside_torch.test_recurrent
    yield (recurrent, "split", another_order(recurrent.split)), lambda: of(None, "lstm")
    yield (sequences.RecurrentCell, "project", without_second_bias), lambda: of(None, "lstm")
    yield (
        (sequences, "checked_sequence", lambda name, x, mask: (x, None)),
        lambda: of(None, "gru"),
    )
    yield (
        (MultiHeadAttention, "_masks", lambda *_: []),
        lambda: beside_torch.test_attention(None, (4, 4)),
    )
    follow = normalization.BatchNorm._follow
    yield (
        (normalization.BatchNorm, "_follow", lambda self, v, x, n: follow(self, v, x * 1.01, n)),
        lambda: beside_torch.test_batch_norm_in_training(None),
    )
    yield (
        (normalization.BatchNorm, "_follow", lambda *_: None),
        lambda: composed.test_running_moments_in_a_program(None),
    )
    from unigrad_tensorflow.conversion import recurrent as of_keras

    yield (
        (of_keras, "_ordered", lambda kind, weight: weight),
        lambda: beside_keras.test_recurrent(None, "gru"),
    )
    from unigrad_torch.conversion import modules

    yield (
        (modules, "_kernel", lambda w: np.swapaxes(honest_kernel(w), -1, -2)),
        lambda: beside_torch.test_simple(None, "conv same"),
    )


def honest_kernel(weight):
    return np.moveaxis(weight.detach().numpy(), (0, 1), (-1, -2))


def test_faults_of_layers(monkeypatch):
    for (target, name, value), check in faults(monkeypatch):
        check()
        with monkeypatch.context() as patch:
            patch.setattr(target, name, value)
            with pytest.raises((AssertionError, ug.UnigradError, ug.GradientWarning)):
                check()


def test_faults_of_masks_and_caches(monkeypatch):
    """Padding that is taken as it is, moments that follow nothing, caches that take all steps."""
    follow = normalization.BatchNorm._follow
    every = lambda real, x, other: x  # noqa: E731
    always = lambda self, v, x, n: follow(self, v, x, 1.0)  # noqa: E731
    planted = [
        (normalization, "where", every, "padding, BatchNorm"),
        (normalization.BatchNorm, "_follow", always, "BatchNorm of nothing"),
        (
            transformer._Block,
            "_real",
            lambda self, x, *_: x,
            "padding, TransformerEncoderBlock, norm first: True",
        ),
        (multihead, "visible", lambda x: np.asarray(0), "attention with a cache that is full"),
        (
            multihead,
            "real_steps",
            lambda name, x, *_: np.ones((*x.shape[:2], 1), bool),
            "attention with a mask and a cache",
        ),
    ]
    for target, name, value, check in planted:
        MASKED_LAYERS[check]()
        with monkeypatch.context() as patch, np.errstate(all="ignore"):
            patch.setattr(target, name, value)
            with pytest.raises((AssertionError, ug.UnigradError)):
                MASKED_LAYERS[check]()


def findings(op):
    ledger = Ledger("numpy")
    try_op(op, ledger)
    return {one.check for one in ledger.findings}


def test_faults_of_convolutions(monkeypatch):
    """A kernel turned round, a derivative of another stride, and a maximum that skips padding."""
    backend = load_backend("numpy")
    honest = OPS["convolution"].kernels[backend]
    with monkeypatch.context() as patch:
        turned = lambda x, w, **rest: honest(x, w[::-1], **rest)  # noqa: E731
        patch.setitem(OPS["convolution"].kernels, backend, turned)
        assert "values float64" in findings("depthwise_conv")
    spread = OPS["convolution_input"].kernels[backend]
    with monkeypatch.context() as patch:
        scaled = lambda g, w, **rest: spread(g, w, **rest) * 1.001  # noqa: E731
        patch.setitem(OPS["convolution_input"].kernels, backend, scaled)
        assert any("gradients" in one for one in findings("depthwise_conv"))
