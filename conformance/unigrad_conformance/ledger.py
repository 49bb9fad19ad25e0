"""What a run of the suite found: checks passed, deviations, and the worst error of every op."""

from __future__ import annotations

from dataclasses import dataclass, field

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


@dataclass
class Ledger:
    """The findings on one backend."""

    backend: str
    #: The version of its framework.
    version: str = ""
    findings: list[Finding] = field(default_factory=list)
    #: How many checks passed, by family.
    passed: dict[str, int] = field(default_factory=dict)
    #: The worst error in units, by op and dtype.
    worst: dict[tuple[str, str], float] = field(default_factory=dict)

    def measure(self, sample: Sample, dtype: DType, error: float) -> None:
        """Note an error, in units in the last place."""
        key = sample.op, dtype.name
        self.worst[key] = max(self.worst.get(key, 0.0), error)

    def passes(self, family: str) -> None:
        """Count a check that passed."""
        self.passed[family] = self.passed.get(family, 0) + 1

    def deviates(self, family: str, subject: str, check: str, message: str) -> None:
        """Note a check that did not pass."""
        self.findings.append(Finding(self.backend, family, subject, check, message))

    def add(self, other: Ledger) -> None:
        """Take over what another ledger of the same backend holds."""
        self.findings += other.findings
        for family, count in other.passed.items():
            self.passed[family] = self.passed.get(family, 0) + count
        for key, error in other.worst.items():
            self.worst[key] = max(self.worst.get(key, 0.0), error)
