"""What is served, and whether it is well."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from persrv.serve.schemas import examples


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

    model_config = ConfigDict(json_schema_extra={"example": examples.COLLECTIONS})

    collections: list[CollectionBody]
    right: Literal["read", "write", "admin"]


class HealthBody(BaseModel):
    """Whether the service runs."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok", "version": "0.1.0"}})

    status: Literal["ok"]
    version: str
