"""Answers to searches."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from persrv.online.answer import Answer, Reason
from persrv.present.words import shares
from persrv.records import Hit
from persrv.serve.schemas import examples
from persrv.serve.schemas.fields import picture_path, thumbnail_path


class SharesBody(BaseModel):
    """A score as a sum, so that it can be drawn as one bar.

    Attributes:
        words: What words, meaning or the picture gave.
        utility: What usefulness added.
        style: What the person's style added, negative where it took away.
    """

    words: float
    utility: float
    style: float


class ExplanationBody(BaseModel):
    """Where a score came from; see ``persrv.records.Explanation``."""

    text: float
    matched: dict[str, float]
    meaning: float
    picks: float
    pick_factor: float
    people: int
    own_factor: float
    own_picks: int
    own_last: str
    mark: str
    utility: float
    utility_factor: float
    style: float
    style_factor: float
    centroid: int | None
    shares: SharesBody


class HitBody(BaseModel):
    """One sticker of an answer.

    Attributes:
        rank: Its place in the whole answer, from 1.
        sticker_id: Its id.
        title: A short text for people.
        score: What the order was made by.
        relevance: How well it answers the query whoever asks, 0 to 1; see ``persrv.Hit``.
        copies: Near-duplicates that the answer leaves out; `/v1/stickers/{id}/copies` lists them.
        picture: Path of its picture, ``null`` without one.
        thumbnail: Path of a still of 256 pixels, ``null`` without a picture.
        payload: What the index stores for it.
        explanation: The score's parts.
    """

    rank: int
    sticker_id: str
    title: str
    score: float
    relevance: float
    copies: int
    picture: str | None
    thumbnail: str | None
    payload: dict[str, Any]
    explanation: ExplanationBody

    @classmethod
    def of(cls, hit: Hit, collection: str) -> Self:
        """Return a hit as JSON; the file's path stays here."""
        parts, sums = hit.explanation, shares(hit)
        pictured = hit.path is not None
        return cls.model_construct(
            rank=hit.rank,
            sticker_id=hit.sticker_id,
            title=hit.title,
            score=hit.score,
            relevance=hit.relevance,
            copies=hit.copies,
            picture=picture_path(hit.sticker_id, collection) if pictured else None,
            thumbnail=thumbnail_path(hit.sticker_id, collection) if pictured else None,
            payload=dict(hit.payload),
            explanation=ExplanationBody.model_construct(
                text=parts.text,
                matched=dict(parts.matched),
                meaning=parts.meaning,
                picks=parts.picks,
                pick_factor=parts.pick_factor,
                people=parts.people,
                own_factor=parts.own_factor,
                own_picks=parts.own_picks,
                own_last=parts.own_last,
                mark=parts.mark,
                utility=parts.utility,
                utility_factor=parts.utility_factor,
                style=parts.style,
                style_factor=parts.style_factor,
                centroid=parts.centroid,
                shares=SharesBody.model_construct(words=sums.words, utility=sums.utility, style=sums.style),
            ),
        )


class AnswerBody(BaseModel):
    """A page of stickers, best first, and why they are what they are; see ``persrv.Answer``."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ANSWER})

    query: str
    user: str | None
    reason: Reason
    note: str
    corrections: dict[str, str]
    personal: bool
    more: bool
    next: str
    cut: bool
    hits: list[HitBody]

    @classmethod
    def of(cls, answer: Answer, collection: str, user: str | None) -> Self:
        """Return an answer as JSON.

        Args:
            answer: The answer.
            collection: Where it came from.
            user: As the caller named them, whatever name the collection knows them by.
        """
        return cls.model_construct(
            query=answer.query,
            user=user,
            reason=answer.reason,
            note=answer.note,
            corrections=dict(answer.corrections),
            personal=answer.personal,
            more=answer.more,
            next=answer.next,
            cut=answer.cut,
            hits=[HitBody.of(hit, collection) for hit in answer.hits],
        )


class SuggestionsBody(BaseModel):
    """Phrases that begin as what was typed does, the most likely first.

    Attributes:
        suggestions: The phrases.
        whole: Whether what was typed ends with a whole word of one of them, rather than with half of one.
    """

    model_config = ConfigDict(
        json_schema_extra={"example": {"suggestions": ["happy", "happy birthday"], "whole": False}}
    )

    suggestions: list[str]
    whole: bool
