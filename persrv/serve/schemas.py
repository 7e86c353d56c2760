"""What the service takes and gives, as JSON. Field names are those of the Python API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from persrv.catalog.edits import SCALARS
from persrv.catalog.marks import MarkKind
from persrv.online.answer import Answer, Reason
from persrv.present.words import shares
from persrv.ranking.profile import StyleProfile
from persrv.records import Hit, Sticker

PICTURES = "/v1/stickers"

UserName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"),
]
QueryText = Annotated[str, StringConstraints(max_length=1000)]
StickerId = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{1,32}$")]
"""A sticker's id, or as many of its first digits as tell it apart."""

Phrase = Annotated[str, StringConstraints(max_length=2000)]
EditableField = Literal[
    "name",
    "tags",
    "emoji",
    "ocr",
    "description",
    "keywords",
    "emotions",
    "queries",
    "pack",
    "language",
    "rating",
    "style",
]
_MOST_PHRASES = 200


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
        picture: Path of its picture, ``null`` without one.
        thumbnail: Path of a still of 256 pixels, ``null`` without a picture.
        payload: What the index stores for it.
        explanation: The score's parts.
    """

    rank: int
    sticker_id: str
    title: str
    score: float
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

    query: str
    user: str | None
    reason: Reason
    note: str
    corrections: dict[str, str]
    personal: bool
    more: bool
    next: str
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
            hits=[HitBody.of(hit, collection) for hit in answer.hits],
        )


class SuggestionsBody(BaseModel):
    """Phrases that begin as what was typed does, the most likely first."""

    suggestions: list[str]


class PickBody(BaseModel):
    """A pick: somebody took a sticker. With a ``pick_id`` of the caller's it may be sent again, and counts once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"user": "ann", "query": "love", "sticker_id": "24162db4ff51486056278d334c3ab001"}
        },
    )

    user: UserName
    sticker_id: StickerId
    query: QueryText = ""
    kind: Literal["pick", "send", "favourite"] = "pick"
    time: datetime | None = None
    pick_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class ProfileBody(BaseModel):
    """A user's style profile; see ``persrv.ranking.profile.StyleProfile``."""

    dimension: int
    sums: list[list[float]]
    mass: list[float]
    day: float

    @classmethod
    def of(cls, profile: StyleProfile) -> Self:
        """Return a profile as JSON."""
        return cls(
            dimension=profile.sums.shape[1],
            sums=profile.sums.tolist(),
            mass=profile.mass.tolist(),
            day=float(profile.day),
        )


class ReceiptBody(BaseModel):
    """What became of a pick.

    Attributes:
        user: Whose.
        sticker_id: The sticker's full id.
        new: Whether it was stored now; false where it had been stored before, and counts once.
        note: What went another way than the caller may think.
        shares: The share of each of the user's styles now.
        profile: The whole profile, where it was asked for.
    """

    user: str
    sticker_id: str
    new: bool
    note: str
    shares: list[float]
    profile: ProfileBody | None


class ImpressionBody(BaseModel):
    """What somebody was shown, in the order of the page."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"user": "ann", "query": "love", "sticker_ids": ["24162db4ff51486056278d334c3ab001"]}
        },
    )

    user: UserName
    query: QueryText = ""
    sticker_ids: list[Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]] = Field(
        min_length=1, max_length=1000
    )


class SourceBody(BaseModel):
    """What one source says about a sticker."""

    source: str
    model: str
    texts: dict[str, list[str]]


class PointBody(BaseModel):
    """Where a sticker lies in Qdrant.

    Attributes:
        collection: Name of the collection.
        id: The point's id.
        dashboard: Address of the collection in the server's dashboard, ``null`` for an embedded index.
    """

    collection: str
    id: str
    dashboard: str | None


class StickerBody(BaseModel):
    """All that is known of a sticker."""

    id: str
    title: str
    format: str
    width: int
    height: int
    frames: int
    animated: bool
    packs: list[str]
    language: str
    rating: str
    style: str
    texts: dict[str, list[str]]
    sources: list[SourceBody]
    edited: list[str]
    picture: str | None
    thumbnail: str | None
    point: PointBody

    @classmethod
    def of(
        cls, sticker: Sticker, collection: str, sources: list[SourceBody], edited: list[str], point: PointBody
    ) -> Self:
        """Return a sticker as JSON; the file's path stays here."""
        pictured = sticker.path is not None
        return cls(
            id=sticker.id,
            title=sticker.title,
            format=sticker.format,
            width=sticker.width,
            height=sticker.height,
            frames=sticker.frames,
            animated=sticker.animated,
            packs=list(sticker.packs),
            language=sticker.language,
            rating=sticker.rating,
            style=sticker.style,
            texts=phrases_of(sticker.semantics.items()),
            sources=sources,
            edited=edited,
            picture=picture_path(sticker.id, collection) if pictured else None,
            thumbnail=thumbnail_path(sticker.id, collection) if pictured else None,
            point=point,
        )


class EditBody(BaseModel):
    """A person's corrections of one sticker.

    Attributes:
        edits: Field to its whole content from now on; an empty list empties it.
        reset: Fields that the sources speak for again.
        editor: Who corrects.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"edits": {"tags": ["happy", "开心"]}, "editor": "ann"}}
    )

    edits: dict[EditableField, list[Phrase]] = Field(default_factory=dict, max_length=20)
    reset: list[EditableField] = Field(default_factory=list, max_length=20)
    editor: UserName | None = None

    @field_validator("edits")
    @classmethod
    def _possible(cls, edits: dict[EditableField, list[str]]) -> dict[EditableField, list[str]]:
        for field, phrases in edits.items():
            if len(phrases) > _MOST_PHRASES:
                raise ValueError(f"{field} has more than {_MOST_PHRASES} phrases")
            if field in SCALARS and len(phrases) != 1:
                raise ValueError(f"{field} holds exactly one value")
        if edits.get("rating", [""])[0].strip() not in ("", "safe", "unsafe"):
            raise ValueError("rating is safe, unsafe or empty")
        return edits


class StickersBody(BaseModel):
    """Stickers in an order that the call describes."""

    stickers: list[StickerBody]


class StyleBody(BaseModel):
    """One of a user's styles: its part of their picks, and the picked sticker that shows it best."""

    number: int
    share: float
    sticker_id: str
    title: str
    thumbnail: str


class TastePointBody(BaseModel):
    """One of a person's stickers on the map; ``x`` from left to right and ``y`` from top to bottom, 0 to 1."""

    sticker_id: str
    title: str
    x: float
    y: float
    style: int | None
    thumbnail: str


class TasteBody(BaseModel):
    """A person's taste on a plane: what is drawn alike lies together."""

    user: str
    points: list[TastePointBody]
    styles: list[StyleBody]


class UserBody(BaseModel):
    """A user in a collection."""

    user: str
    picks: int
    styles: list[StyleBody]


class SkippedBody(BaseModel):
    """A file that could not be used, and why."""

    name: str
    reason: str


class AddedBody(BaseModel):
    """What became of uploaded files: ids of new stickers, of those that were there before, and files left out."""

    added: list[str]
    known: list[str]
    skipped: list[SkippedBody]


class RemovedBody(BaseModel):
    """The sticker that was taken out."""

    removed: str


class UsersBody(BaseModel):
    """Some of the users who picked something."""

    users: list[str]


class ExportedPickBody(BaseModel):
    """One interaction, as it is stored."""

    query: str
    sticker_id: str
    time: datetime
    kind: str
    pick_id: str | None = None


class ExportedEditBody(BaseModel):
    """One correction, as it is stored; without values the field was given back to the sources."""

    sticker_id: str
    field: str
    values: list[str] | None
    time: datetime


class ExportedImpressionBody(BaseModel):
    """One page that was shown, as it is stored."""

    experiment: str
    query: str
    time: datetime
    shown: dict[str, str]


class ExportBody(BaseModel):
    """All that is stored about a user."""

    user: str
    styles: list[StyleBody]
    picks: list[ExportedPickBody]
    marks: dict[MarkKind, list[str]]
    impressions: list[ExportedImpressionBody]
    edits: list[ExportedEditBody] = []


class ForgottenBody(BaseModel):
    """What was deleted."""

    user: str
    picks: int


class CollectionBody(BaseModel):
    """A collection that is served here."""

    name: str
    title: str
    stickers: int
    build: str
    packs: list[str]
    searches_pictures: bool


class CollectionsBody(BaseModel):
    """The collections that the caller may use; the first one answers where a request names none."""

    collections: list[CollectionBody]
    right: Literal["read", "write", "admin"]


class HealthBody(BaseModel):
    """Whether the service runs."""

    status: Literal["ok"]
    version: str


def picture_path(sticker_id: str, collection: str) -> str:
    """Return the path at which a sticker's picture is served."""
    return f"{PICTURES}/{sticker_id}/picture?collection={collection}"


def thumbnail_path(sticker_id: str, collection: str) -> str:
    """Return the path at which a sticker's thumbnail is served."""
    return f"{PICTURES}/{sticker_id}/thumbnail?collection={collection}"


def phrases_of(texts: Mapping[str, tuple[str, ...]] | list[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    """Return texts by field as JSON has them."""
    return {name: list(phrases) for name, phrases in dict(texts).items()}
