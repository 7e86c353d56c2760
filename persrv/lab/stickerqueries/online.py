"""How long a search takes where it matters: through the whole online path, on the same stickers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from persrv.offline import Progress, build_collection
from persrv.online.retriever import Retriever
from persrv.recipe import Recipe

MOST = 200
"""Searches that are timed."""
_WARM = 5
"""Searches before: they load models and read the index's files."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from a query to its page of 20, none of them remembered from before.

    Attributes:
        p50: Median.
        p95: 95th percentile.
        mean: Mean.
        searches: How many were timed.
    """

    p50: float
    p95: float
    mean: float
    searches: int


def latency(recipe: Recipe, queries: Sequence[str], progress: Progress) -> Latency:
    """Build the recipe's collection in a temporary folder, and time :meth:`persrv.Retriever.search` on it.

    Args:
        recipe: Says where the stickers are.
        queries: At least 1; an even sample of the different ones is asked.
        progress: Shows the build and the searches.
    """
    different = list(dict.fromkeys(queries))
    most = min(MOST + _WARM, len(different))
    sample = [different[len(different) * number // most] for number in range(most)]
    warm, timed = (sample[:_WARM], sample[_WARM:]) if most > _WARM else (sample, sample)
    taken = []
    with TemporaryDirectory(prefix="persrv-evaluate-") as folder:
        build_collection(recipe, home=Path(folder), progress=progress)
        with Retriever.open(recipe, home=Path(folder)) as retriever, progress.stage("timing", len(timed)) as advance:
            for query in warm:
                retriever.search(query)
            for query in timed:
                started = time.perf_counter()
                retriever.search(query)
                taken.append((time.perf_counter() - started) * 1e3)
                advance(1)
    p50, p95 = np.quantile(taken, [0.5, 0.95])
    return Latency(float(p50), float(p95), float(np.mean(taken)), len(taken))
