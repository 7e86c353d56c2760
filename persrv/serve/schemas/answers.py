"""Answers to searches."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from persrv.online.answer import Answer, Reason
from persrv.present.words import shares
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


def answer_json(answer: Answer, collection: str, user: str | None) -> bytes:
    """Return an answer as the JSON that :class:`AnswerBody` describes; the files' paths stay here.

    Written from plain dictionaries: making a model of each part only to write it takes twice as long.

    Args:
        answer: The answer.
        collection: Where it came from.
        user: As the caller named them, whatever name the collection knows them by.
    """
    body = answer.as_dict() | {"user": user}
    for hit, written in zip(answer.hits, body["hits"], strict=True):
        pictured = written.pop("path") is not None
        written["picture"] = picture_path(hit.sticker_id, collection) if pictured else None
        written["thumbnail"] = thumbnail_path(hit.sticker_id, collection) if pictured else None
        sums = shares(hit)
        written["explanation"]["shares"] = {"words": sums.words, "utility": sums.utility, "style": sums.style}
    return to_json(body, inf_nan_mode="null")


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
