"""Errors as RFC 9457 problem details, with the same next step as on the command line."""

from __future__ import annotations

import logging
from typing import Any, TypeAlias

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from persrv import errors

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:persrv:error:"
"""What a problem's ``type`` begins with; the name of the error's class follows."""

_STATUS: dict[type[errors.PersrvError], int] = {
    errors.QueryError: 400,
    errors.RateLimitError: 429,
    errors.AccessError: 403,
    errors.BuildGoneError: 503,
    errors.NotFoundError: 404,
    errors.PictureError: 422,
    errors.SourceError: 422,
    errors.MissingExtraError: 501,
    errors.VectorIndexError: 503,
    errors.CatalogError: 503,
}
Responses: TypeAlias = dict[int | str, dict[str, Any]]
"""What OpenAPI says of a call's answers: status to description."""

_REFUSED = "correct the request; /openapi.json says what each call takes"
_log = logging.getLogger("persrv.serve")


class Problem(BaseModel):
    """What went wrong, as RFC 9457 writes it.

    Attributes:
        type: ``urn:persrv:error:`` and the name of the error.
        title: The status in words.
        status: HTTP status.
        detail: What is wrong.
        next_step: What to do about it.
        request_id: As in the header ``x-request-id`` and in the log.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:persrv:error:NotFoundError",
                "title": "Not Found",
                "status": 404,
                "detail": "there is no sticker 'ffff'",
                "next_step": "give a sticker's id or its first digits",
                "request_id": "3f2a9c0d1e5b4a67",
            }
        }
    )

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    next_step: str
    request_id: str


class UnauthorizedError(errors.AccessError):
    """No key, or an unknown one, where one is needed."""


def problem_response(status: int, kind: str, detail: str, next_step: str, request_id: str) -> JSONResponse:
    """Return a problem as a response."""
    from http import HTTPStatus

    body = Problem(
        type=f"{TYPE}{kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        next_step=next_step,
        request_id=request_id,
    )
    headers = {401: {"www-authenticate": "Bearer"}, 429: {"retry-after": "1"}, 503: {"retry-after": "5"}}
    return JSONResponse(body.model_dump(), status, headers.get(status), MEDIA_TYPE)


def of_error(error: errors.PersrvError, request_id: str) -> JSONResponse:
    """Return one of our errors as a response."""
    if isinstance(error, UnauthorizedError):
        return problem_response(401, "AccessError", error.problem, error.next_step, request_id)
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    return problem_response(status, type(error).__name__, error.problem, error.next_step, request_id)


def invalid(error: RequestValidationError, request_id: str) -> JSONResponse:
    """Return the first of a request's impossible values as a response."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem_response(422, "QueryError", f"{where}: {first['msg']}", _REFUSED, request_id)


def unexpected(error: Exception, request_id: str) -> JSONResponse:
    """Log a defect, and return what is told of it."""
    _log.error("unexpected", exc_info=error, extra={"request_id": request_id})
    next_step = "report it with the request id and the service's log"
    return problem_response(500, "PersrvError", "the service failed", next_step, request_id)


def request_id_of(request: Request) -> str:
    """Return the id under which the request is logged."""
    return str(request.scope.get("persrv.request_id", ""))


def install(app: FastAPI) -> None:
    """Make the app answer every error with a problem."""

    @app.exception_handler(errors.PersrvError)
    def _ours(request: Request, error: errors.PersrvError) -> JSONResponse:
        return of_error(error, request_id_of(request))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return invalid(error, request_id_of(request))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        kind = "NotFoundError" if error.status_code == 404 else "QueryError"
        response = problem_response(error.status_code, kind, str(error.detail), _REFUSED, request_id_of(request))
        for name, value in (error.headers or {}).items():
            response.headers[name] = "GET, HEAD" if (name, value) == ("Allow", "GET") else value
        return response

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> JSONResponse:
        return unexpected(error, request_id_of(request))


def documented(*statuses: int) -> Responses:
    """Return OpenAPI's ``responses`` for problems of these statuses, and for those of every call."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    every = (400, 401, 403, 404, 413, 422, 429, 503)
    return {status: {"description": "A problem", "content": content} for status in sorted({*every, *statuses})}
