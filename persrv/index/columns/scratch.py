"""Arrays of zeros that searches borrow: to make them anew would cost more than most searches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue

import numpy as np
from numpy.typing import NDArray


class Scratch:
    """Arrays with one number for each row, for one search at a time, which leaves zeros behind.

    Args:
        rows: Of the collection.

    Attributes:
        seen: Shape (rows or more,), bool.
        picked: The same.
        flags: The same.
        places: Shape (rows or more,), int32.
    """

    def __init__(self, rows: int) -> None:
        # Some more, so that a few new stickers need no new arrays.
        self.rows = rows + rows // 50 + 1_000
        self.seen = np.zeros(self.rows, np.bool_)
        self.picked = np.zeros(self.rows, np.bool_)
        self.flags = np.zeros(self.rows, np.bool_)
        self.places = np.zeros(self.rows, np.int32)
        self._sums: list[NDArray[np.float32]] = []

    def sums(self, number: int) -> NDArray[np.float32]:
        """Return the array of this number, from 0, shape (rows or more,), float32."""
        while len(self._sums) <= number:
            self._sums.append(np.zeros(self.rows, np.float32))
        return self._sums[number]


class ScratchPool:
    """As many as searches went on at once. Safe for several threads."""

    def __init__(self) -> None:
        self._free: LifoQueue[Scratch] = LifoQueue()

    @contextmanager
    def lend(self, rows: int) -> Iterator[Scratch]:
        """Lend arrays of zeros for so many rows; whatever fails in the block, they are not lent again."""
        try:
            scratch = self._free.get_nowait()
        except Empty:
            scratch = Scratch(rows)
        if scratch.rows < rows:
            scratch = Scratch(rows)
        yield scratch
        self._free.put(scratch)
