"""Kinds of values that several bodies have, and the addresses of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import StringConstraints

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


def picture_path(sticker_id: str, collection: str) -> str:
    """Return the path at which a sticker's picture is served."""
    return f"{PICTURES}/{sticker_id}/picture?collection={collection}"


def thumbnail_path(sticker_id: str, collection: str) -> str:
    """Return the path at which a sticker's thumbnail is served."""
    return f"{PICTURES}/{sticker_id}/thumbnail?collection={collection}"


def phrases_of(texts: Mapping[str, tuple[str, ...]] | list[tuple[str, tuple[str, ...]]]) -> dict[str, list[str]]:
    """Return texts by field as JSON has them."""
    return {name: list(phrases) for name, phrases in dict(texts).items()}
