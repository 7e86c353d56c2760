"""The hand-made formula with two more weights: what a learnt ranking gains, in one line.

    (bm25f + meaning · likeness) · (1 + beta · utility) · exp(weight · style) · (1 + phrase · whole phrase)

``exp`` is above 0 for any weight, where ``1 + gamma · style`` is not for a gamma above 1; near 0 both are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.metrics import normalised_multi_mrr
from persrv.lab.evaluation.results import EvaluationQuery, Judged, by_group
from persrv.lab.learned.features import Candidates, Parts
from persrv.lab.tuning.search import coordinate_search
from persrv.ranking.formula import order, utility_factor

Floats = NDArray[np.float64]
Weights = Mapping[str, float]

BETA, STYLE, PHRASE, MEANING = "beta", "style", "phrase", "meaning"

_K = 20
_METRIC = "nM-MRR@20"


def starting_weights(beta: float) -> dict[str, float]:
    """Return the weights from which a search starts: the recipe's beta, style as much as it is, phrases not at all.

    Args:
        beta: The recipe's.
    """
    return {BETA: beta, STYLE: 1.0, PHRASE: 0.0, MEANING: 1.0}


def extended(parts: Parts, weights: Weights) -> Floats:
    """Return the formula's score of each candidate, shape (m,), >= 0.

    Args:
        parts: Of one question.
        weights: ``beta``, ``style`` and ``phrase``, and ``meaning`` relative to the recipe's; each >= 0.
    """
    recall = parts.text + weights[MEANING] * parts.meaning
    style = np.exp(weights[STYLE] * parts.similarity) * (1 + weights[PHRASE] * parts.phrase)
    return recall * utility_factor(parts.utility, weights[BETA]) * style


def searched(candidates: Candidates, questions: Sequence[EvaluationQuery], trials: int, seed: int) -> dict[str, float]:
    """Return the weights that a coordinate search finds best by nM-MRR@20, mean over users.

    Args:
        candidates: What was learnt before the questions.
        questions: To fit the weights on.
        trials: Settings to try at most, >= 1.
        seed: Of the search's order.
    """
    ids = candidates.view.material.ids
    answered = [(question, candidates.of(question.query, question.user)) for question in questions]
    named = [(question, parts, [ids[row] for row in parts.rows]) for question, parts in answered]

    def value(weights: dict[str, float]) -> float:
        judged = []
        for question, parts, right in named:
            ranking = [right[at] for at in order(extended(parts, weights), right)[:_K]]
            judged.append(Judged(question, (), {_METRIC: normalised_multi_mrr(ranking, question.relevant, _K)}))
        return float(np.mean(list(by_group(judged, _METRIC).values())))

    start = starting_weights(named[0][1].beta if named else 0.0)
    return coordinate_search(start, value, trials=trials, seed=seed).values
