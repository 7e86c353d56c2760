"""The page's way to send a key: a cookie, since pictures are asked for without headers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from persrv.errors import AccessError
from persrv.serve.access import COOKIE, service_of
from persrv.serve.problems import UnauthorizedError, documented

router = APIRouter(prefix="/v1", tags=["service"], responses=documented())


class KeyBody(BaseModel):
    """An API key."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"key": "the-key-that-persrv-keys-add-prints"}}
    )

    key: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9._~+=-]{1,200}$")]


@router.post("/session", status_code=204)
async def enter(request: Request, response: Response, given: KeyBody) -> None:
    """Keep a key in a cookie that scripts cannot read and that pages of other hosts cannot use."""
    ring = service_of(request).keys.ring
    if ring:
        try:
            ring.find(given.key)
        except AccessError as error:
            raise UnauthorizedError(error.problem, error.next_step) from error
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, given.key, httponly=True, samesite="strict", secure=secure, path="/")


@router.delete("/session", status_code=204)
async def leave(response: Response) -> None:
    """Forget the key."""
    response.delete_cookie(COOKIE, path="/")
