"""A fast wrong answer is no answer: what persrv's engine says must be what NumPy says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from persrv.errors import PersrvError

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


def check_pooled(
    query: object, ours: Scored, everything: Mapping[str, tuple[float, float]], pool: int
) -> tuple[float, bool]:
    """Check a ranking of the best ``pool`` texts against the scores of all stickers.

    Each sticker must have its score. Where no run of equal text scores is cut by the pool's end, the stickers must also
    be the best ones; where one is cut, an engine may choose among its members.

    Args:
        query: Named in the error.
        ours: (id, score), best first.
        everything: Id to (text score, final score) of every sticker that matches.
        pool: How many stickers were recalled by text.

    Returns:
        The largest relative difference, and whether the stickers were checked to be the best ones.

    Raises:
        PersrvError: They disagree.
    """
    missing = [sticker_id for sticker_id, _ in ours if sticker_id not in everything]
    if missing:
        raise _differ(query, f"sticker {missing[0]} came back, which has none of its words")
    difference = _largest(query, [score for _, score in ours], [everything[sticker_id][1] for sticker_id, _ in ours])
    by_text = sorted(everything.values(), reverse=True)
    if len(by_text) > pool and by_text[pool][0] > by_text[pool - 1][0] * (1 - TOLERANCE):
        return difference, False
    best = sorted((final for _, final in by_text[:pool]), reverse=True)[: len(ours)]
    return max(difference, _largest(query, [score for _, score in ours], best)), True


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
