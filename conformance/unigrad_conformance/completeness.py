"""Nothing is left out: every op has a sample, a kernel on each backend, and a rule or a body.

This is what makes a forgotten piece of a new op fail a test with the op's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from inspect import signature
from types import FunctionType, ModuleType
from typing import Any

import unigrad as ug
import unigrad.ops
from unigrad.core.op import OPS
from unigrad.core.operands import OPERANDS
from unigrad.core.registry import load_backend
from unigrad_conformance.backends import beside
from unigrad_conformance.perturbed import PERTURBED
from unigrad_conformance.problem import Problem, problem_of
from unigrad_conformance.samples import every_sample
from unigrad_conformance.subject import gradient, place, quiet


def public_functions() -> Iterator[tuple[str, Any]]:
    """Return every public function of the front end's ops with its module's name."""
    for module in _modules(unigrad.ops):
        for name in getattr(module, "__all__", ()):
            function = getattr(module, name)
            if isinstance(function, FunctionType):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", function


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(one.name)


def sampled_functions() -> set[Any]:
    """Return the public functions that samples name."""
    found = set()
    for sample in every_sample():
        function: Any = ug
        for part in sample.op.split("."):
            function = getattr(function, part, None)
        found.add(function)
    return found


def functions_without_sample() -> list[str]:
    """Return the public functions that no sample names."""
    named = sampled_functions()
    ops = {sample.op.rpartition(".")[2] for sample in every_sample()}
    return [
        path
        for path, function in public_functions()
        if function not in named and path.rpartition(".")[2] not in ops
    ]


def ops_without_sample() -> list[str]:
    """Return the ops that no sample names, and that none runs, not even for its gradient."""
    named = {sample.op for sample in every_sample()}
    named |= {name.rpartition(".")[2] for name in named}
    left = [op for name, op in OPS.items() if name not in named]
    backend = load_backend("numpy")
    for op in left:
        op.kernels.pop(backend, None)
    with beside("numpy"), quiet():
        for sample in every_sample():
            problem = problem_of(sample)
            sample.run(ug, *problem.unflatten(place(problem.leaves)))
            if problem.is_smooth:
                gradient(problem, problem.leaves, reference=True)
    # A kernel is fetched when its op is first run.
    return [op.name for op in left if backend not in op.kernels]


def ops_without_complex_sample() -> list[str]:
    """Return the public ops that take complex numbers, as their samples of reals show, and lack a
    sample of them."""
    seen, found = set(), []
    with ug.use_backend("numpy"), quiet():
        for sample in every_sample():
            problem = problem_of(sample)
            if problem.is_complex:
                seen.add(sample.op)
            elif (
                problem.is_smooth
                and sample.op not in found
                and hasattr(ug, sample.op.partition(".")[0])
                and _takes_complex(problem)
            ):
                found.append(sample.op)
    return [op for op in found if op not in seen]


def _takes_complex(problem: Problem) -> bool:
    leaves = [leaf + 0j if i in problem.inexact else leaf for i, leaf in enumerate(problem.leaves)]
    try:
        problem.sample.run(ug, *problem.unflatten(place(leaves)))
    except ug.DTypeError:
        return False
    return True


def ops_without_derivative() -> list[str]:
    """Return the ops that have neither a rule nor a body."""
    return [name for name, op in OPS.items() if op.rule is None and op.body is None]


def ops_without_batching() -> list[str]:
    """Return the ops that would run once per example under `ug.vmap`.

    What a composite's body is made of is tried by its samples: a loop there is a deviation.
    """
    return [
        name
        for name, op in OPS.items()
        if op.batching is None
        and not (op.broadcasts or op.by_value)
        and op.body is None
        and op not in _WITHOUT_TENSORS
    ]


#: Ops of settings alone: they meet no example.
_WITHOUT_TENSORS = frozenset({OPS["full"]})


def operands_not_perturbed() -> list[str]:
    """Return the declared operands that no row of `unigrad_conformance.perturbed` tries."""
    tried = {(_function(one.path), one.operand) for one in PERTURBED}
    return [
        f"{function.__name__}({name})"
        for function, names in OPERANDS.items()
        for name in names
        if (function, name) not in tried
        and function.__module__.startswith("unigrad.")
        # It returns a bool, which nobody differentiates.
        and function is not ug.allclose
    ]


def _function(path: str) -> Any:
    found: Any = ug
    for part in path.split("."):
        found = getattr(found, part)
    return found


#: Numbers that choose a formula or a rank, of which no result is a smooth function.
_CHOICES = frozenset(
    {("norm", "ord"), ("vector_norm", "ord"), ("matrix_rank", "rtol"), ("lstsq", "rtol")}
)


def numbers_that_are_no_operands() -> list[str]:
    """Return the parameters of public functions that take Python's real numbers alone."""
    return [
        f"{path}({parameter.name})"
        for path, function in public_functions()
        for parameter in signature(function).parameters.values()
        if "float" in str(parameter.annotation).split(" | ")
        and (function.__name__, parameter.name) not in _CHOICES
    ]


def ops_without_kernel(backend: str) -> list[str]:
    """Return the primitives for which a backend has no kernel and no reason to have none."""
    found = load_backend(backend)
    return [
        name
        for name, op in OPS.items()
        if op.body is None and found.kernel(op) is None and name not in found.unsupported
    ]


def kernels_without_op(backend: str) -> list[str]:
    """Return the kernels of a backend that no op asks for: misspelt, or left over.

    So are the names of ops that it says are unsupported.
    """
    found = load_backend(backend)
    return [name for name in (*found.kernels, *found.unsupported) if name not in OPS]


def unsupported_with_kernel(backend: str) -> list[str]:
    """Return the ops that a backend says are unsupported, and that run on it all the same."""
    found = load_backend(backend)
    return [
        name
        for name in found.unsupported
        if name in OPS and (name in found.kernels or OPS[name].body is not None)
    ]
