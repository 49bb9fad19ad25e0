"""The packaged suite on all registered backends, inside our own run."""

from unigrad_conformance.test_backend import (
    test_backend,
    test_every_function_has_a_sample,
    test_every_op_has_a_derivative,
    test_every_op_has_a_sample,
)

__all__ = [
    "test_backend",
    "test_every_function_has_a_sample",
    "test_every_op_has_a_derivative",
    "test_every_op_has_a_sample",
]
