"""Reading and writing elements by index."""

__all__: list[str] = []
