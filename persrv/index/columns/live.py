"""The columns of one version on the disk, kept up to what is written to its engine.

::

    columns/
    ├── 7/                 one generation: the arrays of a segment, and ``changed``
    │   └── changed        ids of the stickers that were written since, 16 bytes each
    └── 8.part/            the next one, until it is whole

Whatever is written to the engine is announced in ``changed`` first, on the disk. Who opens the columns reads those
stickers from the engine, so that a kill at any moment, or a power cut, leaves nothing that is out of date.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.durable import extend_file
from persrv.errors import PersrvError, VectorIndexError
from persrv.index.columns.columns import Columns
from persrv.index.columns.generations import (
    CHANGED,
    ID_BYTES,
    announced,
    newest,
    remove_others,
    whole_ids,
    write_generation,
)
from persrv.index.columns.merging import merge
from persrv.index.columns.segment import Segment
from persrv.index.columns.verification import check_rows
from persrv.index.engine import Collection
from persrv.index.language import Point, Record
from persrv.index.schema import PICKED, TEXT, point_id, sticker_id_of

MOST_CHANGED = 5_000
"""Stickers that changed, from which on the next flush writes another generation."""

MOST_ANNOUNCED = 100_000
"""The same for changes that were announced, most of them of the same stickers: whoever opens the columns reads them."""

MOST_SEGMENTS = 8
"""Segments of changes, from which on they become one."""

_TOGETHER = 4_096
"""Stickers that are read from the engine at once."""


_log = logging.getLogger("persrv")


class LiveColumns:
    """The columns of one version; readers take :attr:`now`. Safe for several threads.

    Args:
        folder: ``.../columns``.
        collection: The engine's points.
        generation: Number of the generation in the folder.
        columns: What it holds, with what changed since.
    """

    def __init__(self, folder: Path, collection: Collection, generation: int, columns: Columns) -> None:
        self._folder = folder
        self._collection = collection
        self._generation = generation
        self._columns: Columns | None = columns
        self._patience = 1
        self._writing = RLock()

    @classmethod
    def open(cls, folder: Path, collection: Collection) -> LiveColumns | None:
        """Open the columns of a version, ``None`` where there are none that can be used: the engine answers alone.

        Those that cannot be used are removed: nobody would take out of them what is to be forgotten.
        """
        try:
            generation = newest(folder)
            if generation is None:
                return None
            with suppress(OSError):
                remove_others(folder, generation)
            changed = announced(folder / str(generation))
            columns = Columns([Segment.load(folder / str(generation))])
            check_rows(folder / str(generation), columns.rows)
            if changed:
                points = read_points(collection, changed)
                there = {sticker_id_of(point.id) for point in points}
                columns = columns.changed(_segment(collection, points), set(changed) - there)
            if columns.count != collection.count():
                raise ValueError(f"{columns.count} stickers in place of the engine's {collection.count()}")
        except (OSError, ValueError) as error:
            _log.warning("%s cannot be used, searches are slower until the next build: %s", folder, error)
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return cls(folder, collection, generation, columns)

    @property
    def now(self) -> Columns | None:
        """The columns as they are; ``None`` where nobody knows what the engine holds."""
        return self._columns

    @contextmanager
    def changing(self, points: Sequence[Point], removed: Sequence[str] = ()) -> Iterator[None]:
        """Follow a change that is written to the engine inside.

        Args:
            points: Written whole.
            removed: Ids of points that are deleted.
        """
        by_id = {point.id: point for point in points}
        gone = [point for point in removed if point not in by_id]
        with self._writing:
            self._announce([sticker_id_of(point) for point in (*by_id, *gone)])
            try:
                yield
            except BaseException:
                # Nobody knows what of it was written.
                self._follow_engine([*by_id, *gone])
                raise
            self._take([*by_id.values()], gone)

    @contextmanager
    def changing_parts(self, ids: Sequence[str]) -> Iterator[None]:
        """Follow a change of parts of points, which are read from the engine behind it.

        Args:
            ids: Of the points.
        """
        with self._writing:
            self._announce([sticker_id_of(point) for point in ids])
            try:
                yield
            finally:
                self._follow_engine(ids)

    def settle(self) -> None:
        """Write another generation where much has changed.

        A disk that refuses it is no reason to stop: all that changed stays announced.
        """
        with self._writing:
            columns = self._still_there()
            if columns is None:
                return
            waiting = whole_ids(self._folder / str(self._generation))
            if max(self._changes(columns) / MOST_CHANGED, waiting / MOST_ANNOUNCED) <= self._patience:
                return
            try:
                self.compact()
                self._patience = 1
            except VectorIndexError as error:
                _log.warning("changes are gathered later, and the next opening takes longer: %s", error)
                self._patience *= 2

    def compact(self) -> None:
        """Write another generation, without what is out of date, and remove the one before.

        Raises:
            VectorIndexError: The disk refuses; the columns stay as they are, or something of the one before is left.
        """
        with self._writing:
            columns = self._still_there()
            if columns is not None and whole_ids(self._folder / str(self._generation)):
                self._write_next(columns)
            try:
                remove_others(self._folder, self._generation)
            except OSError as error:
                raise VectorIndexError(f"{self._folder} cannot be tidied: {error}", "remove what is named") from error

    def _write_next(self, columns: Columns) -> None:
        # What the engine loses in a power cut must not stand in a generation without being announced.
        self._collection.flush()
        generation = self._generation + 1
        try:
            write_generation(self._folder, generation, columns.kept())
            self._columns = Columns([Segment.load(self._folder / str(generation))], scratch=columns.scratch)
        except (OSError, ValueError) as error:
            # Changes go on being announced beside the one before: this one must not be the newest.
            with suppress(OSError):
                remove_others(self._folder, self._generation)
            raise VectorIndexError(
                f"{self._folder} cannot be written: {error}", "make room, or make the folder writable"
            ) from error
        self._generation = generation

    def _announce(self, sticker_ids: Sequence[str]) -> None:
        generation = self._folder / str(self._generation)
        # What was given up and could not be removed is opened again: it must know of changes.
        if not sticker_ids or (self._still_there() is None and not generation.exists()):
            return
        try:
            content = bytes.fromhex("".join(sticker_ids))
            extend_file(generation / CHANGED, whole_ids(generation) * ID_BYTES, content)
        except OSError as error:
            raise VectorIndexError(f"{generation} cannot be written: {error}", "make room") from error

    def _take(self, points: Sequence[Point | Record], gone: Sequence[str]) -> None:
        if self._columns is None:
            return
        try:
            made = _segment(self._collection, points)
        except (ValueError, TypeError, OverflowError) as error:  # of values that are in no column
            self._give_up(error)
            return
        columns = self._columns.changed(made, map(sticker_id_of, gone))
        if len(columns.segments) > MOST_SEGMENTS:
            base, *changes = columns.kept()
            columns = Columns(
                [base[0], merge(changes)],
                _dead_of(base[1], sum(int(kept.sum()) for _, kept in changes)),
                columns.scratch,
            )
        self._columns = columns

    def _follow_engine(self, ids: Sequence[str]) -> None:
        if self._columns is None:
            return
        try:
            points = read_points(self._collection, map(sticker_id_of, ids))
        except PersrvError as error:
            self._give_up(error)
            return
        there = {point.id for point in points}
        self._take(points, [point for point in ids if point not in there])

    def _still_there(self) -> Columns | None:
        """Return the columns; none once somebody removed their files, in which changes are announced."""
        if self._columns is not None and not (self._folder / str(self._generation) / CHANGED).exists():
            self._give_up(FileNotFoundError(f"{self._folder} is gone"))
        return self._columns

    def _give_up(self, error: Exception) -> None:
        """Let the engine answer alone from now on."""
        _log.warning("searches are slower until the next build: %s", error)
        self._columns = None
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def _changes(columns: Columns) -> int:
        return columns.rows - len(columns.segments[0])


def read_points(collection: Collection, sticker_ids: Iterable[str]) -> list[Record]:
    """Return the points of stickers that the engine has, with what columns are made of."""
    ids = [point_id(sticker_id) for sticker_id in dict.fromkeys(sticker_ids)]
    vectors = (TEXT, PICKED, collection.manifest.taste_vector)
    found: list[Record] = []
    for start in range(0, len(ids), _TOGETHER):
        found += collection.retrieve(ids[start : start + _TOGETHER], vectors)
    return found


def _segment(collection: Collection, points: Sequence[Point | Record]) -> Segment:
    manifest = collection.manifest
    return Segment.of(points, manifest.taste_vector, manifest.taste_dimension)


def _dead_of(kept: NDArray[np.bool_], others: int) -> NDArray[np.bool_] | None:
    return None if kept.all() else np.concatenate([~kept, np.zeros(others, np.bool_)])
