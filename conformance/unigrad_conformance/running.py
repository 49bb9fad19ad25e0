"""Trials: the pieces that a run of the suite is made of, and how one is run.

A trial is everything about one op, or one scenario, edge or bad call, on one backend. The pytest
plug-in makes each a test, the command runs them one after the other.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.backends import compiles_for_every_shape
from unigrad_conformance.checks.forward import check_forward
from unigrad_conformance.checks.gradients import check_gradients, check_recorded
from unigrad_conformance.checks.layouts import check_every_layout, check_mixed_layouts
from unigrad_conformance.checks.purity import check_purity
from unigrad_conformance.checks.second_order import check_second_order
from unigrad_conformance.checks.values import check_values
from unigrad_conformance.checks.watching import check_watching, dtypes_of
from unigrad_conformance.completeness import kernels_without_op, ops_without_kernel
from unigrad_conformance.devices import PLACEMENTS
from unigrad_conformance.edge import check_edge, every_edge
from unigrad_conformance.empties import every_empty
from unigrad_conformance.errors import BAD_CALLS, EXPLANATIONS, check_bad_call
from unigrad_conformance.leaks import LEAKS
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.lifetime import LIFETIMES
from unigrad_conformance.lookalikes import LOOKALIKES
from unigrad_conformance.problem import Problem, problem_of
from unigrad_conformance.programs import PROGRAMS
from unigrad_conformance.samples import ops, samples_of
from unigrad_conformance.scenarios import every_scenario
from unigrad_conformance.scenarios.scenario import Scenario, check_scenario, unigrad_api
from unigrad_conformance.steps import STEPS
from unigrad_conformance.subject import Deviation
from unigrad_conformance.trials_at_ends import checks_at_ends, ops_at_ends

Check = Callable[[Problem, dtypes.DType, Ledger], None]


@dataclass(frozen=True)
class Trial:
    """Something that is tried on a backend."""

    family: str
    name: str
    run: Callable[[Ledger], None]

    def on(self, backend: str, ledger: Ledger | None = None) -> Ledger:
        """Run on a backend; the findings are in the ledger."""
        ledger = Ledger(backend) if ledger is None else ledger
        with ug.use_backend(backend):
            self.run(ledger)
        return ledger


def guarded(
    ledger: Ledger, family: str, subject: str, check: str, function: Callable[[], None]
) -> bool:
    """Run one check, noting how it ends; tell whether it passed."""
    try:
        function()
    except Deviation as deviation:
        ledger.deviates(family, subject, check, str(deviation))
        return False
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        ledger.deviates(
            family,
            subject,
            check,
            f"{type(error).__name__}: {error} ({where.filename.rpartition('/')[2]}:{where.lineno})",
        )
        return False
    ledger.passes(family)
    return True


def checks_of(
    problem: Problem, first: bool, thorough: bool, compiles: bool
) -> list[tuple[str, Check, dtypes.DType]]:
    """Return the checks of a sample, worked out.

    The costly ones (layouts, gradients in low precision, second order) are run on the first smooth
    sample of an op, on its first complex one, or on all in a thorough run; brief samples are left
    out. A backend that compiles every op for every shape runs each other smooth sample once,
    recorded.
    """
    full = first or thorough
    wide = full or not compiles
    smooth = problem.is_smooth or bool(problem.sample.zero_gradient and problem.inexact)
    if smooth and not wide:
        return [("values and gradients float64", check_recorded, dtypes.float64)]
    checks: list[tuple[str, Check, dtypes.DType]] = [
        ("values float64", check_values, dtypes.float64)
    ]
    if problem.inexact:
        # Without float inputs the two would be the same.
        checks.append(("values float32", check_values, dtypes.float32))
    if wide:
        checks.append(("purity", check_purity, dtypes.float64))
    if wide and problem.inexact:
        # Who compiles every op does so for each dtype: one tells.
        for one in [dtypes.float32] if compiles else dtypes_of(problem):
            checks.append((f"watching {one.name}", check_watching, one))
    if thorough:
        checks.append(("layouts", check_every_layout, dtypes.float64))
    elif first:
        # Where every op is compiled for every shape, arrays have no strides.
        mixed = partial(check_mixed_layouts, views=not compiles)
        checks.append(("layouts", mixed, dtypes.float64))
    if smooth:
        checks += [
            ("gradients float64", check_gradients, dtypes.float64),
            ("forward mode", check_forward, dtypes.float64),
        ]
        if full:
            checks += [
                ("gradients float32", check_gradients, dtypes.float32),
                ("second order", check_second_order, dtypes.float64),
            ]
    return checks


def try_op(op: str, ledger: Ledger, thorough: bool = False) -> None:
    """Run all checks of all samples of an op on the current backend."""
    seen, compiles = set[bool](), compiles_for_every_shape(ledger.backend)
    for sample in samples_of(op):
        problem = problem_of(sample)
        fresh = problem.is_complex not in seen and not sample.brief
        for name, check, dtype in checks_of(problem, fresh, thorough, compiles):
            guarded(
                ledger,
                sample.family,
                sample.id,
                name,
                partial(check, problem, dtype, ledger),
            )
        if problem.is_smooth and not sample.brief:
            seen.add(problem.is_complex)


def op_trials(thorough: bool = False) -> list[Trial]:
    """Return a trial per op."""
    return [
        Trial(samples_of(op)[0].family, op, partial(try_op, op, thorough=thorough)) for op in ops()
    ]


def try_at_ends(op: str, ledger: Ledger, thorough: bool = False) -> None:
    """Run all checks of an op at the ends of the dtypes on the current backend."""
    compiles = compiles_for_every_shape(ledger.backend)
    for name, check in checks_at_ends(op, thorough, compiles):
        guarded(ledger, "ends", op, name, check)


def trials_at_ends(thorough: bool = False) -> list[Trial]:
    """Return a trial per op that is tried at the ends of the dtypes."""
    return [
        Trial("ends", f"{op} at the ends", partial(try_at_ends, op, thorough=thorough))
        for op in ops_at_ends()
    ]


def other_trials() -> list[Trial]:
    """Return a trial per scenario, edge, bad call, placement, lifetime, program, step and so on."""
    tables: list[tuple[str, list[tuple[str, Callable[[], None]]]]] = [
        (
            "tape",
            [(one.name, partial(_run_scenario, one)) for one in every_scenario()],
        ),
        ("edges", [(one.name, partial(check_edge, one)) for one in every_edge()]),
        ("empty shapes", list(every_empty())),
        ("errors", [(one.name, partial(check_bad_call, one)) for one in BAD_CALLS]),
        ("errors", list(EXPLANATIONS.items())),
        ("errors", list(LEAKS.items())),
        ("arguments", list(LOOKALIKES.items())),
        ("devices", list(PLACEMENTS.items())),
        ("lifetime", list(LIFETIMES.items())),
        ("jit", list(PROGRAMS.items())),
        ("optimizers", list(STEPS.items())),
    ]
    return [
        Trial(family, name, partial(_run_one, family, name, function))
        for family, table in tables
        for name, function in table
    ]


def _run_scenario(one: Scenario) -> None:
    check_scenario(one, unigrad_api())


def _run_one(family: str, name: str, function: Callable[[], None], ledger: Ledger) -> None:
    guarded(ledger, family, name, family, function)


def kernel_trial() -> Trial:
    """Return the trial that a backend's table is complete."""
    return Trial("completeness", "kernels", _kernels)


def _kernels(ledger: Ledger) -> None:
    for what, names in (
        ("has no kernel", ops_without_kernel(ledger.backend)),
        ("is a kernel of no op", kernels_without_op(ledger.backend)),
    ):
        for name in names:
            ledger.deviates("completeness", name, "kernels", f"{name} {what}")
    if not ledger.findings:
        ledger.passes("completeness")


def every_trial(thorough: bool = False) -> list[Trial]:
    """Return everything that is tried on a backend."""
    trials = [kernel_trial(), *other_trials(), *op_trials(thorough)]
    return [*trials, *trials_at_ends(thorough)]
