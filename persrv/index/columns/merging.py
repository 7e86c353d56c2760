"""Several segments made one: in memory, or in files, where what is held does not grow with the inverted lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.array_file import ArrayFile
from persrv.index.columns.postings import Postings, merged
from persrv.index.columns.segment import TABLES, Segment, keys_of

_PLAIN = ("ids", "groups", "utility", "trending", "regions", "styles")
"""Columns with a value for each row, in the order of the rows."""

_ROWS_AT_ONCE = 1 << 14


def merge(parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> Segment:
    """Return several segments as one, in memory.

    Args:
        parts: Each with the rows that are kept, shape (n,).
    """
    numbers = _numbers([kept for _, kept in parts])
    tables = {}
    for table in TABLES:
        whole = [*merged([(part.tables[table], new) for (part, _), new in zip(parts, numbers, strict=True)])]
        tables[table] = _joined(whole) if whole else parts[0][0].tables[table]
    plain = {name: np.concatenate([getattr(part, name)[kept] for part, kept in parts]) for name in _PLAIN}
    return Segment.ordered(**plain, tables=tables)


def write_merged(parts: Sequence[tuple[Segment, NDArray[np.bool_]]], folder: Path) -> None:
    """Write several segments as one into a new folder; what is held in memory does not grow with their inverted lists.

    Args:
        parts: As for :func:`merge`.
        folder: Read by :meth:`Segment.load`.
    """
    folder.mkdir()
    numbers = _numbers([kept for _, kept in parts])
    for name in _PLAIN:
        _write_rows(folder / f"{name}.npy", [(getattr(part, name), kept) for part, kept in parts])
    for table in TABLES:
        _write_lists(folder, table, [(part.tables[table], new) for (part, _), new in zip(parts, numbers, strict=True)])
    ids, trending = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("ids", "trending"))
    keys = keys_of(ids)
    by_key = np.argsort(keys, kind="stable")
    np.save(folder / "keys.npy", keys[by_key])
    np.save(folder / "by_key.npy", by_key.astype(np.uint32))
    np.save(folder / "popular.npy", np.argsort(-trending, kind="stable").astype(np.uint32))


def _write_rows(file: Path, parts: Sequence[tuple[NDArray[Any], NDArray[np.bool_]]]) -> None:
    first = parts[0][0]
    with ArrayFile(file, first.dtype, first.shape[1:]) as out:
        for array, kept in parts:
            for start in range(0, len(array), _ROWS_AT_ONCE):
                out.append(array[start : start + _ROWS_AT_ONCE][kept[start : start + _ROWS_AT_ONCE]])


def _write_lists(folder: Path, table: str, parts: Sequence[tuple[Postings, NDArray[np.int64]]]) -> None:
    dimensions, starts, end = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], 0
    with (
        ArrayFile(folder / f"{table}.rows.npy", np.uint32) as rows,
        ArrayFile(folder / f"{table}.values.npy", np.float32) as values,
    ):
        for lists in merged(parts):
            rows.append(lists.rows)
            values.append(lists.values)
            dimensions.append(lists.dimensions)
            starts.append(lists.starts[:-1] + end)
            end += len(lists.rows)
    np.save(folder / f"{table}.dimensions.npy", np.concatenate(dimensions))
    np.save(folder / f"{table}.starts.npy", np.append(np.concatenate(starts), end).astype(np.int64))


def _numbers(kept: Iterable[NDArray[np.bool_]]) -> list[NDArray[np.int64]]:
    """Return the new number of each row of each part, -1 where it is not kept."""
    numbers, before = [], 0
    for each in kept:
        new = np.cumsum(each) - 1 + before
        numbers.append(np.where(each, new, -1))
        before += int(each.sum())
    return numbers


def _joined(lists: Sequence[Postings]) -> Postings:
    before = np.cumsum([0, *(len(each.rows) for each in lists)])
    starts = [each.starts[:-1] + start for each, start in zip(lists, before, strict=False)]
    return Postings(
        np.concatenate([each.dimensions for each in lists]),
        np.append(np.concatenate(starts), before[-1]).astype(np.int64),
        np.concatenate([each.rows for each in lists]),
        np.concatenate([each.values for each in lists]),
    )
