"""The grapheme-to-phoneme model in plain eager torch: the native side of our comparisons.

What: a bidirectional GRU encoder (Cho et al. 2014, reset gate after the recurrent product), a
decoder GRU with additive attention (Bahdanau et al. 2015), mean cross-entropy over the targets
that are not padding, and Adam (Kingma & Ba 2015, epsilon outside the root). Why: written from
the equations on bare tensors, without ``torch.nn`` layers, so that it states the same arithmetic
as its JAX twin and the unigrad model. Layout and gate order come from `weights`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .weights import END, GATE_ORDER, PADDING, START, Batch, Weights, initial_weights

__all__ = [
    "GATE_ORDER",
    "beam",
    "greedy",
    "initial_weights",
    "losses",
    "train",
    "value_and_gradients",
]

Parameters = dict[str, Tensor]


def gates(projected: Tensor) -> dict[str, Tensor]:
    """Split a projection's last axis into its named gates."""
    return dict(zip(GATE_ORDER, projected.chunk(len(GATE_ORDER), dim=-1), strict=True))


def gru_step(parameters: Parameters, prefix: str, projected: Tensor, state: Tensor) -> Tensor:
    """One GRU step from an input already multiplied by the kernel, input bias included."""
    recurrent = torch.addmm(
        parameters[f"{prefix}/recurrent_bias"], state, parameters[f"{prefix}/recurrent_kernel"]
    )
    x, h = gates(projected), gates(recurrent)
    reset = torch.sigmoid(x["reset"] + h["reset"])
    update = torch.sigmoid(x["update"] + h["update"])
    new = torch.tanh(x["new"] + reset * h["new"])
    return (1 - update) * new + update * state


def run_direction(
    parameters: Parameters, prefix: str, embedded: Tensor, mask: Tensor, backward: bool
) -> tuple[Tensor, Tensor]:
    """Outputs [B,S,u] (zero at padding) and final state [B,u] of one encoder direction."""
    projected = embedded @ parameters[f"{prefix}/kernel"] + parameters[f"{prefix}/bias"]
    batch, length = mask.shape
    units = parameters[f"{prefix}/recurrent_kernel"].shape[0]
    state = embedded.new_zeros(batch, units)
    states: list[Tensor] = [state] * length
    for t in reversed(range(length)) if backward else range(length):
        proposed = gru_step(parameters, prefix, projected[:, t], state)
        state = torch.where(mask[:, t, None], proposed, state)
        states[t] = state
    outputs = torch.stack(states, dim=1)
    return outputs * mask[:, :, None], state


def encode(parameters: Parameters, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Memory [B,S,512], letter mask [B,S] and the decoder's initial state [B,256]."""
    mask = source != PADDING
    embedded = parameters["encoder/embedding"][source]
    forward, last = run_direction(parameters, "encoder/forward", embedded, mask, False)
    backward, first = run_direction(parameters, "encoder/backward", embedded, mask, True)
    summary = torch.cat([last, first], dim=-1)
    initial = torch.tanh(summary @ parameters["bridge/kernel"] + parameters["bridge/bias"])
    return torch.cat([forward, backward], dim=-1), mask, initial


def attend(
    parameters: Parameters, memory: Tensor, keys: Tensor, mask: Tensor, state: Tensor
) -> Tensor:
    """Context [B,512] that the previous decoder state picks out of the memory."""
    query = state @ parameters["decoder/attention/query_kernel"]
    scores = torch.tanh(keys + query[:, None, :]) @ parameters["decoder/attention/score"]
    attention = torch.softmax(scores.masked_fill(~mask, -1e9), dim=-1)
    return torch.bmm(attention[:, None, :], memory)[:, 0, :]


def attention_keys(parameters: Parameters, memory: Tensor) -> Tensor:
    """The part of the attention's score that does not depend on the query, [B,S,256]."""
    kernel = parameters["decoder/attention/memory_kernel"]
    return memory @ kernel + parameters["decoder/attention/bias"]


def decoder_step(
    parameters: Parameters, memory: Tensor, keys: Tensor, mask: Tensor, state: Tensor, last: Tensor
) -> Tensor:
    """The next decoder state, given the embedded previous phoneme `last`."""
    context = attend(parameters, memory, keys, mask, state)
    inputs = torch.cat([context, last], dim=-1)
    projected = torch.addmm(
        parameters["decoder/cell/bias"], inputs, parameters["decoder/cell/kernel"]
    )
    return gru_step(parameters, "decoder/cell", projected, state)


def output_logits(parameters: Parameters, states: Tensor) -> Tensor:
    """Scores of the phonemes from the new decoder states."""
    return states @ parameters["decoder/output/kernel"] + parameters["decoder/output/bias"]


def loss_of(parameters: Parameters, source: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of the batch under teacher forcing."""
    memory, mask, state = encode(parameters, source)
    keys = attention_keys(parameters, memory)
    embedded = parameters["decoder/embedding"][target[:, :-1]]
    states = []
    for last in embedded.unbind(dim=1):
        state = decoder_step(parameters, memory, keys, mask, state, last)
        states.append(state)
    logits = output_logits(parameters, torch.stack(states, dim=1))
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PADDING
    )


def to_parameters(weights: Weights) -> Parameters:
    """Leaf tensors holding copies of the weights."""
    return {
        name: torch.tensor(value, dtype=torch.float32, requires_grad=True)
        for name, value in weights.items()
    }


def value_and_gradients(
    weights: Weights, source: NDArray[np.int64], target: NDArray[np.int64]
) -> tuple[float, Weights]:
    """The loss of one batch and its gradient with respect to every weight."""
    parameters = to_parameters(weights)
    loss = loss_of(parameters, torch.as_tensor(source), torch.as_tensor(target))
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    return loss.item(), {
        name: gradient.numpy() for name, gradient in zip(parameters, gradients, strict=True)
    }


def train(
    weights: Weights, batches: Iterable[Batch], learning_rate: float = 1e-3, epsilon: float = 1e-8
) -> tuple[list[float], Weights]:
    """One Adam step per batch; each batch's loss before its step, and the weights at the end."""
    parameters = to_parameters(weights)
    optimizer = torch.optim.Adam(
        list(parameters.values()), lr=learning_rate, betas=(0.9, 0.999), eps=epsilon
    )
    history = []
    for source, target in batches:
        optimizer.zero_grad()
        loss = loss_of(parameters, torch.as_tensor(source), torch.as_tensor(target))
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return history, {name: value.detach().numpy() for name, value in parameters.items()}


def losses(
    weights: Weights, batches: Iterable[Batch], learning_rate: float = 1e-3, epsilon: float = 1e-8
) -> list[float]:
    """The losses of `train`."""
    return train(weights, batches, learning_rate, epsilon)[0]


def greedy(weights: Weights, source: NDArray[np.int64], max_length: int) -> NDArray[np.int64]:
    """The likeliest phoneme at each step, [B,max_length]: end token kept, padding after it."""
    parameters = {name: value.detach() for name, value in to_parameters(weights).items()}
    memory, mask, state = encode(parameters, torch.as_tensor(source))
    keys = attention_keys(parameters, memory)
    token = torch.full((len(source),), START)
    chosen = []
    for _ in range(max_length):
        embedded = parameters["decoder/embedding"][token]
        state = decoder_step(parameters, memory, keys, mask, state, embedded)
        best = output_logits(parameters, state).argmax(dim=-1)
        ended = (token == END) | (token == PADDING)
        token = torch.where(ended, PADDING, best)
        chosen.append(token)
    result: NDArray[np.int64] = torch.stack(chosen, dim=1).numpy()
    return result


@torch.no_grad()
def beam(
    weights: Weights, source: NDArray[np.int64], width: int, max_length: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The likeliest phonemes by beam search, [B,max_length], and their log-probabilities [B].

    Of all continuations the `width` best are kept; those that end leave the beam, and the best of
    them waits until no running one is better.
    """
    parameters = {name: value.detach() for name, value in to_parameters(weights).items()}
    memory, mask, state = encode(parameters, torch.as_tensor(source))
    keys = attention_keys(parameters, memory)
    memory, keys, mask, state = (
        one.repeat_interleave(width, dim=0) for one in (memory, keys, mask, state)
    )
    batch = len(source)
    first = torch.arange(batch)[:, None] * width
    token = torch.full((batch * width,), START)
    written = torch.full((batch, width, max_length), PADDING)
    running = torch.full((batch, width), -torch.inf)
    running[:, 0] = 0.0
    best, answer = torch.full((batch,), -torch.inf), written[:, 0].clone()
    for t in range(max_length):
        embedded = parameters["decoder/embedding"][token]
        state = decoder_step(parameters, memory, keys, mask, state, embedded)
        gained = torch.log_softmax(output_logits(parameters, state), dim=-1)
        total = (running[:, :, None] + gained.view(batch, width, -1)).flatten(1)
        running, place = total.topk(width, dim=1)
        parents = (place // gained.shape[1] + first).flatten()
        token = (place % gained.shape[1]).flatten()
        state = state[parents]
        written = written.flatten(0, 1)[parents].view(batch, width, max_length)
        written[:, :, t] = token.view(batch, width)
        ended = (written[:, :, t] == END) | (t + 1 == max_length)
        score, which = torch.where(ended, running, -torch.inf).max(dim=1)
        better = score > best
        best = torch.where(better, score, best)
        answer = torch.where(better[:, None], written[torch.arange(batch), which], answer)
        running = torch.where(ended, -torch.inf, running)
        if bool((best >= running.max(dim=1).values).all()):
            break
    return answer.numpy(), best.numpy()
