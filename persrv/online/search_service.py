"""Answers a search on one version of a collection, with one set of weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from persrv.catalog import Catalog
from persrv.errors import QueryError
from persrv.images.encoder import ImageEncoder, TextTower
from persrv.index.language import Filter
from persrv.online.answer import Answer, Reason
from persrv.online.hits import HitMaker
from persrv.online.open_version import OpenVersion
from persrv.online.page import Page, Ranked
from persrv.online.ranker import Ranker
from persrv.online.recall import picture_recall
from persrv.online.request import NO_UNSAFE, Taste
from persrv.recipe import Ranking
from persrv.records import Hit

RECENT = 8
"""How many of a user's own latest stickers lead the answer to an empty query."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search, checked: the arguments of :meth:`persrv.online.retriever.Retriever.search`.

    Attributes:
        query: What was typed.
        user: Whose taste counts.
        by: What is searched.
        where: The filter.
        explain: Whether hits say which words matched.
    """

    query: str
    user: str | None
    by: Literal["text", "picture"]
    where: Filter | None
    explain: bool

    @property
    def typed(self) -> str:
        """The query without the blanks around it."""
        return self.query.strip()


class SearchService:
    """Answers searches.

    Args:
        version: Where answers come from.
        catalog: Knows the pictures' files and what users picked.
        encoder: The recipe's image encoder.
        weights: Of the ranking.
    """

    def __init__(self, version: OpenVersion, catalog: Catalog, encoder: ImageEncoder, weights: Ranking) -> None:
        self._version = version
        self._catalog = catalog
        self._encoder = encoder
        self._weights = weights
        self._ranker = Ranker(version.stickers, weights)

    def answer(self, asked: SearchRequest, page: Page) -> Answer:
        """Return one page of the answer.

        Raises:
            QueryError: Pictures are to be searched, and the encoder has no text tower.
            BuildGoneError: The version is gone.
        """
        taste = self._version.profiles.taste(asked.user)
        if not asked.typed:
            return self._trending(asked, taste, page, "trending", "")
        if asked.by == "picture":
            return self._pictured(asked, taste, page, "")
        return self._by_text(asked, taste, page)

    def _by_text(self, asked: SearchRequest, taste: Taste, page: Page) -> Answer:
        parser = self._version.parser
        parsed = parser.parse(asked.query)
        known, corrections = parsed.token_weights, parsed.corrections
        recall = parser.recall(parsed, asked.where)
        ranked = self._ranker.rank(recall, taste, page) if recall else Ranked.nothing()
        if not known and (recall is None or not ranked.total):
            if isinstance(self._encoder, TextTower):
                note = f"no sticker has the words of {asked.typed!r}; these look like it"
                return self._pictured(asked, taste, page, note)
            note = f"no sticker has the words of {asked.typed!r}; these are popular"
            return self._trending(asked, taste, page, "unmatched", note)
        hits = self._hits(ranked, page, taste, known if asked.explain else None)
        note = "; ".join(f"no sticker has {typed!r}, searched for {used!r}" for typed, used in corrections.items())
        reason: Reason = "corrected" if corrections else "matched"
        if not known:
            reason, note = "meaning", f"no sticker has the words of {asked.typed!r}; these are near in meaning"
        if not hits:
            reason, note = _why_empty(asked, page)
        return Answer(hits, asked.query, asked.user, reason, note, corrections, len(taste) > 0, ranked.total > page.end)

    def _pictured(self, asked: SearchRequest, taste: Taste, page: Page, note: str) -> Answer:
        tower = self._encoder
        if not isinstance(tower, TextTower):
            raise QueryError(
                f"the image encoder {tower.name} cannot compare a text with pictures",
                "search by text, or name one with a text tower in [image], such as open_clip:MODEL, and build again",
            )
        vector = [float(x) for x in tower.encode_text([asked.typed])[0]]
        ranked = self._ranker.rank(picture_recall(vector, asked.where), taste, page)
        hits = self._hits(ranked, page, taste)
        reason: Reason = "pictured"
        if not hits:
            reason, note = "unmatched", f"no picture fits {asked.typed!r}"
        return Answer(
            hits, asked.query, asked.user, reason, note, personal=len(taste) > 0, more=ranked.total > page.end
        )

    def _trending(self, asked: SearchRequest, taste: Taste, page: Page, reason: Reason, note: str) -> Answer:
        own = self._catalog.recent(asked.user, RECENT) if asked.user and reason == "trending" else []
        ranked = self._ranker.trending(own, taste, page, asked.where)
        hits = self._hits(ranked, page, taste)
        if not hits and page.offset == 0:
            reason = "filtered"
            filtered = asked.where not in (None, NO_UNSAFE)
            note = "no sticker passes the filters" if filtered else "the collection is empty"
        return Answer(
            hits, asked.query, asked.user, reason, note, personal=len(taste) > 0, more=ranked.total > page.end
        )

    def _hits(
        self, ranked: Ranked, page: Page, taste: Taste, token_weights: Mapping[str, float] | None = None
    ) -> tuple[Hit, ...]:
        paths = self._catalog.paths(ranked.ids[page.offset : page.end])
        maker = HitMaker(self._version.stickers, taste, self._weights.beta, self._weights.gamma, token_weights)
        return maker.hits(ranked, page, paths)


def _why_empty(asked: SearchRequest, page: Page) -> tuple[Reason, str]:
    if page.offset > 0:
        return "matched", f"there are no more than {page.offset} answers to {asked.typed!r}"
    if asked.where == NO_UNSAFE:
        return "filtered", f"stickers match {asked.typed!r}, but they are unsafe; ask for rating=any to see them"
    if asked.where:
        return "filtered", f"stickers match {asked.typed!r}, but none passes the filters"
    return "unmatched", f"no sticker matches {asked.typed!r} any more"
