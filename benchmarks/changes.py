"""What a change costs in a collection that lives: a made-up folder of pictures, a log of picks, both with power laws.

Each build is a process of its own. ``--size`` says how many pictures; a second, small collection of a thousand is
changed in the same run, since what one change costs must not grow with the collection. The bounds that were set:

* **nothing changed**: at most 2 % of the first build's time.
* **100 added**: at most 3 times what adding 100 to 1,000 takes.
* **a pick**: at most 10 ms at the median on a quiet machine, durable before it returns; against the bare write of one
  row that waits for the disk in the same way.
* **memory**: at most 300 MB and 2 kB for each sticker.
* **written**: at most 3 bytes for each byte kept.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.made_up_folder import PICKS_EACH, MadeUpFolder
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from benchmarks.processes import in_fresh_process, peak_mib
from persrv.errors import PersrvError
from persrv.offline import build_collection
from persrv.online.retriever import Retriever

SIZE, SMALL, TURNS = 20_000, 1_000, 2  # in a third turn the small collection would outgrow its fit
ADDED = 100
PICKS = 60
DISK = "/var/tmp"
"""Bytes that are written to a file system in memory, as ``/tmp`` may be, are not counted by the kernel."""

_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Built:
    """What one build took.

    Attributes:
        seconds: Wall-clock time.
        peak: Most bytes that its process held.
        written: Bytes that it wrote to the disk.
        way: How the index was brought up to date.
        changed: Points that were written.
    """

    seconds: float
    peak: float
    written: int
    way: str
    changed: int


def run(options: Options) -> list[Row]:
    """Build, change and build again.

    Raises:
        PersrvError: A build did something else than it should.
    """
    size, turns = options.size or SIZE, options.repetitions or TURNS
    base, added = min(SMALL, size), min(ADDED, size // 5)
    with _made(base) as small, _made(size) as large:
        _build(small, "beside")
        first = _build(large, "beside")
        kept = sum(file.stat().st_blocks * 512 for file in large.home.rglob("*") if file.is_file())
        again = [_build(large, "in place").seconds for _ in range(turns)]
        here, there = [], []
        for turn in range(turns):
            small.add(base + turn * added, added)
            large.add(size + turn * added, added)
            there.append(_build(small, "in place", added).seconds)
            here.append(_build(large, "in place", added).seconds)
        picked = []
        for turn in range(turns):
            large.add_picks(size, added, first=turn + 1)
            picked.append(_build(large, "in place").seconds)
        edits, picks, bare = _live(large)
    whole = [first.seconds] * turns
    of = f"of {size:,}"
    allowed = 300 * _MEGABYTE + 2_000 * size
    return [
        compare(f"nothing changed {of}", again, "the first build", whole, "s", "bound: 0.02"),
        compare(f"{added} added to {size:,}", here, f"{added} added to {base:,}", there, "s", "bound: 3"),
        compare(f"{added} picks more {of}", picked, "the first build", whole, "s"),
        compare(f"a pick, {size:,} stickers", picks, "one row written to the disk", bare, "ms", "bound: 10 ms"),
        compare(f"an edit, found, {size:,} stickers", edits, "one row written to the disk", bare, "ms"),
        compare(
            f"memory, first build {of}",
            [first.peak / _MEGABYTE],
            "300 MB and 2 kB a sticker",
            [allowed / _MEGABYTE],
            "MB",
            "bound: 1",
        ),
        compare(
            f"written, first build {of}",
            [first.written / _MEGABYTE],
            "what is kept",
            [kept / _MEGABYTE],
            "MB",
            "bound: 3",
        ),
    ]


@contextmanager
def _made(size: int) -> Iterator[MadeUpFolder]:
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        made = MadeUpFolder(Path(folder))
        made.add(0, size)
        made.add_picks(size, size * PICKS_EACH)
        yield made


def _build(made: MadeUpFolder, way: str, changed: int | None = None) -> Built:
    found = in_fresh_process(_built, made)
    if found.way != way or (changed is not None and found.changed != changed):
        raise PersrvError(f"a build went {found.way} and wrote {found.changed:,} points", f"it should go {way}")
    return found


def _built(made: MadeUpFolder) -> Built:
    started = time.perf_counter()
    update = build_collection(made.recipe, home=made.home).index
    seconds = time.perf_counter() - started
    if update is None:
        raise PersrvError("a build made no index", "see what it reports")
    lines = Path("/proc/self/io").read_text(encoding="utf-8").splitlines()
    written = next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
    return Built(seconds, peak_mib() * 2**20, written, update.way, update.written)


def _live(made: MadeUpFolder) -> tuple[list[float], list[float], list[float]]:
    """Return the milliseconds of edits, of picks, and of bare writes of one row."""
    edits, picks, bare = [], [], []
    with Retriever.open(made.recipe, home=made.home) as retriever, _row_store(made.home / "row.db") as row:
        ids = [hit.sticker_id for hit in retriever.search("", limit=PICKS)]
        for number, sticker_id in enumerate(ids):
            bare.append(_milliseconds(row))
            started = time.perf_counter()
            retriever.record(f"new {number}", "a word", sticker_id)
            picks.append(1e3 * (time.perf_counter() - started))
            time.sleep(0.02)
        for number, sticker_id in enumerate(ids[:10]):
            started = time.perf_counter()
            retriever.edit(sticker_id, "tags", [f"okapi{number}"])
            edits.append(1e3 * (time.perf_counter() - started))
    return [float(np.median(edits))], [float(np.median(picks))], [float(np.median(bare))]


@contextmanager
def _row_store(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE row (value)")
    yield connection
    connection.close()


def _milliseconds(connection: sqlite3.Connection) -> float:
    started = time.perf_counter()
    connection.execute("INSERT INTO row VALUES (1)")
    return 1e3 * (time.perf_counter() - started)
