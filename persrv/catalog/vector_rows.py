"""Which row of a cache each sticker's vector has, without a Python object for each vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

_LENGTH = 32
_NAME = f"S{_LENGTH}"
_LEAST = 4_096


class VectorRows:
    """Sticker ids and their rows: 40 bytes each, sorted, and a dictionary of the newest until there are enough to sort.

    Rows are given in ascending order; of an id that comes twice the first row counts.
    """

    def __init__(self) -> None:
        self._names: NDArray[np.bytes_] = np.empty(0, _NAME)
        self._rows: Indices = np.empty(0, np.int64)
        self._newest: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._names) + len(self._newest)

    def extend(self, names: NDArray[np.bytes_], first: int) -> None:
        """Add ids that stand in rows from ``first`` on.

        Args:
            names: Shape (n,), 32 ASCII bytes each.
            first: Behind every row so far.
        """
        if len(names) < _LEAST:
            known = self._at(names) >= 0
            for row in np.flatnonzero(~known).tolist():
                self._newest.setdefault(bytes(names[row]), first + row)
            if len(self._newest) < max(_LEAST, len(self._names) // 8):
                return
            names, first = names[:0], 0
        rows = np.arange(first, first + len(names), dtype=np.int64)
        newest = np.array([*self._newest], _NAME)
        every = np.concatenate([self._names, newest, names])
        places = np.concatenate([self._rows, np.array([*self._newest.values()], np.int64), rows])
        self._newest = {}
        # The first of equal ids is the one with the lowest row.
        self._names, kept = np.unique(every, return_index=True)
        self._rows = places[kept]

    def of(self, ids: Sequence[str]) -> Indices:
        """Return the row of each id, shape (n_ids,), -1 for one that is not there."""
        return self._at(np.array([one if len(one) == _LENGTH and one.isascii() else "" for one in ids], _NAME))

    def in_order(self) -> tuple[list[str], Indices]:
        """Return all ids by their rows, and the rows, ascending."""
        names = np.concatenate([self._names, np.array([*self._newest], _NAME)])
        rows = np.concatenate([self._rows, np.array([*self._newest.values()], np.int64)])
        order = np.argsort(rows)
        return [name.decode("ascii") for name in names[order].tolist()], rows[order]

    def _at(self, names: NDArray[np.bytes_]) -> Indices:
        found = np.full(len(names), -1, np.int64)
        if len(self._names):
            places = np.minimum(np.searchsorted(self._names, names), len(self._names) - 1)
            same = self._names[places] == names
            found[same] = self._rows[places[same]]
        if self._newest:
            for number in np.flatnonzero(found < 0).tolist():
                found[number] = self._newest.get(bytes(names[number]), -1)
        return found


def whole_ids(content: bytes) -> NDArray[np.bytes_]:
    """Return the ids at the beginning of lines ``ID`` and a line feed, shape (n,), up to what is no such line."""
    table = np.frombuffer(content, np.uint8, len(content) // (_LENGTH + 1) * (_LENGTH + 1)).reshape(-1, _LENGTH + 1)
    digits = table[:, :_LENGTH]
    hexadecimal = ((digits >= ord("0")) & (digits <= ord("9"))) | ((digits >= ord("a")) & (digits <= ord("f")))
    wrong = np.flatnonzero(~hexadecimal.all(axis=1) | (table[:, _LENGTH] != ord("\n")))
    return np.ascontiguousarray(digits[: wrong[0] if len(wrong) else None]).view(_NAME)[:, 0]
