"""The same questions under many settings: what no weight changes is computed once.

Answers are those of the formulas in NumPy (:mod:`persrv.lab.evaluation`), not of an index; spelling correction and
stand-ins for unmatched queries have no part in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.compare import DEPTH
from persrv.lab.evaluation.likeness import QueryLikeness
from persrv.lab.evaluation.metrics import CUTOFFS
from persrv.lab.evaluation.postings import Postings
from persrv.lab.evaluation.results import METRICS, EvaluationQuery, Judged, by_group, judge
from persrv.lab.evaluation.systems import NearestStyle, best, nearest_style
from persrv.lab.evaluation.view import View
from persrv.ranking.formula import style_factor, utility_factor
from persrv.recipe import Recipe
from persrv.text import query_tokens
from persrv.text.meaning.fusion import Blend, beside_picks, best_text_score, fused, recalled

Floats = NDArray[np.float64]

METRIC_NAMES = tuple(f"{name}@{k}" for name in METRICS for k in CUTOFFS)
"""What can be tuned for."""

_TEXTS = 2
"""Settings of the text section whose words are kept, since each may remember its scores."""


class HeldOutQueries:
    """Questions, and what was learnt before they were asked.

    Args:
        view: What was learnt; no answer to a question is among it.
        questions: Sorted by user, as splits give them.
        likeness: Where meaning counts: compares queries with stickers.
    """

    def __init__(self, view: View, questions: Sequence[EvaluationQuery], likeness: QueryLikeness | None = None) -> None:
        self.questions = tuple(questions)
        self._view = view
        self._documents = view.own_documents
        self._ids = view.material.ids
        self._likeness = likeness
        self._words: dict[str, Postings] = {}
        self._style = lru_cache(maxsize=64)(self._style_of)
        self._affinity = lru_cache(maxsize=4096)(view.affinity)
        self._covered = lru_cache(maxsize=65_536)(view.covered_share)
        self._own = lru_cache(maxsize=65_536)(view.own_strengths)

    def judged(self, recipe: Recipe) -> list[Judged]:
        """Return every question's answer under a recipe's weights, measured in every way."""
        return [judge(one, ranking) for one, ranking in zip(self.questions, self.rankings(recipe), strict=True)]

    def value(self, recipe: Recipe, metric: str) -> float:
        """Return the mean of one measure over users under a recipe's weights.

        Args:
            recipe: Its ``[text]``, ``[ranking]`` and ``meaning.weight`` count.
            metric: One of :data:`METRIC_NAMES`.
        """
        name, _, k = metric.partition("@")
        measured = [
            Judged(one, (), {metric: METRICS[name](ranking, one.relevant, int(k))})
            for one, ranking in zip(self.questions, self.rankings(recipe), strict=True)
        ]
        return float(np.mean(list(by_group(measured, metric).values())))

    def rankings(self, recipe: Recipe) -> list[list[str]]:
        """Return the ids of each question's best stickers under a recipe's weights."""
        words, ranking = self._words_of(recipe), recipe.ranking
        factor = utility_factor(self._view.utility, ranking.beta)
        found = []
        for question in self.questions:
            scores = self._recall(words, question, recipe) * factor
            scores = scores * style_factor(self._style(question.user).similarity, ranking.gamma)
            rows, strengths = self._own(question.query, question.user)
            scores[rows] *= self._view.own_factors(question.user, strengths, ranking)
            found.append(best(scores, self._ids, DEPTH))
        return found

    def _recall(self, words: Postings, question: EvaluationQuery, recipe: Recipe) -> Floats:
        query, ranking = question.query, recipe.ranking
        exact, picked = self._affinity(query, question.user)
        agreed = self._style(question.user).agreed
        scores, factor = words.scores(query) + ranking.omega * agreed * picked, 1.0 + ranking.delta * agreed * exact
        if self._likeness is None:
            return scores * factor
        near = self._likeness.cosines(query)
        most = best_text_score(query_tokens(query), words.statistics)
        weight = beside_picks(recipe.meaning.weight * self._likeness.borne_out, self._covered(query, question.user))
        blend = Blend.of(self._likeness.space, most, weight, recipe.meaning.reach)
        return np.where(recalled(scores, near, blend), fused(scores, near, blend), 0.0) * factor

    def _words_of(self, recipe: Recipe) -> Postings:
        key = recipe.fingerprint("text")
        if key not in self._words:
            while len(self._words) >= _TEXTS:
                del self._words[next(iter(self._words))]
            self._words[key] = Postings.of(self._documents, recipe.text)
        return self._words[key]

    def _style_of(self, user: str) -> NearestStyle:
        return nearest_style(self._view, self._view.profiles.get(user))
