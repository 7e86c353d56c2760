"""What a ranking has learnt: how its score moves with one feature, and whether a better text ever ranks lower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.results import EvaluationQuery
from persrv.lab.learned.features import Candidates, Parts
from persrv.lab.learned.models import PartScore, Score

Floats = NDArray[np.float64]

BETTER = 1.2
"""Factor on a candidate's text that must not make it rank lower."""


def partial_dependence(score: Score, features: Floats, column: int, values: Sequence[float]) -> list[float]:
    """Return the mean score where one feature has each of some values and the others stay as they are.

    J. Friedman: Greedy function approximation (2001), section 8.2.

    Args:
        score: The ranking.
        features: Shape (m, 11), m >= 1.
        column: The feature's number.
        values: What it is set to.
    """
    moved = features.copy()
    found = []
    for value in values:
        moved[:, column] = value
        found.append(float(score(moved).mean()))
    return found


def fallen(score: PartScore, candidates: Candidates, questions: Sequence[EvaluationQuery], seed: int = 0) -> float:
    """Return how often a candidate ranks lower after its text has become better by a fifth, in [0, 1].

    One candidate of each question that has words in common with it is drawn. Its text is raised, and what follows from
    that: its share of the best, its rank, its formula. A rank is the number of candidates with a larger score.

    Args:
        score: The ranking.
        candidates: What was learnt.
        questions: Some.
        seed: Of the draw.
    """
    random = np.random.default_rng(seed)
    lower: list[bool] = []
    for question in questions:
        parts = candidates.of(question.query, question.user)
        with_words = np.flatnonzero(parts.text > 0)
        if len(with_words):
            at = int(random.choice(with_words))
            lower.append(_place(score, raised(parts, at), at) > _place(score, parts, at))
    return float(np.mean(lower)) if lower else 0.0


def raised(parts: Parts, at: int, factor: float = BETTER) -> Parts:
    """Return the candidates with one's BM25F multiplied by a factor."""
    text = parts.text.copy()
    text[at] *= factor
    return replace(parts, text=text)


def _place(score: PartScore, parts: Parts, at: int) -> int:
    scores = score(parts)
    return int((scores > scores[at]).sum())
