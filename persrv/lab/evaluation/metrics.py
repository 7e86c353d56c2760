"""What one ranking is worth: pure functions on a ranking of ids and the ids that were right.

A ranking holds distinct ids, best first; ids beyond rank ``k`` are not looked at. Where nothing is relevant every
measure is 0: a query without an answer counts as a failure and never vanishes from a mean. Means are taken over each
user's queries first and over users then, see :mod:`persrv.lab.evaluation.results`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from persrv.errors import QueryError

CUTOFFS = (1, 5, 10, 20, 50)
"""The ranks at which rankings are measured."""


def multi_mrr(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return M-MRR@k as PerSRV publishes it: the sum of ``1 / rank`` over all hits in the top k.

    It is not divided by the number of relevant ids, so it can exceed 1: a perfect ranking of three has 1.8333.

    Args:
        ranking: Distinct ids, best first.
        relevant: The right ids.
        k: Last rank that counts, >= 1.

    Raises:
        QueryError: ``k`` is below 1, or an id stands in the top k twice.
    """
    return math.fsum(1.0 / rank for rank, found in enumerate(_top(ranking, k), start=1) if found in relevant)


def normalised_multi_mrr(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return :func:`multi_mrr` divided by what the best ranking would have, in [0, 1].

    The best ranking has ``sum 1 / rank`` for the ranks up to ``min(k, len(relevant))``. Arguments and errors are those
    of :func:`multi_mrr`.
    """
    return _share(multi_mrr(ranking, relevant, k), math.fsum(1.0 / rank for rank in range(1, _best(relevant, k) + 1)))


def reciprocal_rank(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return ``1 / rank`` of the first hit in the top k, 0 without one; its mean is MRR@k (Voorhees 1999).

    Arguments and errors are those of :func:`multi_mrr`.
    """
    return next((1.0 / rank for rank, found in enumerate(_top(ranking, k), start=1) if found in relevant), 0.0)


def recall(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return which part of the relevant ids stands in the top k, in [0, 1]; arguments as :func:`multi_mrr`."""
    return _share(sum(found in relevant for found in _top(ranking, k)), len(relevant))


def hit_rate(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return 1 where a relevant id stands in the top k, else 0; arguments as :func:`multi_mrr`."""
    return float(any(found in relevant for found in _top(ranking, k)))


def ndcg(ranking: Sequence[str], relevant: Collection[str] | Mapping[str, float], k: int) -> float:
    """Return nDCG@k in [0, 1], with linear gain and the discount ``1 / log2(rank + 1)`` as in trec_eval.

    Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (TOIS 2002).

    Args:
        ranking: Distinct ids, best first.
        relevant: The right ids, or id to gain >= 0; without gains each has 1.
        k: Last rank that counts, >= 1.

    Raises:
        QueryError: As :func:`multi_mrr`, or a gain is negative or not finite.
    """
    gains = dict(relevant) if isinstance(relevant, Mapping) else dict.fromkeys(relevant, 1.0)
    wrong = sorted(found for found, gain in gains.items() if not 0 <= gain < math.inf)
    if wrong:
        raise QueryError(f"the gain of {wrong[0]!r} is {gains[wrong[0]]}", "give gains from 0 upwards")
    ideal = _discounted(sorted(gains.values(), reverse=True)[:k])
    return _share(_discounted(gains.get(found, 0.0) for found in _top(ranking, k)), ideal)


def style_match(ranking: Sequence[str], liked: Collection[str], k: int) -> float:
    """Return which part of the top k is drawn in a style that the user likes, in [0, 1]; 0 for an empty ranking.

    Args:
        ranking: Distinct ids, best first.
        liked: Ids of all stickers in the user's styles.
        k: As in :func:`multi_mrr`.

    Raises:
        QueryError: As :func:`multi_mrr`.
    """
    top = _top(ranking, k)
    return _share(sum(found in liked for found in top), len(top))


def novelty(ranking: Sequence[str], picks: Mapping[str, int], k: int) -> float:
    """Return the mean self-information of the top k in bits: how little known the shown stickers are.

    ``-log2((picks + 1) / (all picks + n))`` a sticker, with one pick added to each of the n stickers of ``picks`` and
    of the top; 0 for an empty ranking. Zhou et al., "Solving the apparent diversity-accuracy dilemma" (PNAS 2010).

    Args:
        ranking: Distinct ids, best first.
        picks: Id to how often it had been picked, >= 0; list the never picked with 0.
        k: As in :func:`multi_mrr`.

    Raises:
        QueryError: As :func:`multi_mrr`.
    """
    top = _top(ranking, k)
    total = sum(picks.values()) + len(picks.keys() | set(top))
    return _share(math.fsum(math.log2(total / (picks.get(found, 0) + 1)) for found in top), len(top))


def coverage(rankings: Iterable[Sequence[str]], stickers: int, k: int) -> float:
    """Return which part of the collection stands in the top k of any ranking, in [0, 1].

    Args:
        rankings: One for each query.
        stickers: Size of the collection, >= 0; 0 gives 0.
        k: As in :func:`multi_mrr`.

    Raises:
        QueryError: As :func:`multi_mrr`.
    """
    return _share(len({found for ranking in rankings for found in _top(ranking, k)}), stickers)


def _top(ranking: Sequence[str], k: int) -> Sequence[str]:
    if k < 1:
        raise QueryError(f"k = {k} ranks nothing", "give k >= 1")
    top = ranking[:k]
    if len(set(top)) != len(top):
        twice = next(found for position, found in enumerate(top) if found in top[:position])
        raise QueryError(f"{twice!r} stands in a ranking twice", "rank each sticker once")
    return top


def _best(relevant: Collection[str], k: int) -> int:
    return min(k, len(relevant))


def _discounted(gains: Iterable[float]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
