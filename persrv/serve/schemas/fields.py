"""Kinds of values that several bodies have, and the addresses of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Path
from pydantic import StringConstraints

from persrv.serve.schemas.examples import STICKER_ID

PICTURES = "/v1/stickers"

UserName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"),
]
QueryText = Annotated[str, StringConstraints(max_length=1000)]
StickerId = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{1,32}$")]
"""A sticker's id, or as many of its first digits as tell it apart."""

StickerPath = Annotated[StickerId, Path(examples=[STICKER_ID])]
"""The same in a call's path."""

Label = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name that stands on one line."""

Phrase = Annotated[str, StringConstraints(max_length=2000)]
AddedField = Literal["name", "emoji", "ocr", "description", "keywords", "emotions"]
"""A field of texts that stickers can be added with; packs, tags and queries come otherwise."""

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


def picture_path(sticker_id: str, collection: str) -> str:
    """Return the path at which a sticker's picture is served."""
    return f"{PICTURES}/{sticker_id}/picture?collection={collection}"


def thumbnail_path(sticker_id: str, collection: str) -> str:
    """Return the path at which a sticker's thumbnail is served."""
    return f"{PICTURES}/{sticker_id}/thumbnail?collection={collection}"


def phrases_of(texts: Mapping[str, tuple[str, ...]] | list[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    """Return texts by field as JSON has them."""
    return {name: list(phrases) for name, phrases in dict(texts).items()}
