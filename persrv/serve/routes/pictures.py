"""Pictures at the addresses that points in Qdrant carry as ``image_url``, so that its dashboard shows them."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, Response

from persrv.errors import AccessError, NotFoundError, PictureError
from persrv.images.decode import facts
from persrv.images.web import WEB_FORMATS
from persrv.serve.access import service_of
from persrv.serve.problems import documented
from persrv.serve.routes.stickers import PICTURE_ANSWERS, picture_response, thumbnail_response, unless_known
from persrv.serve.served import ServedCollection

router = APIRouter(tags=["stickers"], responses=documented())

_NAME = re.compile(r"([0-9a-f]{32})\.[a-z]{3,4}")
_SIDE = 512


@router.get("/pictures/{name}", response_class=FileResponse, responses=PICTURE_ANSWERS)
def picture(
    request: Request, name: Annotated[str, Path(max_length=60, examples=["24162db4ff51486056278d334c3ab001.webp"])]
) -> Response:
    """Return a sticker's picture by its id and ending, from any collection that the key is for."""
    collections = _readable(request)
    found = _NAME.fullmatch(name)
    if found is None:
        raise NotFoundError(f"{name[:60]!r} is the name of no picture", "use a sticker's id and webp, png, gif or jpeg")
    sticker_id = found[1]
    for collection in collections:
        path = collection.catalog.paths([sticker_id]).get(sticker_id)
        if path is None:
            continue
        known = unless_known(request, sticker_id)
        if known is not None:
            return known
        try:
            kind = facts(path).format
        except PictureError as error:
            raise NotFoundError(f"the picture of {sticker_id} is gone", "put its file back, or build again") from error
        if kind in WEB_FORMATS and name == f"{sticker_id}.{kind}":
            return picture_response(sticker_id, path)
        return thumbnail_response(collection, sticker_id, path, _SIDE, True, "webp")
    raise NotFoundError(f"no collection here has a picture of {sticker_id}", "see /v1/collections for what is served")


def _readable(request: Request) -> list[ServedCollection]:
    service = service_of(request)
    served = list(service.collections.by_name.values())
    if service.settings.public_pictures:
        return served
    caller = service.caller(request, in_query=True)
    mine = [collection for collection in served if caller.may("read", collection.name)]
    if not mine:
        raise AccessError(f"the key {caller.name!r} is for no collection here", "use another key")
    return mine
