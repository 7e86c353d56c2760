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
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.durable import extend_file, sync_folder
from persrv.errors import PersrvError, VectorIndexError
from persrv.index.columns.columns import Columns
from persrv.index.columns.segment import Segment, merge, write_merged
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
"""Stickers whose columns are made at once."""

_CHANGED, _ID = "changed", 16

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
                _remove_others(folder, generation)
            changed = _announced(folder / str(generation))
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
            announced = _whole_ids(self._folder / str(self._generation))
            if max(self._changes(columns) / MOST_CHANGED, announced / MOST_ANNOUNCED) <= self._patience:
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
            if columns is not None and _whole_ids(self._folder / str(self._generation)):
                self._write_next(columns)
            try:
                _remove_others(self._folder, self._generation)
            except OSError as error:
                raise VectorIndexError(f"{self._folder} cannot be tidied: {error}", "remove what is named") from error

    def _write_next(self, columns: Columns) -> None:
        # What the engine loses in a power cut must not stand in a generation without being announced.
        self._collection.flush()
        generation = self._generation + 1
        try:
            write_generation(self._folder, generation, columns.kept())
            self._columns = Columns([Segment.load(self._folder / str(generation))])
        except (OSError, ValueError) as error:
            # Changes go on being announced beside the one before: this one must not be the newest.
            with suppress(OSError):
                _remove_others(self._folder, self._generation)
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
            extend_file(generation / _CHANGED, _whole_ids(generation) * _ID, content)
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
        if self._columns is not None and not (self._folder / str(self._generation) / _CHANGED).exists():
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


def newest(folder: Path) -> int | None:
    """Return the newest whole generation, ``None`` where there is none."""
    if not folder.is_dir():
        return None
    return max((int(each.name) for each in folder.iterdir() if each.name.isdecimal()), default=None)


def can_be_read(folder: Path) -> bool:
    """Return whether there is a generation all of whose files can be mapped."""
    try:
        generation = newest(folder)
        if generation is None:
            return False
        Segment.load(folder / str(generation))
        return (folder / str(generation) / _CHANGED).is_file()
    except (OSError, ValueError):
        return False


def _remove_others(folder: Path, generation: int) -> None:
    """Remove what is not a generation: older ones, and those that are not whole."""
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.is_dir() and each.name != str(generation):
            shutil.rmtree(each)


def write_generation(folder: Path, number: int, parts: Sequence[tuple[Segment, NDArray[np.bool_]]]) -> None:
    """Write a generation such that it is there whole or not at all.

    Args:
        folder: ``.../columns``.
        number: Larger than those before.
        parts: As for :func:`persrv.index.columns.segment.merge`.
    """
    draft = folder / f"{number}.part"
    shutil.rmtree(draft, ignore_errors=True)
    write_merged(parts, draft)
    for file in draft.iterdir():
        with file.open("rb+") as written:
            os.fsync(written.fileno())
    extend_file(draft / _CHANGED, 0, b"")
    sync_folder(draft)
    draft.rename(folder / str(number))
    sync_folder(folder)


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


def _announced(generation: Path) -> list[str]:
    """Return the stickers that were announced since a generation was written, each once."""
    content = (generation / _CHANGED).read_bytes()
    ids = [content[at : at + _ID].hex() for at in range(0, len(content) - _ID + 1, _ID)]
    return [*dict.fromkeys(ids)]


def _whole_ids(generation: Path) -> int:
    """Return how many changes were announced since a generation was written."""
    return (generation / _CHANGED).stat().st_size // _ID
