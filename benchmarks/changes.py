"""What a change costs in a collection that lives: a made-up folder of pictures, a log of picks, both with power laws.

Each part of a build is a process of its own. ``--size`` says how many pictures; a second, small collection of a
thousand is changed in the same run, since what one change costs must not grow with the collection. With ``--cache`` a
run that broke off goes on: the first build's parts are noted there, pictures are looked at in portions, and a later
run begins where it ended. The collection has no text encoder, which would make the first build longer, and the ratio
to it smaller. The bounds that were set:

* **nothing changed**: at most 2 % of the first build's time. Other programs lengthen one more than the other, so that a
  row with the processor's time stands beside it.
* **100 added**: at most 3 times what adding 100 to 1,000 takes, when they are given to ``add``, and when a build finds
  them in its folder. A build looks at every file of the folder first, as one in which nothing changed does.
* **a pick**: at most 10 ms at the median on a quiet machine, durable before it returns; against the bare write of one
  row that waits for the disk in the same way.
* **memory**: at most 300 MB and 2 kB for each sticker, of the process's own; with the files that it maps, which the
  system drops when it needs the room, it holds more, and that stands in a row of its own.
* **written**: at most 3 bytes for each byte kept, as the kernel counts pages that were changed. Where a file system
  holds several pages as one, Linux 6.18's ext4 for one, it counts all of them for each; so bytes handed to the system
  in ``write`` stand in a row of their own. The engine's mapped files are in the first figure only.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.made_up_folder import MadeUpFolder, made_up_folder
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from benchmarks.processes import OwnMemory, in_fresh_process, peak_mib
from persrv.errors import PersrvError
from persrv.offline import build_collection
from persrv.online.retriever import Retriever

SIZE, SMALL, TURNS = 20_000, 1_000, 2  # in a third turn the small collection would outgrow its fit
ADDED = 100
PICKS = 60
PORTION = 25_000
"""Pictures that are looked at in one part of a first build."""

_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Built:
    """What a build, or a part of one, took.

    Attributes:
        seconds: Wall-clock time.
        processor: Seconds that its processors worked.
        own: Most bytes that its process had of its own.
        resident: Most bytes that it held, mapped files included.
        written: Bytes of the pages that it changed in files.
        handed: Bytes that it handed to the system to be written.
        way: How the index was brought up to date, ``""`` where it was left alone.
        changed: Points that were written.
    """

    seconds: float
    processor: float
    own: float
    resident: float
    written: int
    handed: int
    way: str
    changed: int


def run(options: Options) -> list[Row]:
    """Build, change and build again.

    Raises:
        PersrvError: A build did something else than it should.
    """
    size, turns = options.size or SIZE, options.repetitions or TURNS
    base, added = min(SMALL, size), min(ADDED, size // 5)
    with made_up_folder(base, None) as small, made_up_folder(size, options.cache) as large:
        _first(small, base)
        first = _first(large, size)
        kept = sum(file.stat().st_blocks * 512 for file in large.home.rglob("*") if file.is_file())
        again = [_build(large, "in place") for _ in range(turns)]
        here, there = [], []
        for _ in range(turns):
            for made in (small, large):
                made.add(made.pictures, added)
            there.append(_build(small, "in place", added).seconds)
            here.append(_build(large, "in place", added).seconds)
        picked = []
        for turn in range(turns):
            # Seeded by how many pictures there are, so that a run that goes on makes other picks.
            large.add_picks(size, added, first=large.pictures + turn)
            picked.append(_build(large, "in place").seconds)
        edits, picks, bare = _live(large)
        by_hand, by_hand_there = [], []
        for _ in range(turns):
            by_hand_there.append(_add_by_hand(small, added))
            by_hand.append(_add_by_hand(large, added))
    whole = [first.seconds] * turns
    of = f"of {size:,}"
    allowed = (300 * _MEGABYTE + 2_000 * size) / _MEGABYTE
    bound = "300 MB and 2 kB a sticker"
    return [
        compare(
            f"nothing changed {of}", [turn.seconds for turn in again], "the first build", whole, "s", "bound: 0.02"
        ),
        compare(
            f"the same in the processor's time {of}",
            [turn.processor for turn in again],
            "the first build",
            [first.processor] * turns,
            "s",
        ),
        compare(
            f"{added} given to {size:,}", by_hand, f"{added} given to {base:,}", by_hand_there, "s", "by add; bound: 3"
        ),
        compare(f"{added} added to {size:,}", here, f"{added} added to {base:,}", there, "s", "by a build; bound: 3"),
        compare(f"{added} picks more {of}", picked, "the first build", whole, "s"),
        compare(f"a pick, {size:,} stickers", picks, "one row written to the disk", bare, "ms", "bound: 10 ms"),
        compare(f"an edit, found, {size:,} stickers", edits, "one row written to the disk", bare, "ms"),
        compare(f"memory, first build {of}", [first.own / _MEGABYTE], bound, [allowed], "MB", "bound: 1"),
        compare(f"the same with mapped files {of}", [first.resident / _MEGABYTE], bound, [allowed], "MB"),
        compare(
            f"written, first build {of}",
            [first.written / _MEGABYTE],
            "what is kept",
            [kept / _MEGABYTE],
            "MB",
            "bound: 3",
        ),
        compare(
            f"handed to write, first build {of}",
            [first.handed / _MEGABYTE],
            "what is kept",
            [kept / _MEGABYTE],
            "MB",
        ),
    ]


def _first(made: MadeUpFolder, size: int) -> Built:
    """Build for the first time, part by part; parts that an earlier run did are taken from its notes."""
    notes = made.folder / "first-build.json"
    done: dict[str, Built] = {}
    if notes.exists():
        done = {part: Built(**took) for part, took in json.loads(notes.read_text(encoding="utf-8")).items()}
    looks = [f"look {portion + 1}" for portion in range(-(-size // PORTION))]
    for part in ("ingest", *looks, "index"):
        if part not in done:
            done[part] = in_fresh_process(_built, made, (part.split()[0],))
            notes.write_text(json.dumps({name: asdict(took) for name, took in done.items()}), encoding="utf-8")
    parts = done.values()
    return Built(
        sum(part.seconds for part in parts),
        sum(part.processor for part in parts),
        max(part.own for part in parts),
        max(part.resident for part in parts),
        sum(part.written for part in parts),
        sum(part.handed for part in parts),
        done["index"].way,
        done["index"].changed,
    )


def _build(made: MadeUpFolder, way: str, changed: int | None = None) -> Built:
    found = in_fresh_process(_built, made, ())
    if found.way != way or (changed is not None and found.changed != changed):
        raise PersrvError(f"a build went {found.way} and wrote {found.changed:,} points", f"it should go {way}")
    return found


def _built(made: MadeUpFolder, parts: tuple[str, ...]) -> Built:
    with OwnMemory() as memory:
        started, worked = time.perf_counter(), time.process_time()
        update = build_collection(made.recipe, home=made.home, only=parts, limit=PORTION).index
        seconds, processor = time.perf_counter() - started, time.process_time() - worked
    counted = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="utf-8").splitlines())
    return Built(
        seconds=seconds,
        processor=processor,
        own=memory.peak * 2**20,
        resident=peak_mib() * 2**20,
        written=int(counted["write_bytes"]),
        handed=int(counted["wchar"]),
        way=update.way if update else "",
        changed=update.written if update else 0,
    )


def _add_by_hand(made: MadeUpFolder, count: int) -> float:
    """Open a collection in a new process and give it pictures that are in no folder of its; return the seconds."""
    beside = MadeUpFolder(made.folder / "by-hand", seed=1)
    known = beside.pictures
    beside.add(known, count)
    return in_fresh_process(_given, made, sorted((beside.folder / "stickers").rglob("*.png"))[known:])


def _given(made: MadeUpFolder, pictures: list[Path]) -> float:
    started = time.perf_counter()
    with Retriever.open(made.recipe, home=made.home) as retriever:
        added = retriever.add(pictures)
    if len(added.stickers) != len(pictures):
        raise PersrvError(f"{len(added.stickers)} of {len(pictures)} pictures were added", "see what was skipped")
    return time.perf_counter() - started


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
    connection.execute("CREATE TABLE IF NOT EXISTS row (value)")
    yield connection
    connection.close()


def _milliseconds(connection: sqlite3.Connection) -> float:
    started = time.perf_counter()
    connection.execute("INSERT INTO row VALUES (1)")
    return 1e3 * (time.perf_counter() - started)
