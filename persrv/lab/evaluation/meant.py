"""Baselines that ask by meaning: dense vectors alone, and beside the words as the index fuses them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.likeness import QueryLikeness
from persrv.lab.evaluation.systems import NOBODY, Scored, Scores, nearest_style
from persrv.lab.evaluation.view import View
from persrv.ranking.formula import style_factor, utility_factor
from persrv.ranking.profile import StyleProfile
from persrv.recipe import Meaning, Ranking
from persrv.text import query_tokens
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.fusion import Blend, beside_picks, best_text_score, fused, recalled

Floats = NDArray[np.float64]


def dense(view: View, encoder: TextEncoder, settings: Meaning) -> Scored:
    """Nearest in meaning, whatever the words: one plus the cosine to a sticker's best row."""
    likeness = QueryLikeness(view, encoder, settings.dimension)
    return Scored("dense text", view.material.ids, lambda query, user: 1.0 + likeness.cosines(query))


def hybrid(
    view: View, encoder: TextEncoder, settings: Meaning, ranking: Ranking | None = None, *, own: bool = False
) -> list[Scored]:
    """Words and meaning fused, with utility: the same for everybody, and with the user's style.

    Args:
        view: What was learnt.
        encoder: A text encoder.
        settings: The recipe's ``[meaning]``.
        ranking: The recipe's weights.
        own: Whether users' own earlier picks count.
    """
    weights = ranking or Ranking()
    likeness = QueryLikeness(view, encoder, settings.dimension)
    factor = utility_factor(view.utility, weights.beta)

    def scores(query: str, user: str, profiles: Mapping[str, StyleProfile]) -> Floats:
        style = nearest_style(view, profiles.get(user))
        exact, picked = view.affinity(query, user)
        words, near = view.own_words.scores(query) + weights.omega * style.agreed * picked, likeness.cosines(query)
        best = best_text_score(query_tokens(query), view.own_words.statistics)
        weight = beside_picks(settings.weight * likeness.borne_out, view.covered_share(query, user))
        blend = Blend.of(likeness.space, best, weight, settings.reach)
        start = np.where(recalled(words, near, blend), fused(words, near, blend), 0.0)
        by_picks = 1.0 + weights.delta * style.agreed * exact
        return start * by_picks * factor * style_factor(style.similarity, weights.gamma)

    def together(query: str, user: str) -> Floats:
        return scores(query, user, NOBODY)

    def personal_score(query: str, user: str) -> Floats:
        return scores(query, user, view.profiles) * (view.own_factor(query, user, weights) if own else 1.0)

    systems: list[tuple[str, Scores]] = [("hybrid + utility", together), ("persrv + meaning", personal_score)]
    return [Scored(name, view.material.ids, scores) for name, scores in systems]
