"""Named variables to ndarrays and back, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import UnigradError
from unigrad.core.ndarrays import as_ndarray
from unigrad.core.variable import Variable


def state_of(named: Mapping[str, Variable]) -> dict[str, npt.NDArray[np.generic]]:
    """Return copies of the values by name."""
    return {name: variable._untaped().numpy() for name, variable in named.items()}


def load_into(named: Mapping[str, Variable], state: Mapping[str, Any], owner: str) -> None:
    """Assign values by name.

    Raises:
        UnigradError: when names, shapes or dtypes differ; then nothing is changed.
    """
    missing = sorted(set(named) - set(state))
    unknown = sorted(set(state) - set(named))
    faults = []
    if missing:
        faults.append(f"no value for {', '.join(missing)}")
    if unknown:
        faults.append(f"no variable for {', '.join(unknown)}")
    tensors = {}
    for name, variable in named.items():
        if name not in state:
            continue
        value = state[name]
        array = as_ndarray(value.numpy() if hasattr(value, "numpy") else value)
        if array.shape != variable.shape or array.dtype != variable.dtype:
            faults.append(
                f"{name} is {variable.dtype.name}{list(variable.shape)}, its value "
                f"{array.dtype.name}{list(array.shape)}"
            )
            continue
        tensors[name] = as_tensor(array, variable._untaped())
    if faults:
        built = "" if named else " (it has no variables yet: build or call it first)"
        raise UnigradError(f"the state does not fit {owner}{built}: {'; '.join(faults)}")
    for name, variable in named.items():
        variable.assign(tensors[name])
