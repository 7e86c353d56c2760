"""Some stickers' columns: arrays with one row for each, and the inverted lists of their words, picks and payload."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from tokenize import TokenError
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.postings import Postings
from persrv.index.language import Point, Record
from persrv.index.schema import FILTERS, GROUP, PICKED, STYLE_CLUSTER, TEXT, TRENDING, sticker_id_of
from persrv.text.bm25f import SparseVector

FACETS = "facets"
"""Name of the lists of payload values, see :func:`facet`."""

TABLES = (TEXT, PICKED, FACETS)

LISTED = (*FILTERS, STYLE_CLUSTER)
"""Payload keys whose values have lists."""

NOWHERE = -1
"""Region of a sticker that has none."""


@lru_cache(1 << 14, typed=True)
def facet(key: str, value: str | int | bool) -> int:
    """Return the dimension of a payload value in the lists :data:`FACETS`, a hash in [0, 2**64)."""
    digest = blake2b(json.dumps([key, value]).encode("utf-8", "surrogatepass"), digest_size=8, person=b"facet")
    return int.from_bytes(digest.digest(), "big")


@dataclass(frozen=True, slots=True)
class Segment:
    """The columns of n stickers; arrays may be mapped from files.

    Attributes:
        ids: Bytes of the sticker ids, shape (n, 16), uint8.
        groups: Bytes of the ids of their groups of near-duplicates, zero for none, shape (n, 16), uint8.
        utility: In [0, 1], shape (n,), float64.
        trending: What popular stickers are ordered by, shape (n,), float64.
        regions: Numbers of their regions of the space of style, shape (n,), int16, see :data:`NOWHERE`.
        styles: Vectors in the space of style, unit or zero rows, shape (n, d), float32.
        keys: First eight bytes of the ids as numbers, ascending, shape (n,), uint64.
        by_key: Their rows, shape (n,), uint32.
        popular: Rows by ``trending``, largest first, shape (n,), uint32.
        tables: Name of :data:`TABLES` to the inverted lists.
    """

    ids: NDArray[np.uint8]
    groups: NDArray[np.uint8]
    utility: NDArray[np.float64]
    trending: NDArray[np.float64]
    regions: NDArray[np.int16]
    styles: NDArray[np.float32]
    keys: NDArray[np.uint64]
    by_key: NDArray[np.uint32]
    popular: NDArray[np.uint32]
    tables: Mapping[str, Postings]

    def __len__(self) -> int:
        return len(self.utility)

    @classmethod
    def of(cls, points: Sequence[Point | Record], using: str, dimension: int) -> Self:
        """Return the columns of points.

        Args:
            points: With their vectors and payload, each id once.
            using: Name of the vector in whose space styles lie.
            dimension: Its length.
        """
        ids = np.array([_bytes(sticker_id_of(point.id)) for point in points], np.uint8).reshape(-1, 16)
        groups = np.array([_bytes(str(point.payload.get(GROUP, ""))) for point in points], np.uint8).reshape(-1, 16)
        utility = np.array([float(point.payload.get("utility", 0.0)) for point in points])
        trending = np.array([float(point.payload.get(TRENDING, 0.0)) for point in points])
        regions = np.array([int(point.payload.get(STYLE_CLUSTER, NOWHERE)) for point in points], np.int16)
        styles = np.zeros((len(points), dimension), np.float32)
        for row, point in enumerate(points):
            if (style := point.vectors.get(using)) is not None:
                styles[row] = np.asarray(style, np.float32)
        tables = {name: _sparse_lists(points, name) for name in (TEXT, PICKED)}
        return cls.ordered(ids, groups, utility, trending, regions, styles, {**tables, FACETS: _facet_lists(points)})

    @classmethod
    def ordered(
        cls,
        ids: NDArray[np.uint8],
        groups: NDArray[np.uint8],
        utility: NDArray[np.float64],
        trending: NDArray[np.float64],
        regions: NDArray[np.int16],
        styles: NDArray[np.float32],
        tables: Mapping[str, Postings],
    ) -> Self:
        """Return the segment of these columns, with its rows by id and by popularity."""
        keys = keys_of(ids)
        by_key = np.argsort(keys, kind="stable")
        popular = np.argsort(-trending, kind="stable").astype(np.uint32)
        return cls(
            ids, groups, utility, trending, regions, styles, keys[by_key], by_key.astype(np.uint32), popular, tables
        )

    def rows_of(self, ids: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the row of each sticker, -1 where it is not here.

        Args:
            ids: Bytes of sticker ids, shape (m, 16).
        """
        found = np.full(len(ids), -1)
        keys = keys_of(ids)
        places = np.searchsorted(self.keys, keys)
        waiting = np.arange(len(ids))
        # Nearly always one turn: ids that begin alike stand behind one another.
        while len(waiting := waiting[places[waiting] < len(self)]):
            waiting = waiting[self.keys[places[waiting]] == keys[waiting]]
            rows = self.by_key[places[waiting]]
            same = (self.ids[rows] == ids[waiting]).all(axis=1)
            found[waiting[same]] = rows[same]
            waiting = waiting[~same]
            places[waiting] += 1
        return found

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """All arrays by name, those of a table as ``TABLE.NAME``."""
        own = {name: getattr(self, name) for name in self.__slots__ if name != "tables"}
        return own | {
            f"{table}.{name}": array for table, lists in self.tables.items() for name, array in lists.arrays.items()
        }

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        folder.mkdir()
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what :meth:`save` or :func:`persrv.index.columns.merging.write_merged` wrote.

        Raises:
            OSError: A file is missing.
            ValueError: A file is damaged.
        """

        def array(name: str) -> NDArray[Any]:
            mapped: NDArray[Any] = np.lib.format.open_memmap(folder / f"{name}.npy", "r")
            dtype, dimensions = _LAYOUT[name.rsplit(".", 1)[-1]]
            if mapped.dtype != dtype or mapped.ndim != dimensions:
                raise ValueError(f"{name}.npy in {folder} is another array")
            # A plain array of the mapped bytes: the other class costs at every slice.
            return mapped.view(np.ndarray)

        try:
            own = {name: array(name) for name in cls.__slots__ if name != "tables"}
            tables = {
                table: Postings(**{name: array(f"{table}.{name}") for name in Postings.__slots__}) for table in TABLES
            }
        except (EOFError, TypeError, SyntaxError, OverflowError, TokenError) as error:
            raise ValueError(f"a file in {folder} is no array: {error}") from error
        lengths = {len(column) for column in own.values()}
        widths = own["ids"].shape[1], own["groups"].shape[1]
        valued = all(len(each.values) == len(each.rows) for name, each in tables.items() if name != FACETS)
        inside = all(own[name].max(initial=0) < max(1, len(own[name])) for name in ("by_key", "popular"))
        fits = inside and valued and all(each.fits for each in tables.values())
        if len(lengths) > 1 or widths != (16, 16) or not fits:
            raise ValueError(f"the arrays in {folder} do not belong together")
        return cls(**own, tables=tables)


_LAYOUT = {
    "ids": (np.uint8, 2),
    "groups": (np.uint8, 2),
    "utility": (np.float64, 1),
    "trending": (np.float64, 1),
    "regions": (np.int16, 1),
    "styles": (np.float32, 2),
    "keys": (np.uint64, 1),
    "by_key": (np.uint32, 1),
    "popular": (np.uint32, 1),
    "dimensions": (np.uint64, 1),
    "starts": (np.int64, 1),
    "rows": (np.uint32, 1),
    "values": (np.float32, 1),
}
"""Type of the numbers of each array, and how many dimensions it has."""


def keys_of(ids: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the first eight bytes of ids, shape (n, 16), as numbers in their order, shape (n,)."""
    keys: NDArray[np.uint64] = np.ascontiguousarray(ids[:, :8]).view(">u8").ravel().astype(np.uint64)
    return keys


def _sparse_lists(points: Sequence[Point | Record], name: str) -> Postings:
    vectors = [vector if isinstance(vector := point.vectors.get(name), SparseVector) else None for point in points]
    lengths = [len(vector.indices) if vector else 0 for vector in vectors]
    dimensions = np.concatenate([np.zeros(0, np.uint64), *(np.array(v.indices, np.uint64) for v in vectors if v)])
    values = np.concatenate([np.zeros(0, np.float32), *(np.array(v.values, np.float32) for v in vectors if v)])
    return Postings.sorted(dimensions, np.repeat(np.arange(len(points), dtype=np.uint32), lengths), values)


def _facet_lists(points: Sequence[Point | Record]) -> Postings:
    dimensions, rows = [], []
    for row, point in enumerate(points):
        for key in LISTED:
            value = point.payload.get(key)
            if value is None:
                continue
            for each in dict.fromkeys(value) if isinstance(value, list | tuple) else (value,):
                dimensions.append(facet(key, each))
                rows.append(row)
    return Postings.sorted(np.array(dimensions, np.uint64), np.array(rows, np.uint32), np.zeros(0, np.float32))


def _bytes(sticker_id: str) -> list[int]:
    return list(bytes.fromhex(sticker_id) if sticker_id else bytes(16))
