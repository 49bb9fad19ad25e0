"""The scenarios on TensorFlow's own tape: their endings are what it gives."""

import pytest

import unigrad as ug
from unigrad_conformance.scenarios import every_scenario
from unigrad_conformance.scenarios.scenario import Scenario, check_scenario, tensorflow_api


@pytest.mark.parametrize(
    "scenario", [one for one in every_scenario() if one.as_tensorflow], ids=lambda one: one.name
)
def test_scenario_on_tensorflow(scenario: Scenario) -> None:
    with ug.use_backend("tensorflow"):
        check_scenario(scenario, tensorflow_api())
