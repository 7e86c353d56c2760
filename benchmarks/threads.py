"""Searches while others pick and a build runs: whether anybody waits for another.

A made-up folder is built and opened, its engine in a process beside, as in the service. Eight threads search without a
pause; after a while two more pick, twenty times a second each, and another process builds in a hundred new pictures,
which the open program brings into its index. The bounds:

* **slowest search**: less than 5 times the median of the same searches, while others pick and a build runs.
* **median search**: against the median of the same threads alone.

``--size`` says how many pictures, ``--turns`` how often both are done; with ``--cache`` the collection of ``changes``
is taken. Threads share this machine's cores with the engine and the build, so that with few of them everybody is
slower; nobody should stand still.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context

import numpy as np

from benchmarks.made_up_folder import MadeUpFolder, made_up_folder
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from persrv.errors import PersrvError
from persrv.offline import build_collection
from persrv.online.retriever import Retriever

SIZE, TURNS = 2_000, 3
SEARCHING, PICKING = 8, 2
SECONDS = 5.0
ADDED = 100
PAUSE = 0.05


def run(options: Options) -> list[Row]:
    """Build, then search alone and beside others, in turns.

    Raises:
        PersrvError: A search or a pick failed, or the build did.
    """
    size, turns = options.size or SIZE, options.repetitions or TURNS
    lasting = SECONDS if size > ADDED else 0.5
    slowest, medians, alone = [], [], []
    with ExitStack() as opened:
        made = opened.enter_context(made_up_folder(size, options.cache))
        build_collection(made.recipe, home=made.home)
        pool = opened.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
        pool.submit(int).result()  # the process is there before the clock runs
        retriever = opened.enter_context(Retriever.open(made.recipe, home=made.home, engine="process"))
        searches = _searches(retriever)
        for _ in range(turns):
            quiet = _taken(searches, [], lasting)
            made.add(made.pictures, min(ADDED, size // 5))
            building = pool.submit(_build, made)
            busy = _taken(searches, _picks(retriever), lasting)
            building.result()
            alone.append(1e3 * float(np.median(quiet)))
            medians.append(1e3 * float(np.median(busy)))
            slowest.append(1e3 * float(busy.max()))
    beside = f"{SEARCHING} search, {PICKING} pick, 1 builds"
    return [
        compare("slowest search", slowest, f"median, {beside}", medians, "ms", "bound: 5"),
        compare("median search", medians, f"median, {SEARCHING} search alone", alone, "ms", beside),
    ]


def _build(made: MadeUpFolder) -> None:
    build_collection(made.recipe, home=made.home)


def _searches(retriever: Retriever) -> list[Callable[[int], object]]:
    tags = [tag for hit in retriever.search("", limit=50) for tag in hit.payload.get("tags", [])] or ["a"]

    def search(thread: int) -> Callable[[int], object]:
        return lambda number: retriever.search(tags[(7 * number + thread) % len(tags)], f"user {thread + 1}", limit=20)

    return [search(thread) for thread in range(SEARCHING)]


def _picks(retriever: Retriever) -> list[Callable[[int], object]]:
    stickers = [hit.sticker_id for hit in retriever.search("", limit=50)]

    def pick(thread: int) -> Callable[[int], object]:
        def one(number: int) -> None:
            retriever.record(f"picker {thread}", "a word", stickers[number % len(stickers)])
            time.sleep(PAUSE)

        return one

    return [pick(thread) for thread in range(PICKING)]


def _taken(
    searches: Sequence[Callable[[int], object]], others: Sequence[Callable[[int], object]], lasting: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the seconds of every search that threads made for a while, beside others' work."""
    taken: list[list[float]] = [[] for _ in searches]
    failures: list[BaseException] = []
    end = time.perf_counter() + lasting

    def work(step: Callable[[int], object], mine: list[float]) -> None:
        number = 0
        try:
            while time.perf_counter() < end:
                started = time.perf_counter()
                step(number)
                mine.append(time.perf_counter() - started)
                number += 1
        except BaseException as error:
            failures.append(error)

    steps = [*zip(searches, taken, strict=True), *((other, []) for other in others)]
    threads = [threading.Thread(target=work, args=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise PersrvError(f"a thread failed: {failures[0]!r}", "correct what failed")
    return np.concatenate([np.array(mine) for mine in taken])
