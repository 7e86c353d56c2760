"""What is served, and whether it is well."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


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
