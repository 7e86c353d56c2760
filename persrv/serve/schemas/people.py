"""What people take and are shown, and their taste."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from persrv.ranking.profile import StyleProfile
from persrv.serve.schemas import examples
from persrv.serve.schemas.fields import QueryText, StickerId, UserName


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

    model_config = ConfigDict(json_schema_extra={"example": examples.RECEIPT})

    user: str
    sticker_id: str
    new: bool
    note: str
    shares: list[float]
    profile: ProfileBody | None


class ProfileBody(BaseModel):
    """A user's style profile; see ``persrv.ranking.profile.StyleProfile``."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROFILE})

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

    model_config = ConfigDict(json_schema_extra={"example": examples.TASTE})

    user: str
    points: list[TastePointBody]
    styles: list[StyleBody]


class UserBody(BaseModel):
    """A user in a collection."""

    model_config = ConfigDict(json_schema_extra={"example": examples.USER})

    user: str
    picks: int
    styles: list[StyleBody]


class UsersBody(BaseModel):
    """Some of the users who picked something."""

    model_config = ConfigDict(json_schema_extra={"example": {"users": ["ann", "bo"]}})

    users: list[str]
