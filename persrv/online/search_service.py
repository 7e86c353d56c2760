"""Answers a search on one version of a collection, with one set of weights."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from persrv.catalog import Catalog
from persrv.catalog.phrases import fold_query
from persrv.errors import QueryError
from persrv.images.encoder import ImageEncoder, TextTower
from persrv.online.answer import Answer, Reason
from persrv.online.cursor import Cursor, following
from persrv.online.found import Found, SearchRequest, has_fair_share, why_empty
from persrv.online.hits import HitMaker
from persrv.online.open_version import OpenVersion
from persrv.online.own import STAND_INS, OwnStickers, in_order
from persrv.online.page import Page, Ranked
from persrv.online.parsed_query import WEAK, ParsedQuery
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall, picture_recall, popular_recall
from persrv.online.request import NO_TASTE, Taste, narrowed
from persrv.ranking.repeats import RepeatWeights
from persrv.recipe import Ranking
from persrv.records import Hit
from persrv.text import tokenize

JUDGED = 3
"""First hits by which an answer is judged: one of them must have a fair share of the query's words."""

RECENT = 8
"""How many of a user's own latest stickers lead the answer to an empty query."""


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

    def answer(self, request: SearchRequest, page: Page) -> Answer:
        """Return one page of the answer.

        Raises:
            QueryError: Pictures are to be searched, and the encoder has no text tower.
            BuildGoneError: The version is gone.
        """
        with self._catalog.asking():
            return self._answer(request, page)

    def _answer(self, request: SearchRequest, page: Page) -> Answer:
        taste = self._version.profiles.taste(request.user)
        cursor = request.cursor
        if cursor is None:
            found = self._find(request, taste, page)
            shown, coming = found.ranked.ids[page.offset : page.end], found.ranked.ids[page.end :]
        else:
            page = Page(cursor.before, page.limit)
            found = self._go_on(request, cursor, taste, page.limit)
            shown, coming = found.ranked.ids[: page.limit], found.ranked.ids[page.limit :]
        parsed = found.parsed if request.explain else None
        maker = HitMaker(
            self._version.stickers, taste, self._weights, parsed, found.most, found.own.picks, found.own_factors
        )
        part = Page(0, page.limit) if cursor else page
        ranked = found.ranked.part(part)
        together = self._catalog.count_copies(self._version.manifest.vocabulary, ranked.groups)
        hits = maker.hits(ranked, page.offset, self._catalog.paths(shown), together)
        reason, note = found.reason, found.note
        if not hits:
            reason, note = why_empty(request, page, found)
        elif reason in ("matched", "corrected") and not cursor:
            reason, small = self._small_part(maker, found, request, hits[0]) or (reason, "")
            note = "; ".join(filter(None, (note, small)))
        go_on = following(cursor, request.mark, page.end, shown, coming).encode() if coming else ""
        return Answer(
            hits=hits,
            query=request.query,
            user=request.user,
            reason=reason,
            note=note,
            corrections=found.corrections,
            personal=len(taste) > 0,
            more=bool(coming),
            next=go_on,
            cut=found.ranked.cut,
        )

    def _small_part(
        self, maker: HitMaker, found: Found, request: SearchRequest, shown: Hit
    ) -> tuple[Reason, str] | None:
        """Return what to say of an answer whose first stickers have only a small part of the query, else ``None``.

        Args:
            maker: Makes hits.
            found: What was found.
            request: The search.
            shown: The page's first hit.
        """
        by_words_alone = not self._version.manifest.meaning
        if by_words_alone and shown.relevance >= WEAK:
            return None
        first = found.ranked.at(range(min(JUDGED, found.ranked.total)))
        hits = replace(maker, parsed=found.parsed).hits(first, 0, {})
        if not hits or any(has_fair_share(hit.explanation, found) for hit in hits):
            return None
        if hits[0].relevance >= WEAK:
            return "meaning", f"no sticker has much of {request.typed!r}; these are near in meaning"
        words = ", ".join(dict.fromkeys(word for hit in hits for word in hit.explanation.matched))
        return "partial", f"no sticker has much of {request.typed!r}; the nearest have {words or 'nothing of it'}"

    def _go_on(self, request: SearchRequest, cursor: Cursor, taste: Taste, limit: int) -> Found:
        """Return what comes behind a cursor: the stickers whose places it keeps, then what ranks best of the rest."""
        kept = cursor.coming
        only = replace(request, where=narrowed(request.where, only=kept))
        found = self._find(only, taste, Page(0, max(len(kept), 1)))
        ranked = in_order(found.ranked, kept)
        if ranked.total <= limit:
            rest = replace(request, where=narrowed(request.where, without=(*cursor.shown, *kept)))
            more = self._find(rest, taste, Page(0, limit))
            # Where such answers end, what would stand in for none at all is no further answer.
            ranked = ranked.then(more.ranked) if more.reason == found.reason else ranked
            found = replace(found, own_factors={**more.own_factors, **found.own_factors})
        return replace(found, ranked=ranked)

    def _find(self, request: SearchRequest, taste: Taste, page: Page) -> Found:
        if not request.typed:
            return self._trending(request, taste, page)
        if request.by == "picture":
            return self._pictured(request, taste, page)
        parsed = self._version.parser.parse(request.query, request.user)
        found = self._matching(parsed, request, taste, page)
        if parsed.aside and not found.ranked.total:
            parsed = parsed.with_small_part()
            found = self._matching(parsed, request, taste, page)
        corrections = parsed.corrections
        if parsed.token_weights:
            note = "; ".join(f"no sticker has {typed!r}, searched for {used!r}" for typed, used in corrections.items())
            reason: Reason = "corrected" if corrections else "matched"
            return replace(found, reason=reason, note=note, corrections=corrections)
        known = ", ".join(parsed.aside)
        lacking = f"much of {request.typed!r}, only {known}" if known else f"the words of {request.typed!r}"
        if found.ranked.total and parsed.picked_words:
            note = f"no sticker has {lacking}; people picked these for it"
            return replace(found, note=note)
        if found.ranked.total:
            note = f"no sticker has {lacking}; these are near in meaning"
            return replace(found, reason="meaning", note=note)
        if parsed.without:
            # Popular stickers would bring back what was taken away.
            note = f"nothing is left for {request.typed!r} without what was taken away"
            return Found(Ranked.nothing(), "unmatched", note, parsed=parsed)
        if isinstance(self._encoder, TextTower):
            note = f"no sticker has the words of {request.typed!r}; these look like it"
            return replace(self._pictured(request, taste, page), note=note)
        mine = found.own.stand_ins[:STAND_INS]
        shown = "you pick these often, and others are popular" if mine else "these are popular"
        note = f"no sticker has the words of {request.typed!r}; {shown}"
        return Found(self._ranker.trending(mine, taste, page, request.where), "unmatched", note, own=found.own)

    def _own(self, user: str | None, query: str, taste: Taste) -> OwnStickers:
        """Return what a user picked or marked before, nothing where that counts nothing."""
        ranking = self._weights
        if user is None or not ranking.own:
            return OwnStickers()
        picks = self._catalog.own_picks(user, fold_query(query), tokenize(query), ranking.own_half_life_days)
        return OwnStickers(picks, RepeatWeights(**self._version.manifest.repeats), ranking.own, len(taste) > 0)

    def _matching(self, parsed: ParsedQuery, request: SearchRequest, taste: Taste, page: Page) -> Found:
        """Return what matches by words, picks and meaning."""
        recall = self._version.parser.recall(parsed, request.where, self._weights)
        own = self._own(request.user, parsed.query, taste)
        ranked, factors = self._ranked(recall, taste, page, own) if recall else (Ranked.nothing(), {})
        return Found(ranked, "matched", parsed=parsed, most=parsed.most, own=own, own_factors=factors)

    def _ranked(self, recall: Recall, taste: Taste, page: Page, own: OwnStickers) -> tuple[Ranked, dict[str, float]]:
        """Return what matches in its final order, and what the scores of the user's own stickers were multiplied by."""
        if not own.picks:
            return self._ranker.rank(recall, taste, page), {}
        others, mine = self._ranker.rank_apart(recall, taste, page, [*own.picks])
        return own.merged(others, mine) if mine.total else (others, {})

    def _pictured(self, request: SearchRequest, taste: Taste, page: Page) -> Found:
        tower = self._encoder
        if not isinstance(tower, TextTower):
            raise QueryError(
                f"the image encoder {tower.name} cannot compare a text with pictures",
                "search by text, or name one with a text tower in [image], such as open_clip:MODEL, and build again",
            )
        vector = [float(x) for x in tower.encode_text([request.typed])[0]]
        return Found(self._ranker.rank(picture_recall(vector, request.where), taste, page), "pictured", most=1.0)

    def trending(self, request: SearchRequest, since: datetime, lately: str, page: Page) -> Answer:
        """Return what most people picked lately, for a query or whatever was typed, and then what answers it always.

        A query that fewer people typed than may be shown is answered as any search is. Hits that were picked lately
        have the number of people as their score.

        Args:
            request: The search; nobody asks it.
            since: From when on picks count.
            lately: The same in words, such as ``"in the last 7 days"``.
            page: The wanted part.
        """
        folded = fold_query(request.query)
        counted = not folded or self._version.parser.may_answer(request.query)
        people = self._catalog.most_picked(since, folded) if counted else {}
        first = Ranked.nothing()
        if people:
            listed = self._ranker.rank(
                popular_recall(narrowed(request.where, only=[*people])), NO_TASTE, Page(0, len(people)), whole=True
            )
            scores = np.array([people[sticker_id] for sticker_id in listed.ids], dtype=np.float64)
            by_people = np.lexsort((np.arange(len(scores)), -scores)).tolist()
            first = replace(listed, scores=scores).at(by_people)
        rest = replace(request, where=narrowed(request.where, without=first.ids))
        after = Page(max(page.offset - first.total, 0), page.limit)
        found = self._find(rest, NO_TASTE, after)
        ranked = first.then(found.ranked)
        maker = HitMaker(self._version.stickers, NO_TASTE, Ranking(beta=0.0, gamma=0.0))
        part = ranked.part(page)
        hits = maker.hits(part, page.offset, self._catalog.paths(part.ids))
        wanted = f" for {request.typed!r}" if folded else ""
        if first.total:
            what = f"{first.total} sticker{'s were' if first.total > 1 else ' was'} picked {lately}{wanted}"
        else:
            what = f"no sticker was picked {lately}{wanted}; {'these answer it' if folded else 'these are popular'}"
        reason: Reason = "trending" if first.total or not folded else found.reason
        return Answer(hits, request.query, None, reason, what, more=ranked.total > page.end)

    def _trending(self, request: SearchRequest, taste: Taste, page: Page) -> Found:
        own = self._catalog.recent(request.user, RECENT) if request.user else []
        return Found(self._ranker.trending(own, taste, page, request.where), "trending")
