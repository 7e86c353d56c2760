"""Arrays that grow in their files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray


class ArrayFile:
    """A ``.npy`` file to which rows are added; how many there are is written into its header at the end.

    Each row is written once, and nothing of it is held in memory. Nobody waits for the disk.

    Args:
        file: Written anew.
        dtype: Of the numbers.
        row: Shape of one row, ``()`` for a number.
    """

    def __init__(self, file: Path, dtype: DTypeLike, row: tuple[int, ...] = ()) -> None:
        self._dtype = np.dtype(dtype)
        self._row = row
        self._rows = 0
        self._out = file.open("wb")
        self._write_header()

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows, shape (n, ...)."""
        self._out.write(np.ascontiguousarray(rows, self._dtype).data)
        self._rows += len(rows)

    def close(self) -> None:
        """Write the header.

        Raises:
            OSError: The disk refuses.
        """
        try:
            self._out.seek(0)
            # NumPy leaves room in it for any number of rows.
            self._write_header()
        finally:
            self._out.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *exc: object) -> None:
        if failure is None:
            self.close()
            return
        with suppress(OSError):  # the disk refuses once more what it refused before
            self._out.close()

    def _write_header(self) -> None:
        shape = (self._rows, *self._row)
        header = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._out, header)
