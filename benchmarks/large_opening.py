"""Opening a large collection in a process that has nothing else in memory."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.large_collection import LargeCollection
from benchmarks.processes import resident_mib
from persrv.online.retriever import Retriever

SEARCHES = 200


def opened_and_asked(folder: Path, size: int, query: str, user: str) -> tuple[float, float, float, float]:
    """Return seconds to open, of the first search and of a later one, and the memory after many searches."""
    large = LargeCollection(folder, size)
    moments = [time.perf_counter()]
    with Retriever.open(large.recipe, home=large.home) as retriever:
        moments.append(time.perf_counter())
        retriever.search(query, user)
        moments.append(time.perf_counter())
        for typed in large.corpus.queries(SEARCHES, seed=1):
            retriever.search(typed, user)
        again = time.perf_counter()
        retriever.search(query, user)
        later = time.perf_counter() - again
        return moments[1] - moments[0], moments[2] - moments[1], later, resident_mib()
