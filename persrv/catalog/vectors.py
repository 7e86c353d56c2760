"""The cache of image vectors beside the catalog, so that a rebuild of the index reads no picture.

Three files grow side by side: ``NAME.f16`` holds one row of little-endian float16 for each sticker, ``NAME.crc`` its
check sum and ``NAME.ids`` the sticker's id and a line feed in the same place. A row's vector and check sum reach the
disk before its id is written, so an id that can be read always has both. Whatever a crash left behind the last whole
row is ignored by readers and cut off by the next writer.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
import portalocker
from numpy.typing import NDArray

from persrv.catalog.durable import extend_file, sync_folder
from persrv.catalog.identity import check_sticker_id
from persrv.catalog.row_checksums import RowChecksums
from persrv.catalog.vector_rows import VectorRows, whole_ids
from persrv.errors import CatalogError, NotFoundError

_ROW_TYPE = np.dtype("<f2")
_LARGEST = float(np.finfo(_ROW_TYPE).max)
_ID_BYTES = 33
_LOOK_AGAIN_SECONDS = 0.02
_CHECKED_AT_ONCE = 10_000


class VectorCache:
    """The vectors of one encoder at one revision. Any number of processes and threads may read while one writes.

    Args:
        folder: Where the files lie; made where it is missing.
        encoder: The encoder's name.
        revision: The encoder's revision: vectors of another revision lie in other files.
        dimension: Length of a vector, >= 1.
        wait: Seconds to wait for another writer.

    Raises:
        CatalogError: The files cannot be read or made.
    """

    def __init__(self, folder: Path, encoder: str, revision: str, dimension: int, *, wait: float = 60.0) -> None:
        if dimension < 1:
            raise CatalogError(f"vectors cannot have {dimension} dimensions", "give the encoder's dimension")
        self._use(folder, _file_name(encoder, revision, dimension), dimension, wait)

    @classmethod
    def all_in(cls, folder: Path) -> list[Self]:
        """Open every cache that lies in a folder, whichever encoder made it.

        Raises:
            CatalogError: The files cannot be read.
        """
        found = []
        for file in sorted(folder.glob("*-*-*.ids")):
            dimension = file.stem.rsplit("-", 2)[-2]
            if dimension.isdecimal():
                cache = cls.__new__(cls)
                cache._use(folder, file.stem, int(dimension), 60.0)
                found.append(cache)
        return found

    @property
    def file(self) -> Path:
        """The vectors' file."""
        return self._vector_file

    def _use(self, folder: Path, name: str, dimension: int, wait: float) -> None:
        self.dimension = dimension
        self.folder = folder
        self._vector_file, self._id_file, self._lock_file = (folder / (name + end) for end in (".f16", ".ids", ".lock"))
        self._checksums = RowChecksums(folder / f"{name}.crc")
        self._row_bytes = dimension * _ROW_TYPE.itemsize
        self._wait = wait
        self._thread = threading.RLock()
        self._known = VectorRows()
        self._read_rows = 0
        self._vectors: NDArray[np.float16] = np.empty((0, dimension), dtype=_ROW_TYPE)
        with self._mapped("opened"):
            folder.mkdir(parents=True, exist_ok=True)
            self._refresh()

    def __len__(self) -> int:
        """Return how many stickers have a vector here."""
        with self._mapped("read"):
            self._refresh()
        return len(self._known)

    def __contains__(self, sticker_id: object) -> bool:
        return isinstance(sticker_id, str) and not self.missing([sticker_id])

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Return the ids that have no vector yet, each once, in their order.

        Raises:
            CatalogError: The files cannot be read.
        """
        with self._mapped("read"):
            self._refresh()
        with self._thread:
            rows = self._known.of(ids)
        return [*dict.fromkeys(ids[number] for number in np.flatnonzero(rows < 0).tolist())]

    def get(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors, shape (n_ids, dimension), in the order of ``ids``, rounded to what float16 can hold.

        Raises:
            NotFoundError: Naming the first id without a vector.
            CatalogError: The files cannot be read, or a vector is not what was stored.
        """
        return self.stored(ids).astype(np.float32)

    def stored(self, ids: Sequence[str]) -> NDArray[np.float16]:
        """Return the vectors of :meth:`get` as they are stored, in half the memory; errors are the same."""
        with self._mapped("read"), self._thread:
            absent = self.missing(ids)
            if absent:
                raise NotFoundError(f"sticker {absent[0]} has no vector in {self._vector_file.name}", "encode it first")
            rows = self._known.of(ids).tolist()
            vectors: NDArray[np.float16] = self._vectors[rows]
            if damaged := self._checksums.damaged(ids, rows, vectors):
                raise CatalogError(
                    f"the vector of sticker {ids[damaged[0]]} in {self._vector_file} is damaged", "run persrv repair"
                )
        return vectors

    def damaged(self) -> list[str]:
        """Return the ids whose vectors are not what was stored; reads everything.

        Raises:
            CatalogError: The files cannot be read.
        """
        wrong: list[str] = []
        with self._mapped("read"), self._thread:
            self._refresh()
            names, places = self._known.in_order()
            for start in range(0, len(names), _CHECKED_AT_ONCE):
                ids = names[start : start + _CHECKED_AT_ONCE]
                rows = places[start : start + _CHECKED_AT_ONCE].tolist()
                wrong += [ids[at] for at in self._checksums.damaged(ids, rows, self._vectors[rows])]
        return wrong

    def drop(self, ids: Sequence[str]) -> None:
        """Remove vectors, so that they are made again; all are gone where this is interrupted.

        Raises:
            CatalogError: The files cannot be written, or another writer does not finish in time.
        """
        with self._mapped("written"), self._only_writer(), self._thread:
            self._refresh()
            gone, vectors = set(ids), self._vectors
            names, rows = self._known.in_order()
            kept = [(name, row) for name, row in zip(names, rows.tolist(), strict=True) if name not in gone]
            self.close()
            # The ids go first. Others may have the files mapped, so that new ones take their place.
            for file in (self._id_file, self._vector_file, self._vector_file.with_suffix(".crc")):
                file.unlink(missing_ok=True)
                sync_folder(self.folder)
            for start in range(0, len(kept), _CHECKED_AT_ONCE):
                chunk = kept[start : start + _CHECKED_AT_ONCE]
                self._add([sticker_id for sticker_id, _ in chunk], vectors[[row for _, row in chunk]])

    def everything(self) -> tuple[list[str], NDArray[np.float16]]:
        """Return all ids in the order in which they were stored, n of them, and their vectors, shape (n, dimension).

        The vectors are mapped, not read: only the pages that are looked at come into memory.

        Raises:
            CatalogError: The files cannot be read.
        """
        with self._mapped("read"), self._thread:
            self._refresh()
            names, rows = self._known.in_order()
            return names, self._vectors if len(rows) == len(self._vectors) else self._vectors[rows]

    def in_order(self, ids: Iterable[str]) -> list[str]:
        """Return those of the ids that have a vector in the order in which they were stored."""
        with self._mapped("read"), self._thread:
            self._refresh()
            names = [*ids]
            rows = self._known.of(names).tolist()
        return [sticker_id for row, sticker_id in sorted(zip(rows, names, strict=True)) if row >= 0]

    def append(self, ids: Sequence[str], vectors: NDArray[np.floating]) -> None:
        """Store vectors, on the disk when this returns; ids that have one already keep it.

        Args:
            ids: Sticker ids; of an id given twice the first vector counts.
            vectors: Shape (n_ids, dimension), finite, each |x| <= 65,504.

        Raises:
            CatalogError: The shape is another, a value does not fit float16, another writer does not finish in time:
                nothing is stored then. Or the files cannot be written: the first of the vectors may be stored then.
        """
        self._check(ids, vectors)
        with self._mapped("written"), self._only_writer(), self._thread:
            self._refresh()
            first = {sticker_id: row for row, sticker_id in reversed(list(enumerate(ids)))}
            new = self._known.of([*first]) < 0
            rows = sorted(row for row, wanted in zip(first.values(), new, strict=True) if wanted)
            if rows:
                self._add([ids[row] for row in rows], vectors[rows].astype(_ROW_TYPE))

    def _add(self, ids: Sequence[str], vectors: NDArray[np.float16]) -> None:
        first = self._read_rows
        # Ids that lost their vectors must be gone before other vectors come to stand in their rows.
        extend_file(self._id_file, first * _ID_BYTES, b"")
        if (summed := len(self._checksums)) < first:
            # Rows of a time without check sums are taken as they are now.
            self._checksums.extend(summed, self._names(summed, first), self._vectors[summed:first])
        extend_file(self._vector_file, first * self._row_bytes, vectors.tobytes())
        self._checksums.extend(first, ids, vectors)
        extend_file(self._id_file, first * _ID_BYTES, "".join(f"{sticker_id}\n" for sticker_id in ids).encode())
        sync_folder(self.folder)
        self._refresh()

    def close(self) -> None:
        """Let go of the files; closing twice is harmless, and the next use opens them again."""
        with self._thread:
            self._vectors = np.empty((0, self.dimension), dtype=_ROW_TYPE)
            self._known, self._read_rows = VectorRows(), 0
            self._checksums.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _check(self, ids: Sequence[str], vectors: NDArray[np.floating]) -> None:
        if vectors.shape != (len(ids), self.dimension):
            raise CatalogError(
                f"the array's shape is {vectors.shape}, not ({len(ids)}, {self.dimension})",
                "give one row for each id",
            )
        for sticker_id, vector in zip(ids, vectors, strict=True):
            check_sticker_id(sticker_id)
            if not storable(vector):
                raise CatalogError(
                    f"the vector of sticker {sticker_id} holds a value that is not finite or above {_LARGEST:.0f}",
                    "correct the encoder, or scale its vectors",
                )

    def _names(self, first: int, end: int) -> list[str]:
        """Return the ids of some rows as they stand in the file."""
        with self._id_file.open("rb") as file:
            file.seek(first * _ID_BYTES)
            content = file.read((end - first) * _ID_BYTES)
        return content.decode("ascii").splitlines()

    def _only_writer(self) -> portalocker.Lock:
        return portalocker.Lock(self._lock_file, "a", timeout=self._wait, check_interval=_LOOK_AGAIN_SECONDS)

    def _refresh(self) -> None:
        """Read the ids that were added since the last look, and map their vectors."""
        with self._thread:
            if not (self._id_file.exists() and self._vector_file.exists()):
                return
            with self._id_file.open("rb") as file:
                file.seek(self._read_rows * _ID_BYTES)
                # The ids are read before the vectors are measured: a writer may be adding both.
                tail = file.read()
            rows = min(self._read_rows + len(tail) // _ID_BYTES, self._vector_file.stat().st_size // self._row_bytes)
            if rows <= self._read_rows:
                return
            added = whole_ids(tail[: (rows - self._read_rows) * _ID_BYTES])
            if len(added):
                shape = (self._read_rows + len(added), self.dimension)
                self._vectors = np.memmap(self._vector_file, dtype=_ROW_TYPE, mode="r", shape=shape)
            self._known.extend(added, self._read_rows)
            self._read_rows += len(added)

    @contextmanager
    def _mapped(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CatalogError(
                f"the vectors {self._vector_file} cannot be {verb}: {error.strerror}",
                "check the folder, its rights and its space",
            ) from error
        except portalocker.exceptions.BaseLockException as error:
            raise CatalogError(
                f"the vectors {self._vector_file} are being written by another process", "let it finish, and try again"
            ) from error


def storable(vector: NDArray[np.floating]) -> bool:
    """Return whether a vector, shape (dimension,), is finite and fits float16, so that a cache can hold it."""
    return bool((np.abs(vector) <= _LARGEST).all())


def _file_name(encoder: str, revision: str, dimension: int) -> str:
    # The readable part can be the same for two encoders, the digest cannot.
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{encoder}-{revision}")[:80].lstrip(".")
    digest = hashlib.sha256(repr((encoder, revision, dimension)).encode()).hexdigest()[:12]
    return f"{readable}-{dimension}-{digest}"
