"""Twenty steps of each optimizer as in torch, optax and Keras: mixed signs, zeros, a spike."""

import pytest
from optimizer_runs import distance, trajectory
from optimizers_of_others import CASES, trajectory_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_trajectory(backend, case):
    assert distance(trajectory(case.ours), trajectory_of(case.name)) < case.tolerance
