"""Measures of a sticker that need to know what was shown: completion, and how long people looked before they picked.

An impression says in which order stickers stood on a page. A page's place is the only place that it knows: those of a
second page start at 1 again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.phrases import fold_query
from persrv.lab.comparison.credit import credited
from persrv.records import Impression, Interaction

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

PRIOR = 2.0
"""Looks at an average sticker that each is given in advance."""

ROUNDS, SETTLED = 2000, 1e-5
"""Most steps of expectation maximisation, and the change of looks in one step below which it has ended: it is slow."""

SHORTEST = 0.1
"""Seconds; what is shorter is an error of the clock."""

_NEVER = 1e-12
_LEAST_LOOKED = 1e-3


@dataclass(frozen=True, slots=True)
class Shown:
    """Every sticker of every page that was shown, one row each.

    Attributes:
        size: Stickers of the collection, n.
        sticker: Row of the collection, shape (m,).
        place: On the page, from 0, shape (m,).
        user: Number of the user, shape (m,).
        question: Number of the query and the sticker together, shape (m,).
        picked: Whether it was picked, shape (m,).
        seconds: From the page to the pick, shape (m,), NaN where it was not picked.
    """

    size: int
    sticker: Indices
    place: Indices
    user: Indices
    question: Indices
    picked: NDArray[np.bool_]
    seconds: Floats

    @classmethod
    def of(cls, impressions: Iterable[Impression], picks: Iterable[Interaction], rows: Mapping[str, int]) -> Self:
        """Join impressions and picks.

        A pick belongs to the latest impression of the same user and query that showed the sticker, as
        :func:`persrv.lab.comparison.credit.credited` decides; other picks are left out, and a second one of the same
        sticker on a page counts as one.

        Args:
            impressions: In any order.
            picks: In any order.
            rows: Sticker id to row of the collection; stickers that it does not know leave their place empty.
        """
        pages: dict[tuple[str, str], list[Impression]] = defaultdict(list)
        ordered = sorted(impressions, key=attrgetter("time", "user", "query"))
        for page in ordered:
            pages[page.user, fold_query(page.query)].append(page)
        first: dict[tuple[int, str], datetime] = {}
        for pick in sorted(picks, key=attrgetter("time")):
            found = credited(pages.get((pick.user, fold_query(pick.query)), []), pick)
            if found is not None:
                first.setdefault((id(found), pick.sticker_id), pick.time)
        users: dict[str, int] = {}
        question: dict[tuple[str, str], int] = {}
        table: list[tuple[int, int, int, int]] = []
        seconds: list[float] = []
        for page in ordered:
            user, query = users.setdefault(page.user, len(users)), fold_query(page.query)
            for place, sticker_id in enumerate(page.shown):
                if sticker_id in rows:
                    pair = question.setdefault((query, sticker_id), len(question))
                    table.append((rows[sticker_id], place, user, pair))
                    seconds.append(_seconds(page, first.get((id(page), sticker_id))))
        columns, took = np.array(table, dtype=np.int64).reshape(-1, 4), np.array(seconds, dtype=np.float64)
        return cls(len(rows), columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3], ~np.isnan(took), took)

    @property
    def places(self) -> int:
        """Places of the longest page."""
        return int(self.place.max()) + 1 if len(self.place) else 0


def completion(shown: Shown, looked: Floats | None = None, prior: float = PRIOR) -> Floats:
    """Return how often each sticker was picked when it was looked at, smoothed, shape (n,), in [0, 1].

    ``(picks + prior · rate) / (looks + prior)``, with the collection's own rate; a sticker that was never shown has it.

    Args:
        shown: What was shown, n stickers.
        looked: The chance that each place is looked at, shape (places,), in (0, 1]; default 1 everywhere, which is the
            plain share of the times that the sticker was shown.
        prior: >= 0; with 0 a sticker that was never shown has 0.
    """
    weights = np.ones(shown.places) if looked is None else looked
    looks = np.bincount(shown.sticker, weights[shown.place], minlength=shown.size)
    picks = np.bincount(shown.sticker, shown.picked, minlength=shown.size)
    rate = picks.sum() / looks.sum() if looks.sum() else 0.0
    shares = np.divide(picks + prior * rate, looks + prior, out=np.zeros(shown.size), where=looks + prior > 0)
    return np.asarray(np.minimum(shares, 1.0))


def examination(shown: Shown, rounds: int = ROUNDS) -> Floats:
    """Return the chance that each place is looked at relative to the likeliest, shape (places,).

    The position-based model, fitted by expectation maximisation: a pick is a look times how well the sticker fits the
    query. Chuklin, Markov, de Rijke: Click Models for Web Search (2015), section 4.2.1. It is told by queries that
    show a sticker now here and now there; where none do, places fall more steeply here than looks do, because what
    fits less stands lower.

    Args:
        shown: What was shown; without a row the answer is empty.
        rounds: Most steps, >= 1; it ends before when no place moves by :data:`SETTLED`.
    """
    if not len(shown.place):
        return np.zeros(0)
    pairs = int(shown.question.max()) + 1
    same, which = np.unique(shown.place * pairs + shown.question, return_inverse=True)
    place, question = same // pairs, same % pairs
    times, picks = np.bincount(which), np.bincount(which, shown.picked)
    often, seen = np.bincount(place, times), np.bincount(question, times)
    looks = np.maximum(np.bincount(place, picks) / np.maximum(often, 1), _LEAST_LOOKED)
    looks /= looks.max()
    fit = (np.bincount(question, picks) + picks.sum() / times.sum()) / (seen + 1)
    for _ in range(rounds):
        look, fits = looks[place], fit[question]
        neither = (times - picks) / np.maximum(1.0 - look * fits, _NEVER)
        before = looks
        looks = np.bincount(place, picks + neither * look * (1 - fits)) / np.maximum(often, 1)
        looks = np.maximum(looks / max(float(looks.max()), _NEVER), _LEAST_LOOKED)
        fitted = np.bincount(question, picks + neither * fits * (1 - look))
        fit = (fitted + fitted.sum() / times.sum()) / (seen + 1)
        if np.abs(looks - before).max() < SETTLED:
            break
    return looks


def quickness(shown: Shown, prior: float = PRIOR) -> Floats:
    """Return how quickly each sticker was picked, for its picker and its place, shape (n,), in (0, 1); 0.5 is as usual.

    The logarithm of the seconds is compared with what is usual of the user, who has a pace, and of the place, since who
    has read further has read longer; the mean difference of a sticker's picks, smoothed towards 0, goes through the
    logistic function.

    Args:
        shown: What was shown, n stickers.
        prior: Picks as usual that each sticker is given in advance, > 0.
    """
    user, place, sticker = (column[shown.picked] for column in (shown.user, shown.place, shown.sticker))
    slow = np.log(np.maximum(shown.seconds[shown.picked], SHORTEST))
    behind = np.log1p(place)
    slow, behind = _within(slow, user), _within(behind, user)
    spread = float(behind @ behind)
    usual = behind * (float(behind @ slow) / spread if spread else 0.0)
    faster = np.bincount(sticker, usual - slow, minlength=shown.size)
    return np.asarray(1 / (1 + np.exp(-faster / (np.bincount(sticker, minlength=shown.size) + prior))))


def _within(values: Floats, user: Indices) -> Floats:
    """Return values less their user's mean, shape (m,)."""
    counts = np.maximum(np.bincount(user), 1) if len(user) else np.ones(0)
    means = np.bincount(user, values) / counts if len(user) else np.ones(0)
    return np.asarray(values - means[user])


def _seconds(page: Impression, picked: datetime | None) -> float:
    return float("nan") if picked is None else (picked - page.time).total_seconds()
