"""What a search returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, overload

from persrv.records import Hit

Reason = Literal[
    "matched", "corrected", "partial", "meaning", "pictured", "trending", "unmatched", "similar", "filtered"
]
"""Why these hits: the words matched; they matched after correction; even the best has only a small part of the query;
no word is known, but these are near in meaning; the query fits their pictures; no words were given; no word is known,
so popular stickers stand in; they resemble a given sticker; stickers match, but none passes the filters."""


@dataclass(frozen=True, slots=True)
class Answer(Sequence[Hit]):
    """A page of hits, best first, and why they are what they are.

    Attributes:
        hits: The page.
        query: What was asked.
        user: For whom, ``None`` for nobody in particular.
        reason: See :data:`Reason`.
        note: A sentence for the person who searches, ``""`` when there is nothing to say.
        corrections: Typed word to the word that was searched instead.
        personal: Whether a style profile took part.
        more: Whether a further page has hits.
        next: The cursor of that page, ``""`` where there is none.
        cut: Whether the pool of candidates grew to its limit, so that a sticker may be missing; see
            docs/decisions/0021-exact-first-pages.md.
    """

    hits: tuple[Hit, ...]
    query: str
    user: str | None
    reason: Reason
    note: str = ""
    corrections: Mapping[str, str] = field(default_factory=dict)
    personal: bool = False
    more: bool = False
    next: str = ""
    cut: bool = False

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __len__(self) -> int:
        return len(self.hits)

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-safe copy; the keys are those of the attributes."""
        return {
            "query": self.query,
            "user": self.user,
            "reason": self.reason,
            "note": self.note,
            "corrections": dict(self.corrections),
            "personal": self.personal,
            "more": self.more,
            "next": self.next,
            "cut": self.cut,
            "hits": [_hit(hit) for hit in self.hits],
        }


def _hit(hit: Hit) -> dict[str, Any]:
    parts = hit.explanation
    return {
        "rank": hit.rank,
        "sticker_id": hit.sticker_id,
        "title": hit.title,
        "score": hit.score,
        "relevance": hit.relevance,
        "copies": hit.copies,
        "path": str(hit.path) if hit.path else None,
        "payload": dict(hit.payload),
        "explanation": {
            "text": parts.text,
            "matched": dict(parts.matched),
            "meaning": parts.meaning,
            "picks": parts.picks,
            "pick_factor": parts.pick_factor,
            "people": parts.people,
            "own_factor": parts.own_factor,
            "own_picks": parts.own_picks,
            "own_last": parts.own_last,
            "mark": parts.mark,
            "utility": parts.utility,
            "utility_factor": parts.utility_factor,
            "style": parts.style,
            "style_factor": parts.style_factor,
            "centroid": parts.centroid,
        },
    }
