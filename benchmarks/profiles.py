"""Style profiles: what it costs to fit people from nothing.

``--size`` people have 100 picks each, in a space of 174 dimensions with twelve drawing styles.

* **a profile**: ``StyleProfile.fit`` with k up to 5, against scikit-learn's ``KMeans`` (4 starts) and
  ``silhouette_score`` for k = 2 to 5 on the same vectors, which finds the same number of clusters for most people.
* **learning from the catalog**: reading picks, fitting, and the stickers that show each style; processor time a person,
  against half as many people: 1.00 is linear.
* **memory**: the most that the process held above what it held before the people were learnt, against half as many.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from benchmarks.measure import Row, compare, latencies, take_turns
from benchmarks.options import Options
from benchmarks.processes import MEMORY_KNOWN, in_fresh_process, peak_mib, resident_mib
from persrv.catalog import Catalog, Entry, sticker_id_of_key
from persrv.indexing.users import learn_profiles
from persrv.ranking.profile import StyleProfile, unit
from persrv.recipe import Style
from persrv.records import SourcePick, SourceSticker

SIZE, TURNS, SEED = 400, 3, 0
PICKS = 100
_STICKERS, _STYLES, _DIMENSION, _LOADER = 5000, 12, 174, "made up"
_COMPARED = 50
"""People who are fitted with scikit-learn too."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one process needed for so many people: seconds, MiB, and how many have a profile."""

    seconds: float
    memory_mib: float
    people: int


def run(options: Options) -> list[Row]:
    """Fit the same people with both, and learn all of them and half of them from a catalog."""
    size, turns = options.size or SIZE, options.repetitions or TURNS
    half = max(1, size // 2)
    vectors = _stickers()
    rng = np.random.default_rng(SEED)
    people = [vectors[rng.integers(_STICKERS, size=PICKS)] for _ in range(min(size, _COMPARED))]
    ours, theirs = latencies(turns, people, _fit, _scikit_learn)
    whole, other = take_turns(turns, partial(in_fresh_process, _learn, size), partial(in_fresh_process, _learn, half))
    rival = f"{half:,} people"
    rows = [
        compare(
            f"a profile of {PICKS} picks",
            1e3 * np.median(ours, axis=1),
            "scikit-learn: KMeans and silhouette_score",
            1e3 * np.median(theirs, axis=1),
            "ms",
        ),
        compare(
            f"learning {size:,} people from the catalog",
            [1e3 * turn.seconds / turn.people for turn in whole],
            rival,
            [1e3 * turn.seconds / turn.people for turn in other],
            "ms of processor time a person",
        ),
    ]
    if MEMORY_KNOWN:
        held = [[max(turn.memory_mib, 1.0) for turn in turns] for turns in (whole, other)]
        rows.append(compare(f"memory for {size:,} people", held[0], rival, held[1], "MiB"))
    return rows


def _stickers() -> Vectors:
    """Return unit vectors of stickers in twelve drawing styles, shape (5000, 174)."""
    rng = np.random.default_rng(SEED)
    noise, styles = rng.normal(size=(_STICKERS, _DIMENSION)), rng.normal(size=(_STYLES, _DIMENSION))
    drawn = 0.7 * unit(noise) + 0.9 * unit(styles)[rng.integers(_STYLES, size=_STICKERS)]
    return unit(drawn).astype(np.float32)


def _fit(picks: Vectors) -> int:
    return len(StyleProfile.fit(picks, np.zeros(len(picks))).mass)


def _scikit_learn(picks: Vectors) -> int:
    scores = {1: 0.1}
    for k in range(2, 6):
        labels = KMeans(k, n_init=4, random_state=SEED).fit_predict(picks)
        scores[k] = float(silhouette_score(picks, labels, metric="cosine"))
    return max(scores, key=lambda k: scores[k])


def _learn(people: int) -> Learnt:
    vectors = _stickers()
    keys = [f"s{i}" for i in range(_STICKERS)]
    ids = [sticker_id_of_key(_LOADER, key) for key in keys]
    rows = {sticker_id: row for row, sticker_id in enumerate(ids)}
    with tempfile.TemporaryDirectory() as folder, Catalog.open(Path(folder) / "catalog.db") as catalog:
        entries = zip(ids, keys, strict=True)
        catalog.put([Entry(sticker_id, _LOADER, SourceSticker(key, None)) for sticker_id, key in entries])
        catalog.put_picks(_LOADER, _picks(people))
        before = resident_mib()
        started = time.process_time()
        learnt = sum(1 for _ in learn_profiles(catalog, rows, vectors, Style()))
        return Learnt(time.process_time() - started, peak_mib() - before, learnt)


def _picks(people: int) -> Iterator[SourcePick]:
    rng = np.random.default_rng(SEED)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(people * PICKS):
        time_of = start + timedelta(seconds=number)
        yield SourcePick(f"user{number % people}", f"query {number % 997}", f"s{rng.integers(_STICKERS)}", time_of)
