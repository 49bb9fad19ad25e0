"""Sorting and searching."""

__all__: list[str] = []
