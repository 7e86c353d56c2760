"""All that is stored about somebody, and that it is deleted."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from persrv.catalog.marks import MarkKind
from persrv.serve.schemas import examples
from persrv.serve.schemas.people import StyleBody


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
    settings: str
    query: str
    time: datetime
    shown: dict[str, str]


class ExportBody(BaseModel):
    """All that is stored about a user."""

    model_config = ConfigDict(json_schema_extra={"example": examples.EXPORT})

    user: str
    styles: list[StyleBody]
    picks: list[ExportedPickBody]
    marks: dict[MarkKind, list[str]]
    impressions: list[ExportedImpressionBody]
    edits: list[ExportedEditBody] = []


class ForgottenBody(BaseModel):
    """What was deleted."""

    model_config = ConfigDict(json_schema_extra={"example": {"user": "ann", "picks": 30}})

    user: str
    picks: int
