"""Draws for the tests' data: NumPy's."""

from numpy.random import *  # noqa: F403
