"""Searching: by words, by likeness, and when nothing is typed."""

from __future__ import annotations

import secrets
from time import perf_counter
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile

from persrv.online.answer import Answer
from persrv.online.request import FilterValue
from persrv.serve.access import Readable, service_of
from persrv.serve.problems import documented
from persrv.serve.query_strings import in_query, read_query
from persrv.serve.schemas.answers import AnswerBody, SuggestionsBody, answer_json
from persrv.serve.schemas.examples import STICKER_ID, form
from persrv.serve.schemas.fields import QueryText, StickerId
from persrv.serve.schemas.queries import FilterQuery, SearchQuery
from persrv.serve.schemas.stickers import StickerBody, StickersBody
from persrv.serve.served import ServedCollection
from persrv.serve.stickers import sticker_body

router = APIRouter(prefix="/v1", tags=["search"], responses=documented())

Limit = Annotated[int, Query(ge=1, le=200, description="Stickers on a page.")]
Offset = Annotated[int, Query(ge=0, le=10_000, description="Stickers before the page.")]


async def filters(request: Request) -> dict[str, FilterValue]:
    """Only stickers with these values; several values of a field mean any of them."""
    return read_query(FilterQuery, request.query_params).chosen()


Filters = Annotated[dict[str, FilterValue], Depends(filters)]


def _answered(
    request: Request, collection: ServedCollection, answer: Answer, began: float, user: str | None
) -> Response:
    metrics = service_of(request).metrics
    metrics.answered(collection.name, answer)
    found = perf_counter()
    # Written here, in the thread that searched: FastAPI would check it once more in another one.
    body = answer_json(answer, collection.name, user)
    metrics.stages.labels("search").observe(found - began)
    metrics.stages.labels("body").observe(perf_counter() - found)
    return Response(body, media_type="application/json")


@router.get("/search", response_model=AnswerBody, openapi_extra=in_query(SearchQuery))
def search(request: Request) -> Response:
    """Search, best for this user first."""
    began = perf_counter()
    service = service_of(request)
    caller = service.caller(request)
    query = read_query(SearchQuery, request.query_params)
    collection = service.collection(caller, "read", query.collection)
    answer = collection.retriever.search(
        query.q,
        collection.user(query.user),
        by=query.by,
        limit=query.limit,
        offset=query.offset,
        filters=query.chosen(),
        explain=query.explain,
        gamma=query.gamma,
        cursor=query.cursor,
    )
    return _answered(request, collection, answer, began, query.user)


@router.get("/similar", response_model=AnswerBody, openapi_extra=in_query(FilterQuery))
def similar(
    request: Request,
    collection: Readable,
    chosen: Filters,
    sticker_id: Annotated[StickerId, Query(examples=[STICKER_ID])],
    by: Literal["meaning", "look", "both"] = "both",
    limit: Limit = 20,
    offset: Offset = 0,
) -> Response:
    """Find more like a sticker of the collection."""
    began = perf_counter()
    answer = collection.retriever.similar(sticker_id, by=by, limit=limit, offset=offset, filters=chosen)
    return _answered(request, collection, answer, began, None)


@router.post(
    "/similar", response_model=AnswerBody, openapi_extra=in_query(FilterQuery) | form(picture="the bytes of cat.png")
)
def similar_to_picture(
    request: Request,
    collection: Readable,
    chosen: Filters,
    picture: Annotated[UploadFile, File(description="A picture; it is compared and thrown away.")],
    limit: Limit = 20,
    offset: Offset = 0,
) -> Response:
    """Find stickers that look like a picture."""
    began = perf_counter()
    answer = collection.retriever.similar(picture.file.read(), by="look", limit=limit, offset=offset, filters=chosen)
    return _answered(request, collection, answer, began, None)


@router.get("/trending", response_model=AnswerBody, openapi_extra=in_query(FilterQuery))
def trending(
    request: Request,
    collection: Readable,
    chosen: Filters,
    q: QueryText = "",
    days: Annotated[float | None, Query(gt=0, le=3650, description="How far back; without it, of all time.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Response:
    """Return what is popular, of all time or lately, for a query or whatever was typed; the same for everybody."""
    began = perf_counter()
    if days is None:
        answer = collection.retriever.search(q, limit=limit, offset=offset, filters=chosen)
    else:
        answer = collection.retriever.trending(q, days=days, limit=limit, offset=offset, filters=chosen)
    return _answered(request, collection, answer, began, None)


@router.get("/suggest")
def suggest(
    collection: Readable,
    q: Annotated[str, Query(max_length=100, description="What was typed so far.", examples=["hap"])] = "",
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> SuggestionsBody:
    """Complete what is being typed: names, tags, queries that at least three people typed, pinyin, typos."""
    known = collection.suggestions
    return SuggestionsBody(suggestions=known.complete(q, limit), whole=known.whole(q))


@router.get("/random")
def random(collection: Readable, limit: Annotated[int, Query(ge=1, le=50)] = 1) -> StickersBody:
    """Return stickers by chance."""
    known = collection.catalog.sample([secrets.token_hex(16) for _ in range(limit)])
    found: list[StickerBody] = [sticker_body(collection, sticker) for sticker in collection.catalog.stickers(known)]
    return StickersBody(stickers=found)
