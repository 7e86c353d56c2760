"""What a system answered, query by query, and its means: over each group's queries first, then over groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.errors import QueryError
from persrv.lab.evaluation import metrics
from persrv.lab.evaluation.intervals import Gain, Interval, bootstrap_mean, paired_gain


@dataclass(frozen=True, slots=True)
class EvaluationQuery:
    """A query whose right answers were held back.

    Attributes:
        group: Whom the mean is first taken over: the user, or the sticker where there are no users.
        query: What was typed.
        relevant: Ids of the right stickers; an empty set counts as a failure.
        user: Whose taste counts, ``""`` for nobody's.
    """

    group: str
    query: str
    relevant: frozenset[str]
    user: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One question, what a system answered, and what that is worth.

    Attributes:
        question: What was asked.
        ranking: The answer's sticker ids, best first.
        values: Metric name (``"M-MRR@20"``) to its value.
    """

    question: EvaluationQuery
    ranking: tuple[str, ...]
    values: Mapping[str, float]


Metric = Callable[[Sequence[str], Collection[str], int], float]

METRICS: dict[str, Metric] = {
    "M-MRR": metrics.multi_mrr,
    "nM-MRR": metrics.normalised_multi_mrr,
    "MRR": metrics.reciprocal_rank,
    "Recall": metrics.recall,
    "nDCG": metrics.ndcg,
    "Hit": metrics.hit_rate,
}
"""Every metric of a ranking and the right ids, by the name that reports print."""


def judge(question: EvaluationQuery, ranking: Sequence[str], cutoffs: Sequence[int] = metrics.CUTOFFS) -> Judged:
    """Measure one answer with every metric of :data:`METRICS` at every cutoff.

    Raises:
        QueryError: As :func:`persrv.lab.evaluation.metrics.multi_mrr`.
    """
    values = {
        f"{name}@{k}": measure(ranking, question.relevant, k) for name, measure in METRICS.items() for k in cutoffs
    }
    return Judged(question, tuple(ranking), values)


def by_group(judged: Iterable[Judged], metric: str) -> dict[str, float]:
    """Return each group's mean over its questions, groups in the order of their names.

    Raises:
        QueryError: The metric was not measured.
    """
    values: dict[str, list[float]] = defaultdict(list)
    for one in judged:
        if metric not in one.values:
            raise QueryError(f"there is no value of {metric!r}", f"use one of {', '.join(one.values)}")
        values[one.question.group].append(one.values[metric])
    return {group: float(np.mean(values[group])) for group in sorted(values)}


def mean_interval(judged: Iterable[Judged], metric: str, *, seed: int = 0) -> Interval:
    """Return a metric's mean over groups with its 95 % bootstrap interval.

    Raises:
        QueryError: Nothing was judged, or the metric was not measured.
    """
    return bootstrap_mean(_numbers(by_group(judged, metric)), seed=seed)


def gain(better: Iterable[Judged], worse: Iterable[Judged], metric: str, *, seed: int = 0) -> Gain:
    """Return what one system has over another on the same questions, paired by group.

    Raises:
        QueryError: Nothing was judged, the metric was not measured, or the groups are not the same.
    """
    mine, theirs = by_group(better, metric), by_group(worse, metric)
    if mine.keys() != theirs.keys():
        only = sorted(mine.keys() ^ theirs.keys())[0]
        raise QueryError(f"only one of the two systems was asked by {only!r}", "ask both the same questions")
    return paired_gain(_numbers(mine), _numbers(theirs), seed=seed)


def _numbers(groups: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array(list(groups.values()), dtype=np.float64)
