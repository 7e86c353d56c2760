"""Stickers, and what changes them."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from persrv.catalog.edits import SCALARS
from persrv.records import Sticker
from persrv.serve.schemas import examples
from persrv.serve.schemas.fields import EditableField, Phrase, UserName, phrases_of, picture_path, thumbnail_path

_MOST_PHRASES = 200


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
        filter: What the filter of the dashboard takes to show this point alone; its addresses go no further than to a
            collection's points.
        dashboard: Address of the collection's points in the server's dashboard, ``null`` for an embedded index.
    """

    collection: str
    id: str
    filter: str
    dashboard: str | None


class StickerBody(BaseModel):
    """All that is known of a sticker."""

    model_config = ConfigDict(json_schema_extra={"example": examples.STICKER})

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


class StickersBody(BaseModel):
    """Stickers in an order that the call describes."""

    model_config = ConfigDict(json_schema_extra={"example": {"stickers": [examples.STICKER]}})

    stickers: list[StickerBody]


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


class SkippedBody(BaseModel):
    """A file that could not be used, and why."""

    name: str
    reason: str


class AddedBody(BaseModel):
    """What became of uploaded files.

    Attributes:
        added: Ids of new stickers.
        known: Ids of those that were there before.
        skipped: Files that were left out.
        stickers: All that is known of the added and known ones, in the order of the files, where it was asked for.
    """

    model_config = ConfigDict(json_schema_extra={"example": examples.ADDED})

    added: list[str]
    known: list[str]
    skipped: list[SkippedBody]
    stickers: list[StickerBody]


class RemovedBody(BaseModel):
    """The sticker that was taken out: its id, and what was known of it."""

    model_config = ConfigDict(json_schema_extra={"example": examples.REMOVED})

    removed: str
    sticker: StickerBody
