"""Systems that answer questions: baselines, and ours in parts, each from a :class:`~persrv.lab.evaluation.view.View`.

A system says for a query and a user which stickers come first. Those below are scores over the whole collection;
stickers of score 0 or less are not answered, and equal scores are ordered by id, as :mod:`persrv.ranking.formula` does.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.phrases import fold_query
from persrv.lab.evaluation.view import View
from persrv.ranking.affinity import agreement
from persrv.ranking.formula import rounded, style_factor, style_similarity, utility_factor
from persrv.ranking.profile import StyleProfile
from persrv.recipe import FieldSettings, Ranking
from persrv.text import tokenize

Floats = NDArray[np.float64]
Scores = Callable[[str, str], Floats]
"""From a query and a user (``""`` for nobody) to each sticker's score, shape (n,)."""


class System(Protocol):
    """Answers questions."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def rank(self, query: str, user: str, k: int) -> list[str]:
        """Return at most ``k`` sticker ids, best first, each once."""
        ...


@dataclass(frozen=True, slots=True)
class Scored:
    """A system that scores every sticker.

    Attributes:
        name: What reports call it.
        ids: The stickers, ascending, n of them.
        scores: Their scores for a query and a user.
    """

    name: str
    ids: Sequence[str]
    scores: Scores

    def rank(self, query: str, user: str, k: int) -> list[str]:
        """Return the ``k`` best of the stickers with a score above 0."""
        return best(self.scores(query, user), self.ids, k)


def best(scores: Floats, ids: Sequence[str], k: int) -> list[str]:
    """Return the ids of the ``k`` largest scores above 0; scores that agree in six digits are ordered by id.

    Args:
        scores: Shape (n,).
        ids: Ascending, n of them.
        k: >= 1.
    """
    positive = np.flatnonzero(scores > 0)
    found = positive[np.argsort(-rounded(scores[positive]), kind="stable")][:k]
    return [ids[row] for row in found]


def random_order(view: View, seed: int = 0) -> Scored:
    """Any sticker, drawn anew for each query and user."""

    def scores(query: str, user: str) -> Floats:
        drawn = hashlib.sha256(f"{seed}\n{user}\n{fold_query(query)}".encode()).digest()[:8]
        return np.asarray(1.0 - np.random.default_rng(int.from_bytes(drawn)).random(len(view.material.ids)))

    return Scored("random", view.material.ids, scores)


def popularity(view: View) -> Scored:
    """The most picked stickers, whatever is asked."""
    picked: Floats = view.counts[:, 0] + np.float64(1.0)
    return Scored("popularity", view.material.ids, lambda query, user: picked)


def bm25(view: View) -> Scored:
    """Lucene's BM25 (k1 = 1.2, b = 0.75) over one field that holds all texts."""
    return Scored("BM25", view.material.ids, lambda query, user: view.flat_words.scores(query))


def bm25_with_utility(view: View, ranking: Ranking | None = None) -> Scored:
    """BM25 times the utility factor, ``bm25 · (1 + β · utility)``."""
    factor = utility_factor(view.utility, (ranking or Ranking()).beta)
    name = "BM25 + utility"
    return Scored(name, view.material.ids, lambda query, user: view.flat_words.scores(query) * factor)


def stickerfinder(view: View) -> Scored:
    """What a well-known Telegram bot does, by its published weights.

    Each word of the query earns 1.0 where a tag has it, 0.75 where the pack's title has it, 0.4 where the picture's
    text has it; stickers with any gain ``0.05`` for each time that this user picked them. Its tags are written by
    users; here name, tags and emoji stand for them.
    """
    field_weights = {"name": 1.0, "tags": 1.0, "emoji": 1.0, "pack": 0.75, "ocr": 0.4}
    words: dict[str, Floats] = {}
    for row, texts in enumerate(view.documents):
        earned: dict[tuple[str, float], None] = {}
        for field, phrases in texts.items():
            if field in field_weights:
                earned |= dict.fromkeys((word, field_weights[field]) for phrase in phrases for word in tokenize(phrase))
        for word, weight in earned:
            words.setdefault(word, np.zeros(len(view.material.ids)))[row] += weight

    def scores(query: str, user: str) -> Floats:
        total = np.zeros(len(view.material.ids))
        for word in dict.fromkeys(tokenize(query)):
            total += words.get(word, 0.0)
        own = np.zeros_like(total)
        for pick in view.history.get(user, ()):
            own[view.material.rows[pick.sticker_id]] += 0.05
        return np.where(total > 0, total + own, 0.0)

    return Scored("StickerFinder", view.material.ids, scores)


def query_picks(view: View) -> Scored:
    """How many people picked a sticker for exactly this query, whatever it says: what a log alone answers."""
    counts = _query_people(view)
    return Scored("query-pick counts", view.material.ids, lambda query, user: _people(view, counts, query))


def query_picks_with_own(view: View) -> Scored:
    """The same counts, three times as much where this user picked the sticker before, for whatever query."""
    counts = _query_people(view)

    def scores(query: str, user: str) -> Floats:
        own = np.ones(len(view.material.ids))
        for pick in view.history.get(user, ()):
            own[view.material.rows[pick.sticker_id]] = 3.0
        return _people(view, counts, query) * own

    return Scored("counts + own picks", view.material.ids, scores)


def _query_people(view: View) -> dict[str, Counter[int]]:
    pairs = {(fold_query(pick.query), pick.sticker_id, pick.user) for pick in view.picks}
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for query, sticker_id, _ in pairs:
        if query and sticker_id in view.material.rows:
            found[query][view.material.rows[sticker_id]] += 1
    return found


def _people(view: View, counts: Mapping[str, Counter[int]], query: str) -> Floats:
    people = np.zeros(len(view.material.ids))
    for row, count in counts.get(fold_query(query), {}).items():
        people[row] = count
    return people


def ours(
    view: View,
    ranking: Ranking | None = None,
    *,
    name: str = "persrv",
    utility: bool = True,
    profiles: Mapping[str, StyleProfile] | None = None,
    own: bool = False,
) -> Scored:
    """BM25F, picks, utility and style, as the index computes them.

    Args:
        view: What was learnt.
        ranking: The recipe's weights.
        name: What reports call it.
        utility: Whether utility counts.
        profiles: Users' styles; default those of the view, none for an answer that is the same for everybody.
        own: Whether users' own earlier picks count.
    """
    weights = ranking or Ranking()
    factor = utility_factor(view.utility, weights.beta if utility else 0.0)
    styles = view.profiles if profiles is None else profiles

    def scores(query: str, user: str) -> Floats:
        near = nearest_style(view, styles.get(user))
        start = view.text_scores(query, user, weights, near.agreed) * factor
        own_factor = view.own_factor(query, user, weights) if own else 1.0
        return start * own_factor * style_factor(near.similarity, weights.gamma)

    return Scored(name, view.material.ids, scores)


NOBODY: Mapping[str, StyleProfile] = {}
"""No profiles: everybody gets the same answer."""


@dataclass(frozen=True, slots=True)
class NearestStyle:
    """How near stickers are to a user's styles.

    Attributes:
        similarity: ``max_c w_c · cos``, shape (n,); zeros for somebody unknown.
        agreed: How far other people's picks count, shape (n,); 1 for somebody unknown.
    """

    similarity: Floats
    agreed: Floats | float


def nearest_style(view: View, profile: StyleProfile | None) -> NearestStyle:
    """Return how near every sticker is to the styles of a profile, ``None`` for somebody unknown."""
    if profile is None:
        return NearestStyle(np.zeros(len(view.material.ids)), 1.0)
    similarity, _ = style_similarity(view.material.style_vectors, profile.centroids, profile.weights)
    return NearestStyle(similarity, agreement(similarity))


NO_PICKS = Ranking(omega=0.0, delta=0.0)
"""The formula without what people picked for the query."""


def without_fields(view: View, *fields: str) -> View:
    """Return the view with some text fields left out."""
    return _weighted(view, dict.fromkeys(fields, 0.0))


def only_fields(view: View, *fields: str) -> View:
    """Return the view with all other text fields left out."""
    return _weighted(view, {field: 0.0 for field in view.text.fields if field not in fields})


def _weighted(view: View, weights: dict[str, float]) -> View:
    settings = {
        field: FieldSettings(weight=weights.get(field, known.weight), b=known.b)
        for field, known in view.text.fields.items()
    }
    return replace(view, text=view.text.model_copy(update={"fields": settings}))
