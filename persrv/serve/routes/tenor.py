"""Tenor's API v2, which was shut down on 30 June 2026: an app that used it moves by changing the address.

Parameters and answers are those of https://developers.google.com/tenor/guides/endpoints, as far as apps use them; what
has no meaning here is taken and passed over. docs/how-to/move-from-tenor.md has the correspondences.
"""

from __future__ import annotations

import random as chance
import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from persrv.online.answer import Answer
from persrv.online.cursor import LONGEST
from persrv.online.request import FilterValue
from persrv.records import Sticker
from persrv.serve.access import TenorReadable, TenorWritable, service_of
from persrv.serve.problems import documented
from persrv.serve.schemas import examples
from persrv.serve.schemas.examples import STICKER_ID
from persrv.serve.schemas.fields import QueryText, StickerId, UserName
from persrv.serve.served import ServedCollection

router = APIRouter(prefix="/tenor/v2", tags=["tenor"], responses=documented())
SHARE_PATH = "/tenor/v2/registershare"
"""The one call that writes and is asked for with GET, as Tenor has it."""


_SIDES = {"": 512, "tiny": 256, "nano": 128}
_SHAPES = {"webp_transparent": "webp", "gif_transparent": "gif", "webp": "webp", "gif": "gif"}
FORMATS = {f"{size}{shape}": (side, ending) for shape, ending in _SHAPES.items() for size, side in _SIDES.items()} | {
    "preview": (256, "webp")
}
"""Tenor's names of formats to the side in pixels and the kind of file; ``preview`` is the only still one."""

Limit = Annotated[int, Query(ge=1, le=50)]
Position = Annotated[str, Query(max_length=LONGEST, description="The `next` of the page before.")]
Media = Annotated[str, Query(max_length=500, description="Names of formats, separated by commas.")]
Asked = Annotated[QueryText, Query(examples=["love"])]
Typed = Annotated[str, Query(max_length=100, examples=["hap"])]
Ratings = Literal["off", "low", "medium", "high"]
Person = Annotated[UserName | None, Query(description="Whose taste counts; Tenor had no such parameter.")]


class TenorMediaBody(BaseModel):
    """One format of a result."""

    url: str
    dims: list[int]
    duration: float
    size: int


class TenorResultBody(BaseModel):
    """One sticker as Tenor wrote it."""

    id: str
    title: str
    content_description: str
    created: float
    hasaudio: bool
    itemurl: str
    url: str
    tags: list[str]
    flags: list[str]
    media_formats: dict[str, TenorMediaBody]


class TenorPageBody(BaseModel):
    """A page of results; ``next`` is empty on the last one."""

    model_config = ConfigDict(json_schema_extra={"example": examples.TENOR_PAGE})

    results: list[TenorResultBody]
    next: str


class TenorTermsBody(BaseModel):
    """Search terms."""

    model_config = ConfigDict(json_schema_extra={"example": {"results": ["happy", "happy birthday"]}})

    results: list[str]


class TenorSharedBody(BaseModel):
    """That a share was taken note of."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})

    status: Literal["ok"]


@router.get("/search")
def search(
    request: Request,
    collection: TenorReadable,
    q: Asked,
    limit: Limit = 20,
    pos: Position = "",
    media_filter: Media = "",
    contentfilter: Ratings = "off",
    searchfilter: Annotated[str, Query(max_length=100)] = "",
    random: bool = False,
    user: Person = None,
) -> TenorPageBody:
    """Search, as Tenor's `search`."""
    filters = _filters(contentfilter, searchfilter)
    return _page(request, collection, q, user, limit, pos, media_filter, filters, shuffled=random)


@router.get("/featured")
def featured(
    request: Request,
    collection: TenorReadable,
    limit: Limit = 20,
    pos: Position = "",
    media_filter: Media = "",
    contentfilter: Ratings = "off",
    searchfilter: Annotated[str, Query(max_length=100)] = "",
    user: Person = None,
) -> TenorPageBody:
    """Return what is popular, as Tenor's `featured`."""
    filters = _filters(contentfilter, searchfilter)
    return _page(request, collection, "", user, limit, pos, media_filter, filters)


@router.get("/random")
def random(
    request: Request,
    collection: TenorReadable,
    q: QueryText = "",
    limit: Limit = 1,
    media_filter: Media = "",
    contentfilter: Ratings = "off",
    user: Person = None,
) -> TenorPageBody:
    """Return stickers by chance: of what the query finds, else of all."""
    filters = _filters(contentfilter, "")
    if q.strip():
        return _page(request, collection, q, user, limit, "", media_filter, filters, shuffled=True)
    drawn = collection.catalog.sample([secrets.token_hex(16) for _ in range(limit)])
    return TenorPageBody(results=_results(request, collection, drawn, media_filter), next="")


@router.get("/posts")
def posts(
    request: Request,
    collection: TenorReadable,
    ids: Annotated[str, Query(max_length=2000, description="Ids, separated by commas.", examples=[STICKER_ID])],
    media_filter: Media = "",
) -> TenorPageBody:
    """Return stickers by id, as Tenor's `posts`; unknown ids are passed over."""
    wanted = [known.strip().lower() for known in ids.split(",")][:50]
    return TenorPageBody(results=_results(request, collection, wanted, media_filter), next="")


@router.get("/autocomplete")
def autocomplete(collection: TenorReadable, q: Typed, limit: Limit = 20) -> TenorTermsBody:
    """Complete what is being typed, as Tenor's `autocomplete`."""
    return TenorTermsBody(results=collection.suggestions.complete(q, limit))


@router.get("/search_suggestions")
def search_suggestions(collection: TenorReadable, q: Typed, limit: Limit = 20) -> TenorTermsBody:
    """Return terms near what was searched, as Tenor's `search_suggestions`."""
    return TenorTermsBody(results=[term for term in collection.suggestions.complete(q, limit + 1) if term != q][:limit])


@router.get("/trending_terms")
def trending_terms(collection: TenorReadable, limit: Limit = 20) -> TenorTermsBody:
    """Return the terms of the most people and stickers, as Tenor's `trending_terms`."""
    return TenorTermsBody(results=collection.suggestions.most(limit))


@router.get(SHARE_PATH.removeprefix(router.prefix))
def registershare(
    request: Request,
    collection: TenorWritable,
    sticker_id: Annotated[StickerId, Query(alias="id", examples=[STICKER_ID])],
    q: QueryText = "",
    user: Person = None,
) -> TenorSharedBody:
    """Take note of a share, as Tenor's `registershare`; it teaches only where `user` says who shared."""
    sticker = collection.catalog.sticker(sticker_id)
    if (name := collection.user(user)) is not None:
        collection.retriever.record(name, q, sticker.id, kind="send")
        service_of(request).metrics.picks.labels(collection.name).inc()
    return TenorSharedBody(status="ok")


def _filters(contentfilter: Ratings, searchfilter: str) -> dict[str, FilterValue]:
    filters: dict[str, FilterValue] = {"rating": {"off": "any", "high": "safe"}.get(contentfilter, "!unsafe")}
    wanted = {part.strip() for part in searchfilter.split(",")}
    if "static" in wanted:
        filters["animated"] = False
    elif "-static" in wanted:
        filters["animated"] = True
    return filters


def _page(
    request: Request,
    collection: ServedCollection,
    query: str,
    user: str | None,
    limit: int,
    position: str,
    media_filter: str,
    filters: dict[str, FilterValue],
    *,
    shuffled: bool = False,
) -> TenorPageBody:
    answer: Answer = collection.retriever.search(
        query, collection.user(user), limit=limit, filters=filters, cursor=position or None
    )
    service_of(request).metrics.answered(collection.name, answer)
    ids = [hit.sticker_id for hit in answer]
    if shuffled:
        chance.SystemRandom().shuffle(ids)
    return TenorPageBody(results=_results(request, collection, ids, media_filter), next=answer.next)


def _results(
    request: Request, collection: ServedCollection, ids: list[str], media_filter: str
) -> list[TenorResultBody]:
    wanted = {name.strip() for name in media_filter.split(",") if name.strip()}
    names = [name for name in FORMATS if name in wanted or not wanted]
    found = {sticker.id: sticker for sticker in collection.catalog.stickers(ids)}
    address = f"{str(request.base_url).rstrip('/')}/v1/stickers"
    return [_result(address, collection.name, found[known], names) for known in ids if known in found]


def _result(address: str, collection: str, sticker: Sticker, names: list[str]) -> TenorResultBody:
    own = f"{address}/{sticker.id}"
    media = {}
    for name in names if sticker.path is not None else []:
        side, ending = FORMATS[name]
        parameters = f"size={side}&format={ending}&animated={str(name != 'preview').lower()}&collection={collection}"
        media[name] = TenorMediaBody(url=f"{own}/thumbnail?{parameters}", dims=[side, side], duration=0.0, size=0)
    return TenorResultBody(
        id=sticker.id,
        title=sticker.title,
        content_description=", ".join(sticker.semantics.description or sticker.semantics.name) or sticker.title,
        created=0.0,
        hasaudio=False,
        itemurl=f"{own}?collection={collection}",
        url=f"{own}/picture?collection={collection}",
        tags=list(sticker.semantics.tags),
        flags=["sticker"] if sticker.animated else ["sticker", "static"],
        media_formats=media,
    )
