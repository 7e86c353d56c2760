"""People: what they pick, what they are shown, what is known of them, and how it is deleted."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from time import perf_counter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.routing import APIRoute

from persrv.catalog.marks import MarkKind
from persrv.records import Impression, Side, StyleSummary
from persrv.serve.access import Changeable, Readable, Writable, service_of
from persrv.serve.problems import documented
from persrv.serve.schemas.exports import (
    ExportBody,
    ExportedEditBody,
    ExportedImpressionBody,
    ExportedPickBody,
    ForgottenBody,
)
from persrv.serve.schemas.fields import StickerPath, UserName, thumbnail_path
from persrv.serve.schemas.people import (
    ImpressionBody,
    PickBody,
    ProfileBody,
    ReceiptBody,
    StyleBody,
    TasteBody,
    TastePointBody,
    UserBody,
    UsersBody,
)
from persrv.serve.schemas.stickers import StickersBody
from persrv.serve.served import ServedCollection
from persrv.serve.stickers import sticker_body

router = APIRouter(prefix="/v1", tags=["people"], responses=documented())
by_query = APIRouter(tags=["people"], responses=documented())
"""The same calls of one person, who is named in the query string: ``/v1/user/export?user=a/b``.

A name may hold a slash. In a path it would have to come as ``%2F``, which many a proxy turns into a slash on the way:
what is asked for ``ann/export`` would be ann's export.
"""

UserPath = Annotated[UserName, Path(examples=["ann"])]
MarkPath = Annotated[MarkKind, Path(examples=["favourite"])]
StylePath = Annotated[int, Path(ge=0, le=31, examples=[1])]


@router.post("/share", status_code=201)
def share(
    request: Request,
    collection: Writable,
    pick: PickBody,
    profile: Annotated[bool, Query(description="Also return the moved profile.")] = False,
) -> ReceiptBody:
    """Write down that somebody took a sticker; their style moves at once, and the pick outlives this process."""
    began, metrics = perf_counter(), service_of(request).metrics
    user = collection.user(pick.user) or ""
    receipt = collection.retriever.record(
        user, pick.query, pick.sticker_id, kind=pick.kind, time=pick.time, pick_id=pick.pick_id
    )
    metrics.picks.labels(collection.name).inc()
    metrics.stages.labels("pick").observe(perf_counter() - began)
    shares = [float(part) for part in receipt.profile.shares]
    return ReceiptBody(
        user=pick.user,
        sticker_id=receipt.sticker_id,
        new=receipt.new,
        note=receipt.note,
        shares=shares,
        profile=ProfileBody.of(receipt.profile) if profile else None,
    )


@router.post("/impressions", status_code=204)
def impressions(collection: Writable, shown: ImpressionBody) -> None:
    """Write down what somebody was shown."""
    user = collection.user(shown.user) or ""
    page: dict[str, Side] = dict.fromkeys(shown.sticker_ids, "")
    collection.catalog.put_impressions([Impression("", "", user, shown.query, datetime.now(UTC), page)])


@router.get("/users")
def users(
    collection: Changeable,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    after: Annotated[UserName | None, Query(description="Names behind this one.")] = None,
) -> UsersBody:
    """List users by name; needs a key for everything."""
    return UsersBody(users=collection.catalog.user_names(after, limit))


@router.get("/users/{user}")
def user(collection: Readable, user: UserPath) -> UserBody:
    """Return somebody's styles, and how many picks made them."""
    known = collection.user(user) or ""
    return UserBody(user=user, picks=len(collection.retriever.picks(known)), styles=_styles(collection, known))


@router.put("/users/{user}/marks/{kind}/{sticker_id}", status_code=204)
def mark(
    collection: Writable,
    user: UserPath,
    kind: MarkPath,
    sticker_id: StickerPath,
) -> None:
    """Set a sticker apart: a favourite, a pin, one that is hidden from recent ones, or one that shapes no style.

    A new favourite counts as a pick, too.
    """
    name, known = collection.user(user) or "", collection.catalog.sticker(sticker_id).id
    if kind == "favourite" and known not in collection.catalog.marked(name, kind):
        collection.retriever.record(name, "", known, kind="favourite")
    collection.catalog.put_marks(name, [known], kind)


@router.delete("/users/{user}/marks/{kind}/{sticker_id}", status_code=204)
def unmark(
    collection: Writable,
    user: UserPath,
    kind: MarkPath,
    sticker_id: StickerPath,
) -> None:
    """Take a mark away; a pick that came with it stays."""
    collection.catalog.remove_mark(collection.user(user) or "", collection.catalog.sticker(sticker_id).id, kind)


@router.delete("/users/{user}/styles/{number}")
def drop_style(collection: Writable, user: UserPath, number: StylePath) -> UserBody:
    """Say that a style is not theirs: its picks shape no style any more, in no later build either."""
    name = collection.user(user) or ""
    left = collection.retriever.drop_style(name, number)
    return UserBody(user=user, picks=len(collection.retriever.picks(name)), styles=_bodies(collection, left))


@router.get("/users/{user}/stickers")
def own_stickers(
    collection: Readable,
    user: UserPath,
    kind: Annotated[Literal["recent", "favourite", "pin", "hidden"], Query(description="Which of theirs.")] = "recent",
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
) -> StickersBody:
    """Return the stickers that somebody took or marked last, newest first; hidden ones are no recent ones."""
    name = collection.user(user) or ""
    if kind == "recent":
        hidden = set(collection.catalog.marked(name, "hidden"))
        ids = [known for known in collection.catalog.recent(name, limit + len(hidden)) if known not in hidden][:limit]
    else:
        ids = collection.catalog.marked(name, kind, limit)
    found = {sticker.id: sticker for sticker in collection.catalog.stickers(ids)}
    return StickersBody(stickers=[sticker_body(collection, found[known]) for known in ids if known in found])


@router.get("/users/{user}/profile")
def profile(collection: Readable, user: UserPath) -> ProfileBody:
    """Return somebody's style profile, centroids and all."""
    return ProfileBody.of(collection.retriever.profile(collection.user(user) or ""))


@router.get("/users/{user}/taste")
def taste(collection: Readable, user: UserPath, limit: Annotated[int, Query(ge=1, le=300)] = 100) -> TasteBody:
    """Return somebody's latest stickers on a map, with their styles."""
    found = collection.retriever.taste_map(collection.user(user) or "", limit)
    points = [
        TastePointBody(
            sticker_id=p.sticker_id,
            title=p.title,
            x=p.x,
            y=p.y,
            style=p.style,
            thumbnail=thumbnail_path(p.sticker_id, collection.name),
        )
        for p in found.points
    ]
    return TasteBody(user=user, points=points, styles=_bodies(collection, found.styles))


@router.get("/users/{user}/export")
def export(collection: Writable, user: UserPath) -> ExportBody:
    """Return all that is stored about somebody."""
    known = collection.user(user) or ""
    picks = collection.retriever.picks(known)
    seen = collection.retriever.impressions(known)
    return ExportBody(
        user=user,
        styles=_styles(collection, known),
        marks=collection.retriever.marks(known),
        picks=[
            ExportedPickBody(query=p.query, sticker_id=p.sticker_id, time=p.time, kind=p.kind, pick_id=p.pick_id)
            for p in picks
        ],
        impressions=[
            ExportedImpressionBody(
                experiment=i.experiment, settings=i.settings, query=i.query, time=i.time, shown=dict(i.shown)
            )
            for i in seen
        ],
        edits=[
            ExportedEditBody(
                sticker_id=sticker_id,
                field=edit.field,
                values=None if edit.values is None else list(edit.values),
                time=edit.edited_at,
            )
            for sticker_id, edit in collection.retriever.edits(known)
        ],
    )


@router.delete("/users/{user}")
def forget(collection: Writable, user: UserPath) -> ForgottenBody:
    """Delete all that is stored about somebody."""
    return ForgottenBody(user=user, picks=collection.retriever.forget(collection.user(user) or ""))


def _in_query(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that takes its user from the query string."""

    @wraps(call)
    def named(**given: Any) -> Any:
        return call(**given)

    signature = inspect.signature(call, eval_str=True)
    user = signature.parameters["user"].replace(annotation=Annotated[UserName, Query(examples=["a/b"])])
    parameters = [user if name == "user" else each for name, each in signature.parameters.items()]
    named.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return named


for _route in router.routes:
    if isinstance(_route, APIRoute) and "{user}" in _route.path:
        by_query.add_api_route(
            _route.path.replace("/users/{user}", "/user"),
            _in_query(_route.endpoint),
            methods=[*(_route.methods or ())],
            status_code=_route.status_code,
        )


def _styles(collection: ServedCollection, known: str) -> list[StyleBody]:
    return _bodies(collection, collection.retriever.styles(known))


def _bodies(collection: ServedCollection, styles: Sequence[StyleSummary]) -> list[StyleBody]:
    return [
        StyleBody(
            number=number,
            share=style.share,
            sticker_id=style.sticker_id,
            title=style.title,
            thumbnail=thumbnail_path(style.sticker_id, collection.name),
        )
        for number, style in enumerate(styles)
    ]
