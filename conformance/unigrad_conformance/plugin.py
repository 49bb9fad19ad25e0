"""The pytest plug-in: two options, and one test per trial and backend.

pytest loads it in every run of an environment that has the suite installed, so at load it
imports nothing but pytest; the trials are made when a test asks for them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unigrad_conformance.levels import Level


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--unigrad-backend`` and ``--unigrad-device``."""
    group = parser.getgroup("unigrad", "unigrad conformance suite")
    group.addoption(
        "--unigrad-backend",
        action="append",
        default=None,
        metavar="NAME",
        help="try this backend (may be repeated; default: every registered one)",
    )
    group.addoption(
        "--unigrad-device",
        default=None,
        metavar="DEVICE",
        help='place tensors on this device ("cpu", "gpu", "gpu:1")',
    )
    group.addoption(
        "--unigrad-level",
        choices=("quick", "full", "exhaustive"),
        default="quick",
        help="quick: all checks where they take no compiler, elsewhere one sample of each op and "
        "some of what is alike; full: all on one sample per op; exhaustive: on every sample, and "
        "random programs",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a backend that nobody has registered: skipped tests would look like passed ones."""
    if config.getoption("--unigrad-backend"):
        from unigrad.core.registry import available_backends

        if unknown := sorted(set(_names(config)) - set(known := available_backends())):
            raise pytest.UsageError(
                f"--unigrad-backend: no backend is called {', '.join(unknown)}; "
                f"known are: {', '.join(known)}"
            )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the suite's tests their trials and backends."""
    if "unigrad_trial" in metafunc.fixturenames:
        from unigrad_conformance.running import every_trial

        trials = every_trial(_level(metafunc.config))
        metafunc.parametrize(
            "unigrad_trial", trials, ids=[f"{one.family}/{one.name}" for one in trials]
        )
    if "unigrad_backend" in metafunc.fixturenames:
        metafunc.parametrize("unigrad_backend", _names(metafunc.config))


def _level(config: pytest.Config) -> Level:
    from unigrad_conformance.levels import Level

    return Level(config.getoption("--unigrad-level"))


def _names(config: pytest.Config) -> list[str]:
    from unigrad.core.registry import available_backends

    chosen: list[str] = config.getoption("--unigrad-backend") or available_backends()
    return chosen


@pytest.fixture(scope="session")
def unigrad_chosen(request: pytest.FixtureRequest) -> bool:
    """Whether somebody asked for the backends by name: then an absent one is a failure."""
    return bool(request.config.getoption("--unigrad-backend"))


@pytest.fixture
def unigrad_device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Place the test's tensors on the device that was asked for."""
    device = request.config.getoption("--unigrad-device")
    if device is not None:
        monkeypatch.setenv("UNIGRAD_DEVICE", device)
    return device or os.environ.get("UNIGRAD_DEVICE")


@pytest.fixture(scope="session")
def unigrad_level(request: pytest.FixtureRequest) -> Level:
    """How much of the suite is run."""
    return _level(request.config)


@pytest.fixture(scope="session")
def unigrad_frameworks(request: pytest.FixtureRequest) -> dict[str, str | None]:
    """Load the backends, once, in an order that all of them bear; say why one is absent."""
    from unigrad_conformance.backends import load_all

    return load_all(_names(request.config))
