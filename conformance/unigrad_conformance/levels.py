"""How much of the suite is run."""

from enum import StrEnum


class Level(StrEnum):
    """How much of the suite is run.

    ``quick`` runs the costly checks on one sample of each op, ``full`` on all of them, and
    ``exhaustive`` adds compositions of transforms and programs of ops that are made up at random.
    """

    QUICK = "quick"
    FULL = "full"
    EXHAUSTIVE = "exhaustive"
