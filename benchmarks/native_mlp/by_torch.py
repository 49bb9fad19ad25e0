"""In torch: eager and under `torch.compile`, with the fused Adam."""

from __future__ import annotations

from typing import Any

from benchmarks.native_mlp.setup import (
    BETA1,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    Array,
    Candidate,
    Labels,
    Weights,
)


def torch_loss(weights: Any, x: Any, y: Any) -> Any:
    """The loss on tensors."""
    import torch

    h = torch.relu(torch.addmm(weights[1], x, weights[0]))
    h = torch.relu(torch.addmm(weights[3], h, weights[2]))
    return torch.nn.functional.cross_entropy(torch.addmm(weights[5], h, weights[4]), y)


def torch_arguments(weights: Weights, x: Array, y: Labels) -> tuple[Any, Any, Any]:
    """Copies as tensors, the weights as leaves."""
    import torch

    leaves = [torch.tensor(w, requires_grad=True) for w in weights]
    return leaves, torch.tensor(x), torch.tensor(y)


def torch_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """Eager forward pass and torch.autograd.grad."""
    import torch

    w, images, labels = torch_arguments(weights, x, y)

    def run() -> Any:
        loss = torch_loss(w, images, labels)
        return loss.detach(), torch.autograd.grad(loss, w)

    return run


def torch_step_with(loss_function: Any, weights: Weights, x: Array, y: Labels) -> Candidate:
    """A training step with the fused Adam and the given loss."""
    import torch

    w, images, labels = torch_arguments(weights, x, y)
    optimizer = torch.optim.Adam(w, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON, fused=True)

    def run() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_function(w, images, labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return run


def torch_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """Eager loss, fused Adam."""
    return torch_step_with(torch_loss, weights, x, y)


def torch_compiled_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """torch.compile of the loss (and so of its backward pass), fused Adam."""
    import torch

    return torch_step_with(torch.compile(torch_loss), weights, x, y)
