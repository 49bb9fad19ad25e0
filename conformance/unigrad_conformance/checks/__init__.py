"""The checks that are run on every sample, one idea per module.

A check is a function of (problem, dtype, ledger) that raises a `Deviation`; the current backend
is the one under test.
"""
