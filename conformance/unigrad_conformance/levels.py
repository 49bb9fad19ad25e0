"""How much of the suite is run."""

from enum import StrEnum


class Level(StrEnum):
    """How much of the suite is run.

    ``quick`` runs what every op must do on one sample of it, and values and gradients on the
    others; ``full`` adds the costly checks (layouts, low precision, second order) on one sample of
    each op; ``exhaustive`` runs all on all samples, and compositions of transforms and programs of
    ops that are made up at random.
    """

    QUICK = "quick"
    FULL = "full"
    EXHAUSTIVE = "exhaustive"

    @property
    def brief(self) -> bool:
        """Whether the run is to take minutes."""
        return self is Level.QUICK

    @property
    def thorough(self) -> bool:
        """Whether the run may take hours."""
        return self is Level.EXHAUSTIVE
