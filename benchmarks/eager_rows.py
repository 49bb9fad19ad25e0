"""A row of the tables of eager operations: the same in unigrad and in each framework."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One operation as it is written in unigrad and in each framework."""

    name: str
    unigrad: str
    numpy: str | None = None
    torch: str | None = None
    jax: str | None = None
    tensorflow: str | None = None


def same(name: str, arguments: str = "x", tensorflow: str | None = None, **other: str) -> Row:
    """Return a row of a function that has the same name nearly everywhere."""
    call = f"{name}({arguments})"
    return Row(
        name,
        other.get("unigrad", f"ug.{call}"),
        other.get("numpy", f"np.{call}"),
        other.get("torch", f"torch.{call}"),
        other.get("jax", f"jnp.{call}"),
        f"tf.{call}" if tensorflow is None else tensorflow,
    )
