"""One sticker: its words, its picture, its thumbnail."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import FileResponse, Response
from pydantic import Json
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from persrv.errors import NotFoundError, PictureError
from persrv.images.decode import facts
from persrv.serve.access import Changeable, Pictured, Readable
from persrv.serve.problems import Responses, documented
from persrv.serve.schemas.examples import form
from persrv.serve.schemas.fields import AddedField, Label, Phrase, StickerPath
from persrv.serve.schemas.stickers import AddedBody, EditBody, RemovedBody, StickerBody, StickersBody
from persrv.serve.served import ServedCollection
from persrv.serve.stickers import sticker_body
from persrv.serve.thumbnails import SIDE, Kind
from persrv.serve.uploads import UploadLabels, add_uploads

router = APIRouter(prefix="/v1/stickers", tags=["stickers"], responses=documented())

_RANGE = re.compile(r"bytes=\s*(\d{1,18}-(\d{1,18})?|-\d{1,18})(\s*,\s*(\d{1,18}-(\d{1,18})?|-\d{1,18}))*\s*")
_TEXTS = '{"name": ["happy cat"], "emoji": ["😺"]}'

MEDIA_TYPES = {
    "webm": "video/webm",
    "mp4": "video/mp4",
    "tgs": "application/x-tgsticker",
    "svg": "image/svg+xml",
}
"""Media types of formats whose names are not their own subtype of ``image/``."""

_HEADERS = {
    # A picture never changes: its address holds the hash of its content.
    "cache-control": "public, max-age=31536000, immutable",
    # Nothing in a file that somebody uploaded may run, even where it is opened by itself.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
}
_PARTS: Responses = {
    206: {"description": "A part of it"},
    304: {"description": "It is known already"},
    416: {"description": "There is no such part"},
}
_ANY: dict[str, Any] = {"image/*": {}, "video/*": {}, "application/x-tgsticker": {}}
PICTURE_ANSWERS: Responses = {200: {"description": "The picture", "content": _ANY}, **_PARTS}
_THUMBNAIL: Responses = {
    200: {"description": "The thumbnail", "content": {"image/webp": {}, "image/gif": {}}},
    304: _PARTS[304],
}


@router.post("", status_code=201, openapi_extra=form(pictures=["the bytes of cat.png"], pack="mine", tags=["happy"]))
def add(
    collection: Changeable,
    pictures: Annotated[list[UploadFile], File(description="Pictures, or ZIP or TAR archives of them.")],
    pack: Annotated[Label, Form(description="Their pack; else the folder in each one's name.")] = "",
    tags: Annotated[list[Label] | None, Form(max_length=50, description="Tags of all of them.")] = None,
    texts: Annotated[
        Json[dict[AddedField, list[Phrase]]] | None,
        Form(description="More texts of all of them, as JSON; the files' names say nothing then.", examples=[_TEXTS]),
    ] = None,
    language: Annotated[str, Form(pattern="^[A-Za-z0-9-]{0,35}$", description="BCP 47 tag of the texts.")] = "",
    rating: Annotated[Literal["", "safe", "unsafe"], Form()] = "",
    style: Annotated[Label, Form(description="Name of the drawing style.")] = "",
    stickers: Annotated[bool, Query(description="Also return all that is known of them.")] = False,
) -> AddedBody:
    """Add stickers; they are found when the answer comes."""
    uploads = [(picture.filename or "picture", picture.file) for picture in pictures]
    named = None if texts is None else {str(field): phrases for field, phrases in texts.items()}
    labels = UploadLabels(pack, tuple(tags or ()), named, language, rating, style)
    return add_uploads(collection, uploads, labels, with_stickers=stickers)


@router.delete("/{sticker_id}")
def remove(collection: Changeable, sticker_id: StickerPath) -> RemovedBody:
    """Take a sticker out; no source brings it back, adding it again does."""
    gone = sticker_body(collection, collection.catalog.sticker(sticker_id))
    return RemovedBody(removed=collection.retriever.remove(gone.id).id, sticker=gone)


@router.get("/{sticker_id}")
def sticker(collection: Readable, sticker_id: StickerPath) -> StickerBody:
    """Return all that is known of a sticker, with who says it."""
    return sticker_body(collection, collection.catalog.sticker(sticker_id))


@router.get("/{sticker_id}/copies")
def copies(
    collection: Readable, sticker_id: StickerPath, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> StickersBody:
    """Return a sticker's near-duplicates, of which an answer shows one."""
    found = collection.retriever.copies(sticker_id, limit=limit)
    return StickersBody(stickers=[sticker_body(collection, sticker) for sticker in found])


@router.patch("/{sticker_id}")
def edit(collection: Changeable, sticker_id: StickerPath, correction: EditBody) -> StickerBody:
    """Correct what a sticker says; it is found by the new words when the answer comes."""
    editor = collection.user(correction.editor) or ""
    retriever = collection.retriever
    known = collection.catalog.sticker(sticker_id).id
    for field, phrases in correction.edits.items():
        retriever.edit(known, field, phrases, editor=editor)
    for field in correction.reset:
        retriever.reset(known, field, editor=editor)
    return sticker_body(collection, collection.catalog.sticker(known))


@router.get("/{sticker_id}/picture", response_class=FileResponse, responses=PICTURE_ANSWERS)
def picture(request: Request, collection: Pictured, sticker_id: StickerPath) -> Response:
    """Return the picture's file as it was found; parts of it too, for videos."""
    known, path = _file(collection, sticker_id)
    return unless_known(request, known) or picture_response(known, path)


@router.get("/{sticker_id}/thumbnail", response_class=Response, responses=_THUMBNAIL)
def thumbnail(
    request: Request,
    collection: Pictured,
    sticker_id: StickerPath,
    size: Annotated[int, Query(ge=1, le=512, description="Pixels; rounded up to 64, 128, 256 or 512.")] = SIDE,
    animated: Annotated[bool, Query(description="An animation, where the picture is one.")] = False,
    kind: Annotated[Kind, Query(alias="format")] = "webp",
) -> Response:
    """Return a small picture of any sticker, videos and vector animations included."""
    known, path = _file(collection, sticker_id)
    return unless_known(request, known) or thumbnail_response(collection, known, path, size, animated, kind)


def picture_response(sticker_id: str, path: Path) -> Response:
    """Return the picture's file.

    Raises:
        NotFoundError: It is gone.
    """
    try:
        format_ = facts(path).format
    except PictureError as error:
        raise _gone(sticker_id) from error
    media_type = MEDIA_TYPES.get(format_, f"image/{format_}")
    return _PictureFile(path, media_type=media_type, headers=_HEADERS | {"etag": f'"{sticker_id}"'})


def thumbnail_response(
    collection: ServedCollection, sticker_id: str, path: Path, size: int, animated: bool, kind: Kind
) -> Response:
    """Return a sticker's thumbnail.

    Raises:
        NotFoundError: The picture is gone.
    """
    try:
        content = collection.thumbnails.content(sticker_id, path, size, moving=animated, kind=kind)
    except PictureError as error:
        raise _gone(sticker_id) from error
    # Sent whole: a file would be opened and read in further threads, which costs more than its few kilobytes.
    return Response(content, media_type=f"image/{kind}", headers=_HEADERS | {"etag": f'"{sticker_id}"'})


def _file(collection: ServedCollection, sticker_id: str) -> tuple[str, Path]:
    known = sticker_id.lower()
    if len(known) < 32:
        known = collection.catalog.sticker(known).id
    paths = collection.catalog.paths([known])
    if known not in paths:
        raise NotFoundError(f"there is no sticker {sticker_id!r}", "give a sticker's id or its first digits")
    path = paths[known]
    if path is None:
        raise NotFoundError(f"the sticker {known} has no picture", "show its title")
    return known, path


def _gone(sticker_id: str) -> NotFoundError:
    return NotFoundError(f"the picture of {sticker_id} is gone", "put its file back, or build again")


class _PictureFile(FileResponse):
    """A file of which a part is sent where one is asked for; a range that says nothing is no range (RFC 9110, 14.2)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("range", "")
        parts = re.findall(r"(\d+)-(\d+)", given)
        if not _RANGE.fullmatch(given) or any(int(first) > int(last) for first, last in parts):
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"range"]}
        await super().__call__(scope, receive, send)


def knows(request: Request, tag: str) -> bool:
    """Return whether a caller has what has this entity tag; one that a proxy made weak counts, too."""
    header = request.headers.get("if-none-match", "")
    return header.strip() == "*" or tag in {known.strip().removeprefix("W/") for known in header.split(",")}


def unless_known(request: Request, sticker_id: str) -> Response | None:
    """Return the answer for a caller who has the picture already, ``None`` for others."""
    if not knows(request, f'"{sticker_id}"'):
        return None
    return Response(status_code=304, headers=_HEADERS | {"etag": f'"{sticker_id}"'})
