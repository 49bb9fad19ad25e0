"""`Stream`: an iterator over epochs that knows where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from unigrad.core.errors import SettingError, ShapeError

if TYPE_CHECKING:
    from unigrad.data.datasets import Dataset


class Stream:
    """An iterator over epochs of a dataset; its position is two numbers.

    Where an element could not be made, `next` raises what its source or function raised, and goes
    on behind it when it is called again. (A generator that raised is over, and so is its epoch.)

    Args:
        dataset: what to go through.
        epochs: how many epochs; None for ever.

    Attributes:
        epoch: which one it is in, from 0 on.
        position: how many elements of it were given, those that could not be made among them.

    Raises:
        ShapeError: at an epoch without elements, if it is to go on for ever.

    Example:
        >>> import unigrad as ug
        >>> numbers = ug.data.dataset(list(range(5))).shuffle(1)
        >>> first, second = numbers.stream(), numbers.stream()
        >>> _ = [next(first) for _ in range(7)]
        >>> second.load_state_dict(first.state_dict())
        >>> first.state_dict(), next(first) == next(second)
        ({'epoch': 1, 'position': 2}, True)
    """

    def __init__(self, dataset: Dataset, epochs: int | None = None) -> None:
        from unigrad.data.datasets import positive

        self._dataset = dataset
        self._epochs = None if epochs is None else positive("stream", "epochs", epochs, least=0)
        self.epoch = 0
        self.position = 0
        self._elements: Iterator[Any] | None = None

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        while self._epochs is None or self.epoch < self._epochs:
            if self._elements is None:
                self._elements = self._dataset.elements(self.epoch, self.position)
            try:
                element = next(self._elements)
            except StopIteration:
                if self._epochs is None and not self.position:
                    raise ShapeError(f"stream: epoch {self.epoch} has no element") from None
                self.epoch, self.position, self._elements = self.epoch + 1, 0, None
                continue
            except Exception:
                # It counts, so that the next one is behind it.
                self.position += 1
                raise
            except BaseException:
                # Interrupted: the element was not given, and is read again.
                self._elements = None
                raise
            self.position += 1
            return element
        raise StopIteration

    def close(self) -> None:
        """Stop reading; a thread that reads ahead ends."""
        closing = getattr(self._elements, "close", None)
        if closing is not None:
            closing()
        self._elements = None

    def state_dict(self) -> dict[str, int]:
        """Return the position."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a position.

        Raises:
            SettingError: when it is none; then nothing is changed.
        """
        from unigrad.data.datasets import positive

        if set(state) != {"epoch", "position"}:
            raise SettingError(f"stream: a position has epoch and position, not {sorted(state)}")
        epoch = positive("stream", "epoch", state["epoch"], least=0)
        position = positive("stream", "position", state["position"], least=0)
        self.close()
        self.epoch, self.position = epoch, position
