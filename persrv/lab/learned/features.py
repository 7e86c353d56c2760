"""What a learnt ranking reads of a candidate: the parts of the hand-made score, and their ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.phrases import fold_query
from persrv.lab.evaluation.likeness import QueryLikeness
from persrv.lab.evaluation.results import EvaluationQuery
from persrv.lab.evaluation.view import View
from persrv.ranking.affinity import agreement
from persrv.ranking.formula import rounded, style_factor, style_similarity, utility_factor
from persrv.recipe import Recipe
from persrv.text import query_tokens
from persrv.text.meaning.fusion import Blend, beside_picks, best_text_score, fused, recalled

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

POOL = 100
"""Candidates of one question: what the hand-made formula recalls first."""

FEATURES = (
    "text",
    "text over best",
    "text rank",
    "whole phrase",
    "meaning",
    "recall over best",
    "utility",
    "style",
    "style rank",
    "formula over best",
    "formula rank",
)
"""Names of the columns.

``text`` is ``ln(1 + bm25f)``; ``over best`` is divided by the candidates' largest; a rank is ``1 / rank``, equal values
sharing the best; ``whole phrase`` says whether the query is one of the sticker's phrases; ``meaning`` is the cosine of
query and sticker, 0 without an encoder; ``recall`` is words and meaning together; ``style`` the similarity to the
user's styles.
"""

BY_TEXT = ("text", "text over best", "text rank", "whole phrase", "meaning", "recall over best")
BY_FORMULA = ("formula over best", "formula rank")


@dataclass(frozen=True)
class Parts:
    """The candidates of one question.

    Attributes:
        rows: Of the collection, ascending, shape (m,).
        text: BM25F, shape (m,), >= 0.
        meaning: What likeness in meaning adds to it, shape (m,), >= 0.
        cosine: Likeness in meaning, shape (m,), 0 without an encoder.
        phrase: 1 where the query is a phrase of the sticker, else 0, shape (m,).
        utility: Shape (m,), in [0, 1].
        similarity: To the user's styles, shape (m,), 0 for somebody unknown.
        beta: Weight of utility in the formula.
        gamma: Weight of style in the formula.
    """

    rows: Indices
    text: Floats
    meaning: Floats
    cosine: Floats
    phrase: Floats
    utility: Floats
    similarity: Floats
    beta: float
    gamma: float

    @cached_property
    def formula(self) -> Floats:
        """The hand-made score, shape (m,)."""
        factor = utility_factor(self.utility, self.beta)
        return (self.text + self.meaning) * factor * style_factor(self.similarity, self.gamma)

    @cached_property
    def features(self) -> Floats:
        """The columns of :data:`FEATURES`, shape (m, 11), with the digits of a score that count.

        What differs only behind them is noise of the arithmetic, and trees would split there.
        """
        columns = (
            np.log1p(self.text),
            _share(self.text),
            _rank(self.text),
            self.phrase,
            self.cosine,
            _share(self.text + self.meaning),
            self.utility,
            self.similarity,
            _rank(self.similarity),
            _share(self.formula),
            _rank(self.formula),
        )
        return rounded(np.column_stack(columns))


class Candidates:
    """Finds the candidates of questions from what was learnt.

    Args:
        view: What was learnt; the answers to the questions are not among it.
        recipe: Its ``[ranking]`` and ``[meaning]`` weights make the formula.
        likeness: Compares queries with stickers, ``None`` for words alone.
    """

    def __init__(self, view: View, recipe: Recipe, likeness: QueryLikeness | None = None) -> None:
        self.view = view
        self._recipe = recipe
        self._likeness = likeness
        self._phrases = [
            {fold_query(phrase) for phrases in texts.values() for phrase in phrases} for texts in view.documents
        ]
        self.of = lru_cache(maxsize=8192)(self._of)

    def _of(self, query: str, user: str) -> Parts:
        """Return the :data:`POOL` first candidates by words, meaning and utility, fewer where less is recalled."""
        ranking = self._recipe.ranking
        exact, picked = self.view.affinity(query, user)
        own = self.view.own_words.scores(query)
        words, by_query = own + ranking.omega * picked, 1.0 + ranking.delta * exact
        meaning, cosine, known = self._meaning(query, words, self.view.covered_share(query, user))
        recall = np.where(known, (words + meaning) * by_query * utility_factor(self.view.utility, ranking.beta), 0.0)
        found = np.flatnonzero(recall > 0)
        rows = np.sort(found[np.argsort(-rounded(recall[found]), kind="stable")][:POOL])
        folded = fold_query(query)
        profile = self.view.profiles.get(user)
        similarity, agreed = np.zeros(len(rows)), np.ones(len(rows))
        if profile is not None:
            vectors = self.view.material.style_vectors[rows]
            similarity = style_similarity(vectors, profile.centroids, profile.weights)[0]
            agreed = agreement(similarity)
        by_query = 1.0 + ranking.delta * agreed * exact[rows]
        return Parts(
            rows=rows,
            text=(own[rows] + ranking.omega * agreed * picked[rows]) * by_query,
            meaning=meaning[rows] * by_query,
            cosine=cosine[rows],
            phrase=np.array([float(folded in self._phrases[row]) for row in rows]),
            utility=self.view.utility[rows],
            similarity=similarity,
            beta=ranking.beta,
            gamma=ranking.gamma,
        )

    def _meaning(self, query: str, text: Floats, covered: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return what meaning adds, the cosines, and what is recalled, each of shape (n,)."""
        if self._likeness is None:
            return np.zeros_like(text), np.zeros_like(text), text > 0
        cosine = self._likeness.cosines(query)
        most = best_text_score(query_tokens(query), self.view.own_words.statistics)
        settings = self._recipe.meaning
        weight = beside_picks(settings.weight * self._likeness.borne_out, covered)
        blend = Blend.of(self._likeness.space, most, weight, settings.reach)
        return fused(text, cosine, blend) - text, cosine, recalled(text, cosine, blend)


@dataclass(frozen=True, slots=True)
class RankingExamples:
    """Candidates of many questions, to learn from.

    Attributes:
        features: Shape (m, 11).
        picked: Whether a candidate was picked, shape (m,).
        sizes: Candidates of each question, shape (q,), adding up to m.
    """

    features: Floats
    picked: NDArray[np.bool_]
    sizes: Indices


def lessons(candidates: Candidates, questions: Sequence[EvaluationQuery]) -> RankingExamples:
    """Return the candidates of those questions among whose candidates something right and something wrong is.

    Args:
        candidates: What was learnt before the questions.
        questions: With their answers.
    """
    ids = candidates.view.material.ids
    features, picked, sizes = [np.zeros((0, len(FEATURES)))], [np.zeros(0, np.bool_)], []
    for question in questions:
        parts = candidates.of(question.query, question.user)
        right = np.array([ids[row] in question.relevant for row in parts.rows], dtype=np.bool_)
        if right.any() and not right.all():
            features.append(parts.features)
            picked.append(right)
            sizes.append(len(right))
    return RankingExamples(np.concatenate(features), np.concatenate(picked), np.array(sizes, dtype=np.int64))


def _share(values: Floats) -> Floats:
    top = float(values.max(initial=0.0))
    return values / top if top > 0 else np.zeros_like(values)


def _rank(values: Floats) -> Floats:
    """Return 1 over each value's rank, the largest first; values that agree in six digits share the best rank."""
    agreeing = rounded(values)
    ordered = np.sort(agreeing)
    return np.asarray(1.0 / (1 + len(values) - np.searchsorted(ordered, agreeing, side="right")))
