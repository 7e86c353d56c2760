"""What a search asks for, what it finds, and what is to be said of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from persrv.index.language import Filter
from persrv.online.answer import Reason
from persrv.online.cursor import Cursor
from persrv.online.own import OwnStickers
from persrv.online.page import Page, Ranked
from persrv.online.parsed_query import WEAK, ParsedQuery
from persrv.online.request import NO_UNSAFE
from persrv.records import Explanation

COVERED = 0.5
"""Share of the query, by its words' weights, that is a fair one in whatever field it stands: in a field of weight 1 it
makes a relevance of :data:`WEAK` or more."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search, checked: the arguments of :meth:`persrv.online.retriever.Retriever.search`.

    Attributes:
        query: What was typed.
        user: Whose taste counts.
        by: What is searched.
        where: The filter.
        explain: Whether hits say which words matched.
        mark: Says which search it is, see :func:`persrv.online.cursor.search_mark`.
        cursor: Where to go on.
    """

    query: str
    user: str | None
    by: Literal["text", "picture"]
    where: Filter | None
    explain: bool
    mark: bytes = b""
    cursor: Cursor | None = None

    @property
    def typed(self) -> str:
        """The query without the blanks around it."""
        return self.query.strip()


@dataclass(frozen=True, slots=True)
class Found:
    """What a search finds.

    Attributes:
        ranked: At least the page.
        reason: See :data:`persrv.online.answer.Reason`.
        note: A sentence for the person who searches.
        corrections: Typed word to the word that is searched instead.
        parsed: The query by words, ``None`` where it took no part.
        most: The largest text score that the query could give, ``None`` where nothing was typed.
        own: What the user picked or marked before.
        own_factors: Sticker id to what that multiplied its score by.
    """

    ranked: Ranked
    reason: Reason
    note: str = ""
    corrections: Mapping[str, str] = field(default_factory=dict)
    parsed: ParsedQuery | None = None
    most: float | None = None
    own: OwnStickers = field(default_factory=OwnStickers)
    own_factors: Mapping[str, float] = field(default_factory=dict)


def has_fair_share(explained: Explanation, found: Found) -> bool:
    """Return whether a sticker has a fair share of the query's words, or was picked for just this query."""
    most, weights = found.most or 1.0, found.parsed.token_weights if found.parsed else {}
    covered = sum(weights[token] for token in explained.matched)
    return explained.people > 0 or explained.by_words >= WEAK * most or covered >= COVERED * most


def why_empty(request: SearchRequest, page: Page, found: Found) -> tuple[Reason, str]:
    """Return the reason and the sentence for a page without hits."""
    filtered = request.where not in (None, NO_UNSAFE)
    if found.reason == "unmatched" and found.parsed is not None:
        return found.reason, found.note
    if found.reason in ("trending", "unmatched"):
        if page.offset > 0:
            return found.reason, found.note
        return "filtered", "no sticker passes the filters" if filtered else "the collection is empty"
    if found.reason == "pictured":
        return "unmatched", f"no picture fits {request.typed!r}"
    if page.offset > 0:
        return "matched", f"there are no more than {page.offset} answers to {request.typed!r}"
    if request.where == NO_UNSAFE:
        return "filtered", f"stickers match {request.typed!r}, but they are unsafe; ask for rating=any to see them"
    if request.where:
        return "filtered", f"stickers match {request.typed!r}, but none passes the filters"
    return "unmatched", f"no sticker matches {request.typed!r} any more"
