"""What a run of the suite found: checks passed, deviations, and the worst error of every op."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from unigrad.core.dtypes import DType
from unigrad_conformance.sample import Sample


@dataclass(frozen=True)
class Finding:
    """One check that did not pass."""

    backend: str
    family: str
    #: The op, or the name of the scenario or edge.
    subject: str
    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject} on {self.backend}, {self.check}: {self.message}"


class Tally(NamedTuple):
    """How often something passed, failed, and could not be put."""

    passed: int = 0
    failed: int = 0
    unsupported: int = 0

    def __add__(self, other: Any) -> Tally:  # Of numbers, not of tuples.
        return Tally(*[a + b for a, b in zip(self, other, strict=True)])


@dataclass
class Ledger:
    """The findings on one backend."""

    backend: str
    #: The version of its framework.
    version: str = ""
    findings: list[Finding] = field(default_factory=list)
    #: How many checks passed, by family.
    passed: dict[str, int] = field(default_factory=dict)
    #: How many checks the backend cannot be put to, by family: it lacks what they ask for.
    unsupported: dict[str, int] = field(default_factory=dict)
    #: How often each check passed, failed, and could not be put.
    checks: dict[str, Tally] = field(default_factory=dict)
    #: The worst error in units, by op and by what was measured: values of a dtype ("float32"), or
    #: gradients of it ("float32 gradient"), beside the textbook's or those in double precision.
    worst: dict[tuple[str, str], float] = field(default_factory=dict)

    def measure(self, sample: Sample, dtype: DType, error: float, of: str = "") -> None:
        """Note an error, in units in the last place: of values, or of something else by name."""
        key = sample.op, f"{dtype.name} {of}".rstrip()
        self.worst[key] = max(self.worst.get(key, 0.0), error)

    def worst_value(self) -> float | None:
        """Return the worst error of values, in units; None if there is none."""
        return max([e for (_, what), e in self.worst.items() if " " not in what], default=None)

    def passes(self, family: str, check: str) -> None:
        """Count a check that passed."""
        self.passed[family] = self.passed.get(family, 0) + 1
        self._count(check, Tally(passed=1))

    def lacks(self, family: str, check: str) -> None:
        """Count a check of something that the backend does not offer: neither passed nor failed."""
        self.unsupported[family] = self.unsupported.get(family, 0) + 1
        self._count(check, Tally(unsupported=1))

    def deviates(self, family: str, subject: str, check: str, message: str) -> None:
        """Note a check that did not pass."""
        self._count(check, Tally(failed=1))
        self.findings.append(Finding(self.backend, family, subject, check, message))

    def add(self, other: Ledger) -> None:
        """Take over what another ledger of the same backend holds."""
        self.findings += other.findings
        for family, count in other.passed.items():
            self.passed[family] = self.passed.get(family, 0) + count
        for family, count in other.unsupported.items():
            self.unsupported[family] = self.unsupported.get(family, 0) + count
        for check, tally in other.checks.items():
            self._count(check, tally)
        for key, error in other.worst.items():
            self.worst[key] = max(self.worst.get(key, 0.0), error)

    def _count(self, check: str, tally: Tally) -> None:
        self.checks[check] = self.checks.get(check, Tally()) + tally
