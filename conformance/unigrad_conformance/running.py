"""Trials: the pieces that a run of the suite is made of, and how one is run.

A trial is everything about one op, or one scenario, edge or bad call, on one backend. The pytest
plug-in makes each a test, the command runs them one after the other.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import unigrad as ug
import unigrad_conformance.decoding_errors
import unigrad_conformance.errors_of_bools
import unigrad_conformance.errors_of_layers
import unigrad_conformance.errors_of_matrices
import unigrad_conformance.errors_of_statistics
import unigrad_conformance.loop_errors
import unigrad_conformance.transform_errors  # noqa: F401 (these write bad calls down)
from unigrad.core import dtypes
from unigrad.core.errors import UnsupportedError
from unigrad_conformance import decoding, loops, losses
from unigrad_conformance.backends import compiles_for_every_shape, spares_programs
from unigrad_conformance.bad_draws import IN_PROGRAMS, SLOW
from unigrad_conformance.batches import BATCHES
from unigrad_conformance.batches_derived import BATCHED_DERIVATIVES
from unigrad_conformance.batches_refused import BAD_BATCHES
from unigrad_conformance.checks.batching import (
    check_batching,
    check_compiled_batch,
    check_one_batch,
)
from unigrad_conformance.checks.compiled import check_compiled
from unigrad_conformance.checks.forward import check_forward
from unigrad_conformance.checks.gradients import check_gradients, check_recorded
from unigrad_conformance.checks.interop import INTEROP
from unigrad_conformance.checks.layouts import check_every_layout, check_mixed_layouts
from unigrad_conformance.checks.purity import check_purity
from unigrad_conformance.checks.second_order import check_second_order
from unigrad_conformance.checks.values import check_values
from unigrad_conformance.checks.watching import check_watching, dtypes_of
from unigrad_conformance.completeness import (
    kernels_without_op,
    ops_without_kernel,
    unsupported_with_kernel,
)
from unigrad_conformance.compositions import compositions
from unigrad_conformance.derivatives_by_hand import BY_HAND
from unigrad_conformance.devices import PLACEMENTS
from unigrad_conformance.edge import check_edge, every_edge
from unigrad_conformance.empties import every_empty
from unigrad_conformance.errors import BAD_CALLS, check_bad_call
from unigrad_conformance.explanations import EXPLANATIONS
from unigrad_conformance.fuzz.found import found_programs, random_programs
from unigrad_conformance.half_draws import half_draws
from unigrad_conformance.layers import LAYERS
from unigrad_conformance.leaks import LEAKS
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.levels import Level
from unigrad_conformance.lifetime import lifetimes
from unigrad_conformance.lookalikes import LOOKALIKES
from unigrad_conformance.masked_layers import MASKED_LAYERS
from unigrad_conformance.matrices_at_scales import at_scales
from unigrad_conformance.perturbed import OPERANDS, operands_together
from unigrad_conformance.problem import Problem, problem_of
from unigrad_conformance.program_callers import PROGRAM_CALLERS
from unigrad_conformance.program_closures import PROGRAM_CLOSURES
from unigrad_conformance.program_files import PROGRAM_FILES
from unigrad_conformance.program_fusions import PROGRAM_FUSIONS
from unigrad_conformance.program_numbers import PROGRAM_NUMBERS
from unigrad_conformance.program_values import PROGRAM_VALUES
from unigrad_conformance.program_variables import ASSIGNED, PROGRAM_VARIABLES
from unigrad_conformance.programs import PROGRAMS
from unigrad_conformance.sample import Sample
from unigrad_conformance.samples import ops, samples_of
from unigrad_conformance.scenarios import every_scenario
from unigrad_conformance.scenarios.scenario import Scenario, check_scenario, unigrad_api
from unigrad_conformance.statistics import (
    DISTRIBUTIONS,
    DOMAINS,
    PROGRAMS_THAT_DRAW,
    STATISTICS,
)
from unigrad_conformance.steps import CHANGED, CHANGED_IN_PROGRAMS, STEPS
from unigrad_conformance.subject import Deviation, Unsupported
from unigrad_conformance.trajectories import (
    COMPILED,
    EAGER,
    LATER,
    PURE,
    SETTINGS,
    TRAJECTORIES,
)
from unigrad_conformance.transforms import TRANSFORMS
from unigrad_conformance.transforms_of_programs import PROGRAMS_TRANSFORMED
from unigrad_conformance.trials_at_ends import checks_at_ends, ops_at_ends

Check = Callable[[Problem, dtypes.DType, Ledger], None]
#: A check with its name.
_Row = tuple[str, Callable[[], None]]
#: Of rows that are alike, a run that spares programs tries the first, and each of so many.
_EACH = 5

#: How many compositions of transforms are tried before those that are made up at random.
_COMPOSITIONS = {Level.QUICK: 2, Level.FULL: 4, Level.EXHAUSTIVE: 24}


@dataclass(frozen=True)
class Trial:
    """Something that is tried on a backend."""

    family: str
    name: str
    run: Callable[[Ledger], None]
    #: One of many alike, which a run that spares programs leaves out.
    further: bool = False

    def on(self, backend: str, ledger: Ledger | None = None) -> Ledger:
        """Run on a backend; the findings are in the ledger.

        So is an error outside of the checks, as of an oracle that another version of NumPy
        refuses: the other trials go on.
        """
        ledger = Ledger(backend) if ledger is None else ledger
        with ug.use_backend(backend):
            try:
                self.run(ledger)
            except Exception as error:
                ledger.deviates(self.family, self.name, "trial", _described(error))
        return ledger


def _described(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({where.filename.rpartition('/')[2]}:{where.lineno})"


def guarded(
    ledger: Ledger, family: str, subject: str, check: str, function: Callable[[], None]
) -> bool:
    """Run one check, noting how it ends; tell whether it passed."""
    try:
        function()
    except (Unsupported, UnsupportedError):
        ledger.lacks(family, check)
        return False
    except Deviation as deviation:
        ledger.deviates(family, subject, check, str(deviation))
        return False
    except Exception as error:
        ledger.deviates(family, subject, check, _described(error))
        return False
    ledger.passes(family, check)
    return True


def checks_of(
    problem: Problem, first: bool, level: Level, compiles: bool
) -> list[tuple[str, Check, dtypes.DType]]:
    """Return the checks of a sample, worked out.

    The costly ones (layouts, gradients in low precision, second order) are run on the first smooth
    sample of an op and on its first complex one, or on all in a thorough run; brief samples are
    left out. A brief run, and one of a backend that compiles every op for every shape, does no more
    with an op's other smooth samples than to record each once. Forward mode, whose rules are the
    textbook's everywhere, a brief run of such a backend tries on each fifth op.
    """
    full = first or level.thorough
    wide = full or not (compiles or level.brief)
    smooth = problem.is_smooth or bool(problem.sample.zero_gradient and problem.inexact)
    recorded = ("values and gradients float64", check_recorded, dtypes.float64)
    if smooth and (not wide or (level.brief and compiles)):
        if not wide or ops().index(problem.sample.op) % _EACH > 0:
            return [recorded]
        return [recorded, ("forward mode", check_forward, dtypes.float64)]
    checks: list[tuple[str, Check, dtypes.DType]] = [
        ("values float64", check_values, dtypes.float64)
    ]
    if level.brief and compiles:
        return checks
    if problem.inexact and (wide or not level.brief):
        # Without float inputs the two would be the same.
        checks.append(("values float32", check_values, dtypes.float32))
    if wide:
        checks.append(("purity", check_purity, dtypes.float64))
    if first and not compiles:
        # Where every op is compiled for itself, it is by the same compiler.
        checks.append(("compiled", check_compiled, dtypes.float64))
    if wide and problem.inexact:
        # Who compiles every op does so for each dtype: one tells.
        for one in [dtypes.float32] if compiles else dtypes_of(problem):
            checks.append((f"watching {one.name}", check_watching, one))
    if level.thorough:
        checks.append(("layouts", check_every_layout, dtypes.float64))
    elif first:
        # Where every op is compiled for every shape, arrays have no strides.
        mixed = partial(check_mixed_layouts, views=not compiles)
        checks.append(("layouts", mixed, dtypes.float64))
    if wide:
        batches = check_batching if level.thorough or (first and not compiles) else check_one_batch
        checks.append(("batches", batches, dtypes.float64))
    if level.thorough:
        checks.append(("compiled batches", check_compiled_batch, dtypes.float64))
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


def try_op(op: str, ledger: Ledger, level: Level = Level.FULL) -> None:
    """Run all checks of an op's samples on the current backend."""
    seen, compiles = set[bool](), compiles_for_every_shape(ledger.backend)
    compiles = compiles or spares_programs(level, ledger.backend, samples_of(op)[0].family)
    for sample in _chosen(op, level, compiles):
        problem = problem_of(sample)
        fresh = problem.is_complex not in seen and not sample.brief
        for name, check, dtype in checks_of(problem, fresh, level, compiles):
            guarded(
                ledger,
                sample.family,
                sample.id,
                name,
                partial(check, problem, dtype, ledger),
            )
        if not sample.brief and (problem.is_smooth or level.brief):
            seen.add(problem.is_complex)


def _chosen(op: str, level: Level, compiles: bool) -> list[Sample]:
    """Return the samples of an op that a run tries.

    Of a backend that compiles every op for every shape a brief run tries one, the first smooth one
    if there is any, and any but a thorough run leaves out further ones.
    """
    every = samples_of(op)
    if not compiles or level.thorough:
        return list(every)
    if level.brief:
        return [next((one for one in every if one.differentiable and not one.brief), every[0])]
    return [one for one in every if not one.further] or list(every[:1])


def op_trials(level: Level = Level.FULL) -> list[Trial]:
    """Return a trial per op."""
    return [Trial(samples_of(op)[0].family, op, partial(try_op, op, level=level)) for op in ops()]


def try_at_ends(op: str, ledger: Ledger, level: Level = Level.FULL) -> None:
    """Run all checks of an op at the ends of the dtypes on the current backend."""
    compiles = compiles_for_every_shape(ledger.backend)
    for name, check in checks_at_ends(op, level.thorough, compiles):
        guarded(ledger, "ends", op, name, check)


def trials_at_ends(level: Level = Level.FULL) -> list[Trial]:
    """Return a trial per op that is tried at the ends of the dtypes."""
    return [
        Trial("ends", f"{op} at the ends", partial(try_at_ends, op, level=level))
        for op in ops_at_ends()
    ]


def try_interop(op: str, ledger: Ledger, level: Level = Level.FULL) -> None:
    """Hand an op the backend's own arrays, as a caller of the library does.

    Unless the run is thorough, derivatives are those of its first smooth sample and of its first
    complex one; who compiles every op for every shape does the first, to first order.
    """
    brief = not level.thorough and compiles_for_every_shape(ledger.backend)
    brief = brief or spares_programs(level, ledger.backend, samples_of(op)[0].family)
    problems = [problem_of(sample) for sample in samples_of(op)]
    kinds = {one.is_complex: one for one in reversed(problems) if one.is_smooth}
    smooth = list(kinds.values())[-1:] if brief else list(kinds.values())
    for problem in problems if level.thorough else smooth or problems[:1]:
        few = not problem.is_smooth or (brief and level.brief)
        count = 1 if few else 2 if brief else len(INTEROP)
        for name, check in INTEROP[:count]:
            guarded(ledger, "interop", problem.sample.id, name, partial(check, problem))


def interop_trials(level: Level = Level.FULL) -> list[Trial]:
    """Return a trial per op; one whose samples are all brief is left to thorough runs."""
    named = [op for op in ops() if level.thorough or not all(one.brief for one in samples_of(op))]
    return [
        Trial(
            "interop",
            f"{op} through interop",
            partial(try_interop, op, level=level),
            further=number % _EACH > 0,
        )
        for number, op in enumerate(named)
    ]


def other_trials(level: Level = Level.FULL) -> list[Trial]:
    """Return a trial per scenario, edge, bad call, placement, lifetime, program, step and so on."""
    thorough = level.thorough
    return [
        *_trials("tape", [(one.name, partial(_run_scenario, one)) for one in every_scenario()]),
        *_alike("edges", [(one.name, partial(check_edge, one, level)) for one in every_edge()]),
        *_alike("empty shapes", every_empty(level)),
        *_alike("matrices", at_scales(level).items()),
        *_trials("errors", [(one.name, partial(check_bad_call, one)) for one in BAD_CALLS]),
        *_trials("errors", [*EXPLANATIONS.items(), *LEAKS.items()]),
        *_trials("arguments", [*LOOKALIKES.items(), *operands_together(level).items()]),
        *_alike("arguments", OPERANDS.items()),
        *_trials("devices", PLACEMENTS.items()),
        *_trials("lifetime", lifetimes(level).items()),
        *_trials("jit", [*PROGRAMS.items(), *PROGRAM_VALUES.items(), *PROGRAM_NUMBERS.items()]),
        *_trials("jit", [*PROGRAM_VARIABLES.items(), *PROGRAM_FILES.items()]),
        *_trials("jit", PROGRAM_FUSIONS.items()),
        *_trials("interop", PROGRAM_CALLERS.items()),
        *_alike("jit", [*PROGRAM_CLOSURES.items(), *ASSIGNED.items()]),
        *_alike("jit", IN_PROGRAMS.items()),
        *_trials("jit", SLOW.items() if thorough else ()),
        *_trials("transforms", [*TRANSFORMS.items(), *PROGRAMS_TRANSFORMED.items()]),
        *_trials("transforms", [*compositions(_COMPOSITIONS[level]), *BY_HAND.items()]),
        *_trials("vmap", [*BATCHES.items(), *BATCHED_DERIVATIVES.items(), *BAD_BATCHES.items()]),
        *_trials("optimizers", [*STEPS.items(), *TRAJECTORIES.items()]),
        *_alike("optimizers", CHANGED.items()),
        *_alike("optimizers", CHANGED_IN_PROGRAMS.items(), first=1),
        *_alike("optimizers", SETTINGS.items()),
        *_alike("optimizers", EAGER.items()),
        *_alike("optimizers", COMPILED.items(), first=1),
        *_alike("optimizers", PURE.items(), first=2),
        *_alike("optimizers", LATER.items(), first=3),
        *_trials("layers", [*LAYERS.items(), *MASKED_LAYERS.items()], each=9),
        *_alike("losses", losses.losses(thorough)),
        *_trials("losses", losses.promises(thorough)),
        *_alike("statistics", DISTRIBUTIONS.items()),
        *_alike("statistics", DOMAINS.items()),
        *_alike("statistics", PROGRAMS_THAT_DRAW.items()),
        *_trials("statistics", [*STATISTICS.items(), *half_draws(level).items()]),
        *_alike("control flow", loops.every_loop()),
        *_trials("control flow", loops.PROMISES.items()),
        *_trials("programs", found_programs()),
        *_alike("decoding", decoding.searches(thorough)),
        *_trials("decoding", decoding.promises(thorough)),
    ]


def _trials(family: str, rows: Iterable[_Row], each: int = 1, first: int = 0) -> list[Trial]:
    """Return a trial per row: the first one and each of so many after it, the others further."""
    return [
        Trial(family, name, partial(_run_one, family, name, function), number % each != first)
        for number, (name, function) in enumerate(rows)
    ]


_alike = partial(_trials, each=_EACH)


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
        ("is unsupported and runs", unsupported_with_kernel(ledger.backend)),
    ):
        for name in names:
            ledger.deviates("completeness", name, "kernels", f"{name} {what}")
    if not ledger.findings:
        ledger.passes("completeness", "kernels")


def every_trial(level: Level = Level.QUICK) -> list[Trial]:
    """Return everything that is tried on a backend at a level."""
    trials = [kernel_trial(), *other_trials(level), *op_trials(level)]
    trials += [*interop_trials(level), *trials_at_ends(level)]
    return [*trials, *random_trials()] if level.thorough else trials


def random_trials(compositions_: int = 300, programs: int = 500) -> list[Trial]:
    """Return trials of things made up at random: compositions of transforms, programs of ops."""
    more = compositions(compositions_)[_COMPOSITIONS[Level.EXHAUSTIVE] :]
    return [*_trials("transforms", more), *_trials("programs", random_programs(programs))]
