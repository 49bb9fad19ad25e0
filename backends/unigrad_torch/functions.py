"""torch's own derivatives of a function of tensors, by autograd or ``torch.func``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from unigrad_torch.bridge import conj
from unigrad_torch.private import are_transforms_active, load_forward_derivatives

_Function = Callable[..., Sequence[torch.Tensor]]
_Pullback = Callable[[Sequence[Any]], list[Any]]


def vjp(function: _Function, primals: Sequence[torch.Tensor]) -> tuple[list[Any], _Pullback]:
    """Run a function; return its results and their pullback. See `Backend.vjp`."""
    if are_transforms_active():
        return _vjp_of_transforms(function, primals)
    with torch.enable_grad():
        inputs = [_source(x) if _is_inexact(x) else x for x in primals]
        results = [*function(*inputs)]

    def pullback(cotangents: Sequence[Any]) -> list[Any]:
        pairs = [
            (result, conj(one))
            for result, one in zip(results, cotangents, strict=True)
            if one is not None and result.requires_grad
        ]
        wanted = [x for x in inputs if x.requires_grad]
        if not pairs or not wanted:
            return [None] * len(inputs)
        followed = [*primals, *[one for _, one in pairs]]
        found = iter(
            torch.autograd.grad(
                [result for result, _ in pairs],
                wanted,
                [one for _, one in pairs],
                retain_graph=True,
                create_graph=torch.is_grad_enabled() and any(x.requires_grad for x in followed),
                allow_unused=True,
            )
        )
        return [conj(next(found)) if x.requires_grad else None for x in inputs]

    return results, pullback


def jvp(
    function: _Function, primals: Sequence[torch.Tensor], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Run a function; return its results and their tangents. See `Backend.jvp`."""
    load_forward_derivatives()
    moving = [i for i, one in enumerate(tangents) if one is not None]
    run = _of_some(function, primals, moving)
    results, found = torch.func.jvp(
        run, tuple(primals[i] for i in moving), tuple(tangents[i] for i in moving)
    )
    return [*results], [*found]


def _vjp_of_transforms(
    function: _Function, primals: Sequence[torch.Tensor]
) -> tuple[list[Any], _Pullback]:
    """Do what `vjp` does where a transform lets nobody make leaves."""
    inexact = [i for i, x in enumerate(primals) if _is_inexact(x)]
    results, of_natives = torch.func.vjp(
        _of_some(function, primals, inexact), *[primals[i] for i in inexact]
    )

    def pullback(cotangents: Sequence[Any]) -> list[Any]:
        given = [
            torch.zeros_like(result) if one is None else conj(one)
            for result, one in zip(results, cotangents, strict=True)
        ]
        found: list[Any] = [None] * len(primals)
        for i, one in zip(inexact, of_natives(tuple(given)), strict=True):
            found[i] = conj(one)
        return found

    return [*results], pullback


def _of_some(
    function: _Function, primals: Sequence[torch.Tensor], positions: Sequence[int]
) -> Callable[..., tuple[torch.Tensor, ...]]:
    """Return a function of the inputs at some positions; the others stay as they are."""

    def run(*some: torch.Tensor) -> tuple[torch.Tensor, ...]:
        inputs = [*primals]
        for i, x in zip(positions, some, strict=True):
            inputs[i] = x
        return tuple(function(*inputs))

    return run


def _is_inexact(x: torch.Tensor) -> bool:
    return x.is_floating_point() or x.is_complex()


def _source(x: torch.Tensor) -> torch.Tensor:
    """Return a tensor of its own to differentiate by, through which an outer graph is seen."""
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
