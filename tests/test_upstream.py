"""What we found in the frameworks is still so, and unigrad gives what is right."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad_conformance import upstream

PAGE = Path(__file__).parent.parent / "docs" / "upstream.md"
_NAMES = {"math": math, "inf": math.inf, "nan": math.nan, "complex": complex, "ug": ug}
#: The digits that a row gives.
_CLOSE = {"rtol": 2e-3, "atol": 0.0, "equal_nan": True}


def _adam(ug: Any) -> Any:
    w = ug.Variable(np.asfortranarray(np.zeros((2, 3), "float32")))
    gradient = ug.asarray([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]], dtype="float32")
    ug.optimizers.Adam(1.0).apply_gradients([(gradient, w)])
    return w.numpy().tolist()


_NAMES["ours"] = SimpleNamespace(adam=_adam)


def same(got: Any, want: Any) -> bool:
    """Tell whether two answers agree, to the digits of the row and the signs of its zeros."""
    got, want = np.asarray(got), np.asarray(want)
    return bool(
        got.shape == want.shape
        and np.allclose(got, want, **_CLOSE)
        and (
            got.dtype.kind == "c" or (np.signbit(got[got == 0]) == np.signbit(want[got == 0])).all()
        )
    )


@pytest.mark.parametrize("row", upstream.ROWS, ids=lambda row: row.name)
def test_the_framework_still_gives_that(row: upstream.Row) -> None:
    load_backend(row.library)
    names: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        exec(f"{upstream.HEADS[row.library]}\n{row.code}", names)
    wrong, right = eval(row.gives, _NAMES), eval(row.right, _NAMES)
    has = torch.cpu.get_capabilities().get
    spared = (row.needs and not has(row.needs)) or (row.lacks and has(row.lacks))
    expected = right if spared else wrong
    assert same(names["found"], expected), f"gives {names['found']} now: it has been changed"
    assert not same(wrong, right)
    assert len(row.code.splitlines()) <= 10


@pytest.mark.parametrize(
    "row", [one for one in upstream.ROWS if one.ours], ids=lambda row: row.name
)
def test_unigrad_gives_what_is_right(row: upstream.Row, backend: str) -> None:
    with np.errstate(all="ignore"):
        found = eval(row.ours, _NAMES)
    right = eval(row.right, _NAMES)
    fine = np.allclose(found, right, **_CLOSE)
    assert fine != (backend in row.but), f"{found}, not {right}"


def test_the_page_is_this_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == upstream.page()
    assert len(upstream.ROWS) >= 25
