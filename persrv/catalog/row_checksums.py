"""Check sums of the rows of a vector cache, four bytes each, in a file beside it.

A vector file is only numbers: a bit that a disk turned over would make another picture of it, and nobody would notice.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.durable import extend_file

BYTES = 4
"""Of one check sum: CRC-32 of the sticker's id and the row's bytes, little-endian."""

_TYPE = np.dtype("<u4")


class RowChecksums:
    """The check sums of one cache, in the order of its rows; rows behind the file's end have none yet.

    Args:
        file: Where they lie; need not exist.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: NDArray[np.uint32] = np.empty(0, _TYPE)

    def damaged(self, ids: Sequence[str], rows: Sequence[int], vectors: NDArray[np.float16]) -> list[int]:
        """Return the positions in ``rows`` whose vector is not what was stored.

        Args:
            ids: Sticker id of each row.
            rows: Numbers of the rows.
            vectors: What is read of them, shape (n_rows, dimension).
        """
        if rows and max(rows) >= len(self._known):
            self._read()
        wrong = []
        for position, (sticker_id, row) in enumerate(zip(ids, rows, strict=True)):
            if row < len(self._known) and _sum(sticker_id, vectors[position]) != self._known[row]:
                wrong.append(position)
        return wrong

    def extend(self, first: int, ids: Sequence[str], vectors: NDArray[np.float16]) -> None:
        """Store the check sums of rows from ``first`` on, on the disk when this returns.

        Args:
            first: Number of the first row; there are check sums of all before.
            ids: Sticker id of each.
            vectors: Shape (n_ids, dimension).
        """
        sums = np.fromiter(_sums(ids, vectors), _TYPE, len(ids))
        extend_file(self._file, first * BYTES, sums.tobytes())
        self.forget()

    def __len__(self) -> int:
        """Return how many rows have a check sum."""
        return self._file.stat().st_size // BYTES if self._file.exists() else 0

    def forget(self) -> None:
        """Read the file again at the next use."""
        self._known = np.empty(0, _TYPE)

    def _read(self) -> None:
        if self._file.exists():
            content = self._file.read_bytes()
            self._known = np.frombuffer(content, _TYPE, len(content) // BYTES)


def _sums(ids: Sequence[str], vectors: NDArray[np.float16]) -> Iterable[int]:
    return (_sum(sticker_id, vector) for sticker_id, vector in zip(ids, vectors, strict=True))


def _sum(sticker_id: str, vector: NDArray[np.float16]) -> int:
    return zlib.crc32(np.ascontiguousarray(vector).data, zlib.crc32(sticker_id.encode()))
