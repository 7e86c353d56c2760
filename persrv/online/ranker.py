"""Runs the online stage on one collection: a request, or a request and a finish in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qdrant_client import models as m

from persrv.index.engine import Collection, Request
from persrv.index.schema import TEXT
from persrv.online.page import Page, Ranked, best_first, ordered, styles_of
from persrv.online.recall import Recall
from persrv.online.request import NO_TASTE, Taste, narrowed, personal_request, trending_recall
from persrv.ranking.formula import style_factor, style_pull
from persrv.recipe import Ranking


class Ranker:
    """Ranks the candidates of one collection for a user.

    Args:
        collection: The stickers.
        weights: The recipe's ``[ranking]``.
    """

    def __init__(self, collection: Collection, weights: Ranking) -> None:
        self._collection = collection
        self._weights = weights
        self._using = collection.manifest.taste_vector

    @property
    def dimension(self) -> int:
        """Length of the vector in whose space styles lie."""
        return self._collection.manifest.taste_dimension

    def rank(self, recall: Recall, taste: Taste, page: Page) -> Ranked:
        """Return the candidates in their final order, at least the page where there are that many.

        Servers before 1.20 have no maximum in formulas. With several styles the whole pool then comes back with its
        vectors, and :mod:`persrv.ranking.formula` finishes, with the same answer.

        Args:
            recall: Where candidates come from, and the score that they start with.
            taste: The user's styles.
            page: The wanted part.
        """
        in_engine = len(taste) <= 1 or self._collection.formula_max
        request = personal_request(
            recall,
            taste if in_engine else NO_TASTE,
            beta=self._weights.beta,
            gamma=self._weights.gamma,
            using=self._using,
            vectors=(self._using,) if len(taste) else (),
        )
        if in_engine:
            return best_first(self._collection, request, page)
        points = self._collection.query(request)
        pull, _ = style_pull(styles_of(points, self._using, self.dimension), taste.centroids, taste.weights)
        scores = np.array([point.score for point in points]) * style_factor(pull, self._weights.gamma)
        return ordered(points, scores.tolist(), self._using, self.dimension)

    def trending(self, own: Sequence[str], taste: Taste, page: Page, where: m.Filter | None) -> Ranked:
        """Return a user's own stickers, as given, and then useful ones and those near their styles.

        Args:
            own: Ids of the user's own latest stickers; may be empty.
            taste: The user's styles.
            page: The wanted part.
            where: The search's filter.
        """
        mine = Ranked.nothing(self.dimension)
        if own:
            recall = trending_recall(len(own), NO_TASTE, narrowed(where, only=own), self._using)
            found = self.rank(recall, taste, Page(0, len(own)))
            mine = found.arranged([sticker_id for sticker_id in own if sticker_id in found.ids])
        rest = Page(max(page.offset - mine.total, 0), page.limit)
        recall = trending_recall(self._weights.pool, taste, narrowed(where, without=own), self._using)
        return mine.then(self.rank(recall, taste, rest))

    def self_score(self, sticker_id: str, text: m.SparseVector) -> float:
        """Return what a sticker's own text scores against itself, 1 where it scores nothing."""
        itself = narrowed(None, only=[sticker_id])
        found = self._collection.query(Request(m.NearestQuery(nearest=text), limit=1, using=TEXT, filter=itself))
        return found[0].score if found and found[0].score > 0 else 1.0
