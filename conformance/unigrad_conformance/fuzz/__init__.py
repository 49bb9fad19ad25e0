"""Random programs, and whether a backend agrees with plain NumPy on them.

What single ops get right one by one can still go wrong together: a value used twice, a broadcast
undone in the wrong place, a gradient that is no op. So programs of a few ops are made up, and
their values and derivatives compared with those that NumPy alone gives by complex steps.

``unigrad conformance fuzz --backend mlx --minutes 5`` runs them on a backend.

Source: Yang et al., "Fuzzing Automatic Differentiation in Deep-Learning Libraries", ICSE 2023.
"""

from unigrad_conformance.fuzz.check import check_program
from unigrad_conformance.fuzz.program import Program, make_program

__all__ = ["Program", "check_program", "make_program"]
