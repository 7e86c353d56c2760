"""The embedded engine in a process of its own, against the same engine in the program's process.

The engine holds the GIL in every call. Two programs hold the same made-up stickers: one has the engine in its own
process (``here``), one in a process beside it (``engine="process"``). Each search is a whole personal page of 20: the
request, its proof, payloads and reasons.

* **an empty call**: what the way to the other process costs.
* **searches by several callers**: the time that one search takes of the whole, for 1, 2 and 4 threads that search.
* **standing still**: a thread that wakes every millisecond notes its longest sleep while 4 callers search and another
  one writes 64 points at a time.

``--size`` is the number of stickers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.indexed import BATCH, Regions, manifest_of, points, regions_of, schema_of
from benchmarks.measure import Row, compare, take_turns
from benchmarks.options import Options
from benchmarks.synthetic import Stickers, stickers
from persrv.catalog.batches import chunks
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection, Store
from persrv.index.language import Point
from persrv.index.process_store import ProcessStore
from persrv.online.candidate_source import text_source
from persrv.online.hits import HitMaker
from persrv.online.page import Page
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall
from persrv.recipe import Ranking, Text

SIZE, TURNS, SEARCHES = 20_000, 5, 200
CALLERS = (1, 2, 4)
WRITTEN = 64
PAGE = Page(0, 20)
RANKING = Ranking()
HERE, BESIDE = "the engine in this process", "the engine in its own process"


def run(options: Options) -> list[Row]:
    """Measure both programs in turns."""
    size, turns = options.size or SIZE, options.repetitions or TURNS
    held = stickers(size)
    regions = regions_of(held)
    with ExitStack() as opened:
        here = _published(EmbeddedStore, held, regions, opened)
        beside = _published(ProcessStore, held, regions, opened)
        rows = [_empty_calls(here, beside, turns)]
        times = {
            callers: take_turns(
                turns, partial(_searching, beside, held, callers), partial(_searching, here, held, callers)
            )
            for callers in CALLERS
        }
        for callers in CALLERS:
            ours, theirs = times[callers]
            rows.append(compare(f"a search of {callers} callers'", ours, HERE, theirs, "ms"))
            if callers > 1:
                rows.append(compare(f"a search of {callers} callers'", ours, "1 caller's", times[1][0], "ms"))
        ours, theirs = take_turns(
            turns, lambda: _standing(beside, held, regions), lambda: _standing(here, held, regions)
        )
        rows.append(compare("another thread stands still for at most", ours, HERE, theirs, "ms"))
    return rows


def _published(kind: Callable[[Path], Store], held: Stickers, regions: Regions, opened: ExitStack) -> Collection:
    folder = opened.enter_context(TemporaryDirectory())
    store = opened.enter_context(kind(Path(folder)))
    build = store.create("benchmark", schema_of(regions), manifest_of(len(held.ids), regions))
    for batch in chunks(points(held, Text(), regions), BATCH):
        build.upsert(batch)
    return store.publish("benchmark", build)


def _empty_calls(here: Collection, beside: Collection, turns: int) -> Row:
    ours, theirs = take_turns(
        turns, lambda: _each(lambda: beside.retrieve([])), lambda: _each(lambda: here.retrieve([]))
    )
    return compare("an empty call", ours, HERE, theirs, "ms")


def _each(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(SEARCHES):
        call()
    return (time.perf_counter() - started) / SEARCHES * 1e3


def _searching(collection: Collection, held: Stickers, callers: int) -> float:
    """Return the wall time of one search, in ms, while several threads share :data:`SEARCHES` of them."""
    search = _search(collection, held)
    queries = held.queries(SEARCHES)
    threads = [threading.Thread(target=_all, args=(search, queries[number::callers])) for number in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - started) / SEARCHES * 1e3


def _all(search: Callable[[tuple[str, ...]], object], queries: Sequence[tuple[str, ...]]) -> None:
    for query in queries:
        search(query)


def _search(collection: Collection, held: Stickers) -> Callable[[tuple[str, ...]], object]:
    ranker = Ranker(collection, RANKING)
    maker = HitMaker(collection, held.taste, RANKING)

    def search(query: tuple[str, ...]) -> object:
        ranked = ranker.rank(Recall((text_source(held.words(query)),)), held.taste, PAGE)
        return maker.hits(ranked.part(PAGE), 0, {})

    return search


def _standing(collection: Collection, held: Stickers, regions: Regions) -> float:
    """Return how long, in ms, a thread slept at most that wanted to sleep for 1 ms."""
    written = list(islice(points(held, Text(), regions), WRITTEN))
    over = threading.Event()
    longest = [0.0]

    def tick() -> None:
        last = time.perf_counter()
        while not over.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            longest[0] = max(longest[0], (now - last) * 1e3)
            last = now

    ticking = threading.Thread(target=tick)
    ticking.start()
    writing = threading.Thread(target=_write, args=(collection, written, over))
    writing.start()
    _searching(collection, held, 4)
    over.set()
    ticking.join()
    writing.join()
    return longest[0]


def _write(collection: Collection, written: Sequence[Point], over: threading.Event) -> None:
    while not over.is_set():
        collection.upsert(written)
        time.sleep(0.05)
