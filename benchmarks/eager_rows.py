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


_PHASES = "the native side leaves signs and phases of vectors as LAPACK gives them"
#: Rows whose native side does less than unigrad's, by the conventions of the documentation.
NOTES = {
    "linalg.eig": f"{_PHASES}, and the order of the values",
    "linalg.eigvals": "the native side leaves the order of the values as LAPACK gives it",
    "linalg.eigh": _PHASES,
    "linalg.svd": _PHASES,
    "linalg.qr": "the native side leaves the signs of R's diagonal as LAPACK gives them",
    "linalg.lstsq": "the native side has no residuals where the rank is not full",
    "interp": "NumPy has no derivative, and does not look whether the places increase",
    "digitize": "torch does not look whether the bounds increase",
    "put_along_axis": "torch takes no negative index, and any of the values for one place",
    "special.zeta": "torch has numbers where the function has none",
    "special.j0": "torch's is right to fewer digits",
    "special.y0": "torch's is right to fewer digits",
    "nanmedian": "torch takes the lower one of two elements in the middle",
}
