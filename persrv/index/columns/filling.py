"""The first generation of columns, made while a version is filled."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.generations import write_generation
from persrv.index.columns.merging import merge
from persrv.index.columns.segment import Segment
from persrv.index.language import Point, Record
from persrv.index.schema import sticker_id_of

_TOGETHER = 4_096
"""Stickers whose columns are made at once."""


class Filling:
    """Makes the columns of a version while it is filled; what is held in memory does not grow with it.

    Args:
        folder: ``.../columns``; made here.
        using: Name of the vector in whose space styles lie.
        dimension: Its length.
    """

    def __init__(self, folder: Path, using: str, dimension: int) -> None:
        self._folder = folder
        self._using = using
        self._dimension = dimension
        self._waiting: list[Segment] = []
        self._rows = 0
        self._removed: list[tuple[str, int]] = []
        self._parts: list[Path] = []
        self._drafts = folder / "filling.part"
        folder.mkdir()
        self._drafts.mkdir()

    def add(self, points: Sequence[Point | Record]) -> None:
        """Take points; those that were taken before are replaced."""
        if not points:
            return
        distinct = {point.id: point for point in points}
        self._waiting.append(Segment.of([*distinct.values()], self._using, self._dimension))
        self._rows += len(distinct)
        if sum(map(len, self._waiting)) >= _TOGETHER:
            self._put_aside()

    def remove(self, ids: Sequence[str]) -> None:
        """Leave out points that were taken before."""
        self._removed += [(sticker_id_of(point), self._rows) for point in ids]

    def finish(self) -> None:
        """Write the first generation."""
        self._put_aside()
        parts = [Segment.load(part) for part in self._parts]
        kept = self._last_ones([part.ids for part in parts])
        ends = np.cumsum([len(part) for part in parts])[:-1]
        write_generation(self._folder, 1, [*zip(parts, np.split(kept, ends), strict=True)])
        del parts
        shutil.rmtree(self._drafts)

    def _put_aside(self) -> None:
        if not self._waiting and self._parts:
            return
        waiting = self._waiting or [Segment.of([], self._using, self._dimension)]
        part = self._drafts / str(len(self._parts))
        merge([(each, np.ones(len(each), np.bool_)) for each in waiting]).save(part)
        self._waiting.clear()
        self._parts.append(part)

    def _last_ones(self, ids: Sequence[NDArray[np.uint8]]) -> NDArray[np.bool_]:
        """Return whether each row is the last one of its sticker, and was not removed afterwards, shape (rows,)."""
        whole = np.concatenate(ids).view("S16").ravel()  # a trailing zero byte is equal to none in every id alike
        by_id = np.argsort(whole, kind="stable")
        ordered = whole[by_id]
        last = np.ones(len(ordered), np.bool_)
        last[:-1] = ordered[1:] != ordered[:-1]
        kept = np.zeros(len(ordered), np.bool_)
        kept[by_id[last]] = True
        for sticker_id, before in self._removed:
            wanted = np.array(bytes.fromhex(sticker_id), "S16")
            rows = by_id[np.searchsorted(ordered, wanted) : np.searchsorted(ordered, wanted, "right")]
            kept[rows[rows < before]] = False
        return kept
