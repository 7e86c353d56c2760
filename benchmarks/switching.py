"""A build that runs and is switched to while others search and pick: whether anybody stands still.

The collection is that of ``at_size``, as a copy; its engine runs in a process beside. Four threads search without a
pause, two pick twenty times a second each, another process builds the whole index anew, and the program goes over to
it. A thread that wakes every millisecond notes its longest sleep. The bound: never longer than 50 ms.

``--size`` is the number of stickers, ``--turns`` how often all of it is done.
"""

from __future__ import annotations

import gc
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.at_size import PAGE, searches_of
from benchmarks.large_collection import LargeCollection, Told
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from persrv.errors import PersrvError
from persrv.indexing.update import update_index
from persrv.indexing.vector_sources import open_vectors
from persrv.online.retriever import Retriever

SIZE, TURNS = 10_000, 1
SEARCHES = 200
CALLERS, PICKERS = 4, 2
PAUSE = 0.05
AFTER = 3.0
"""Seconds for which everybody goes on behind the switch."""


def run(options: Options) -> list[Row]:
    """Build where nothing is built yet, copy, and switch.

    Raises:
        PersrvError: A search or a pick failed, or the build did.
    """
    size, turns = options.size or SIZE, options.repetitions or TURNS
    still, slowest, medians = [], [], []
    with TemporaryDirectory() as made, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(int).result()  # the process is there before the clock runs
        kept = LargeCollection(options.cache or Path(made) / "kept", size)
        kept.build()
        large = LargeCollection(Path(made) / "copy", size)
        shutil.copytree(kept.workspace.folder, large.workspace.folder)
        for _ in range(turns):
            longest, searched, switched = _switch(large, pool)
            still.append(1e3 * longest)
            medians.append(1e3 * float(np.median([taken for _, taken in searched])))
            slowest.append(1e3 * max(taken for began, taken in searched if began + taken >= switched))
    note = f"{CALLERS} search, {PICKERS} pick, a build runs and is switched to; bound: 50 ms"
    return [
        compare("another thread stands still for at most", still, "what it wanted to sleep", [1.0] * turns, "ms", note),
        compare("slowest search from the switch on", slowest, "median search, before as well", medians, "ms"),
    ]


def _switch(large: LargeCollection, pool: ProcessPoolExecutor) -> tuple[float, list[tuple[float, float]], float]:
    """Return the longest sleep, when each search began and what it took, and when the switch began, all in seconds."""
    longest = [0.0]
    searched: list[tuple[float, float]] = []
    failures: list[BaseException] = []
    over = threading.Event()
    with Retriever.open(large.recipe, home=large.home, engine="process") as retriever:
        searches = searches_of(retriever, large, SEARCHES)
        hit = retriever.search(searches[0].query, limit=1).hits[0].sticker_id
        gc.freeze()  # as the service does; what this benchmark holds is no concern of the program's

        def search(caller: int) -> None:
            number = caller
            while not over.is_set():
                one, began = searches[number % len(searches)], time.perf_counter()
                retriever.search(one.query, one.user, limit=PAGE)
                searched.append((began, time.perf_counter() - began))
                number += CALLERS

        def pick(picker: int) -> None:
            while not over.is_set():
                retriever.record(f"picker {picker}", searches[picker].query, hit)
                time.sleep(PAUSE)

        def tick(_: int) -> None:
            last = time.perf_counter()
            while not over.is_set():
                time.sleep(0.001)
                now = time.perf_counter()
                longest[0], last = max(longest[0], now - last), now

        def work(step: Callable[[int], None], number: int) -> None:
            try:
                step(number)
            except BaseException as error:
                failures.append(error)

        steps: list[tuple[Callable[[int], None], int]] = [
            *((search, n) for n in range(CALLERS)),
            *((pick, n) for n in range(PICKERS)),
            (tick, 0),
        ]
        threads = [threading.Thread(target=work, args=step) for step in steps]
        for thread in threads:
            thread.start()
        try:
            pool.submit(_build_anew, large.home.parent, large.corpus.size).result()
            switched = time.perf_counter()
            retriever.refresh()
            time.sleep(AFTER)
        finally:
            gc.unfreeze()
            over.set()
            for thread in threads:
                thread.join()
    if failures:
        raise PersrvError(f"a thread failed: {failures[0]!r}", "correct what failed")
    return longest[0], searched, switched


def _build_anew(folder: Path, size: int) -> None:
    large = LargeCollection(folder, size)
    workspace = large.workspace
    with workspace.catalog() as catalog, open_vectors(workspace) as sources, workspace.store() as store:
        update_index(workspace, catalog, sources, store, Told(), rebuild=True)
