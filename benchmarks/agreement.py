"""A fast wrong answer is no answer: what persrv's engine says must be what NumPy says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from persrv.errors import PersrvError
from persrv.ranking.formula import order

TOLERANCE = 1e-5
"""Largest relative difference of two scores that count as the same; engines compute in single precision."""

Scored = Sequence[tuple[str, float]]


def check_scores(query: object, ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the largest relative difference between two rankings' scores, rank by rank.

    Raises:
        PersrvError: They differ by more than :data:`TOLERANCE`, or one is longer.
    """
    if len(ours) != len(theirs):
        raise _differ(query, f"{len(ours)} stickers came back, not {len(theirs)}")
    return _largest(query, ours, theirs)


def check_best(query: object, ours: Scored, everything: Mapping[str, float]) -> tuple[float, int]:
    """Check a ranking against the scores of all stickers.

    Args:
        query: Named in the error.
        ours: (id, score), best first.
        everything: Id to final score of every sticker that matches.

    Returns:
        The largest relative difference of a sticker's score, and how many places hold what the best ranking, equal
        scores in the order of their ids, has there.

    Raises:
        PersrvError: A sticker matches nothing, or a score differs.
    """
    missing = [sticker_id for sticker_id, _ in ours if sticker_id not in everything]
    if missing:
        raise _differ(query, f"sticker {missing[0]} came back, which has none of its words")
    difference = _largest(query, [score for _, score in ours], [everything[sticker_id] for sticker_id, _ in ours])
    ids = sorted(everything)
    best = [ids[i] for i in order(np.array([everything[i] for i in ids]), ids)[: len(ours)]]
    return difference, sum(mine == other for (mine, _), other in zip(ours, best, strict=True))


def _largest(query: object, ours: Sequence[float], theirs: Sequence[float]) -> float:
    if not ours:
        return 0.0
    mine, other = np.array(ours), np.array(theirs)
    worst = float((np.abs(mine - other) / np.maximum(np.abs(other), 1e-12)).max())
    if worst > TOLERANCE:
        raise _differ(query, f"scores differ by {worst:.2g} of their value")
    return worst


def _differ(query: object, how: str) -> PersrvError:
    return PersrvError(f"the answers to {query!r} disagree: {how}", "find out which is wrong before timing either")
