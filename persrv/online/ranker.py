"""Runs the online stage on one collection."""

from __future__ import annotations

from collections.abc import Sequence

from persrv.index.engine import Collection
from persrv.index.language import Filter, HasId, Nearest, Request
from persrv.index.schema import TEXT, point_id
from persrv.online.page import Page, Ranked, best_first
from persrv.online.recall import Recall, popular_recall
from persrv.online.request import NO_TASTE, Taste, narrowed, personal_request, trending_request
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector


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

    def rank(self, recall: Recall, taste: Taste, page: Page) -> Ranked:
        """Return the candidates in their final order, at least the page where there are that many.

        Args:
            recall: Where candidates come from, and the score that they start with.
            taste: The user's styles.
            page: The wanted part.
        """
        weights = self._weights
        request = personal_request(recall, taste, beta=weights.beta, gamma=weights.gamma, using=self._using)
        return best_first(self._collection, request, page)

    def trending(self, own: Sequence[str], taste: Taste, page: Page, where: Filter | None) -> Ranked:
        """Return a user's own stickers, as given, and then useful ones and those near their styles.

        Args:
            own: Ids of the user's own latest stickers; may be empty.
            taste: The user's styles.
            page: The wanted part.
            where: The search's filter.
        """
        mine = Ranked.nothing()
        if own:
            recall = popular_recall(len(own), narrowed(where, only=own))
            found = self.rank(recall, NO_TASTE, Page(0, len(own)))
            mine = found.at([found.ids.index(sticker_id) for sticker_id in own if sticker_id in found.ids])
        rest = Page(max(page.offset - mine.total, 0), page.limit)
        return mine.then(self._popular(taste, rest, narrowed(where, without=own)))

    def _popular(self, taste: Taste, page: Page, where: Filter | None) -> Ranked:
        weights = self._weights
        if not len(taste):
            return self.rank(popular_recall(weights.pool, where), taste, page)
        request = trending_request(
            weights.pool, taste, where, beta=weights.beta, gamma=weights.gamma, using=self._using
        )
        return best_first(self._collection, request, page)

    def self_score(self, sticker_id: str, text: SparseVector) -> float:
        """Return what a sticker's own text scores against itself, 1 where it scores nothing."""
        itself = Filter(must=(HasId((point_id(sticker_id),)),))
        found = self._collection.query(Request(Nearest(text, TEXT), limit=1, filter=itself))
        return found[0].score if found and found[0].score > 0 else 1.0
