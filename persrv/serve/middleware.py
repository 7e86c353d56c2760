"""What surrounds every request: its id, its log line, its figures, its bounds, and the headers of its answer."""

from __future__ import annotations

import json
import logging
import secrets
import sys
from asyncio import get_running_loop
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic, perf_counter
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from persrv.serve.metrics import Metrics
from persrv.serve.problems import problem_response
from persrv.serve.rates import RateLimit

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's content security policy: nothing but this service, and no script or style inside a text."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"cache-control", b"no-store"),
)
"""Headers of every answer that has none of the name itself."""

_SAFE = ("GET", "HEAD", "OPTIONS")
_log = logging.getLogger("persrv.serve")


class RequestScope:
    """Gives each request an id, a line in the log, figures, and security headers.

    Args:
        app: What answers.
        metrics: Where figures go.
        log_queries: Whether the line holds the query string and the path as it was sent.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log_queries: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._log_queries = log_queries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 500
        request_id = scope["persrv.request_id"] = secrets.token_hex(8)

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = [*message.get("headers", ())]
                names = {name.lower() for name, _ in own}
                own += [(name, value) for name, value in _HEADERS if name not in names]
                message["headers"] = [*own, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, answering)
        finally:
            # The answer leaves when this turn of the loop is over: counting and writing it down come behind that.
            get_running_loop().call_soon(self._count, scope, request_id, status, perf_counter() - began)

    def _count(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        # The route's pattern and never the path: paths hold users and stickers.
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in (*_SAFE, "POST", "PUT", "PATCH", "DELETE") else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        line: dict[str, Any] = {"request_id": request_id, "method": method, "route": route, "status": status}
        line["ms"] = round(seconds * 1000, 2)
        if self._log_queries:
            query = scope.get("query_string", b"").decode("latin-1")
            line |= {"path": scope["path"], "query": query}
        _log.info("request", extra={"fields": line})


class Bounds:
    """Refuses what no call may be: foreign hosts and pages, bodies beyond the limit, and too many requests.

    Args:
        app: What answers.
        hosts: Names by which the service may be called; empty for any. A page of somebody else could otherwise give
            its own name this machine's address, and read a service that wants no key.
        origins: Web pages of other hosts that may write.
        body_bytes: Largest body.
        limit: Counts requests.
    """

    def __init__(
        self, app: ASGIApp, hosts: Sequence[str], origins: Sequence[str], body_bytes: int, limit: RateLimit
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)
        self._body_bytes = body_bytes
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        if refused is not None:
            await refused(scope, receive, send)
            return
        if scope["method"] in _SAFE and "content-length" not in headers and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)  # it has no body
            return
        received = 0

        async def reading() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._body_bytes:
                raise _TooLargeError
            return message

        async def answering(message: Message) -> None:
            # Whoever reads the body makes an answer of their own of what was raised there.
            if received <= self._body_bytes:
                await send(message)

        with suppress(_TooLargeError):
            await self._app(scope, reading, answering)
        if received > self._body_bytes:
            await self._too_large(scope)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        request_id = scope["persrv.request_id"]
        host = headers.get("host", "")
        if self._hosts and (urlsplit(f"//{host}").hostname or "") not in self._hosts:
            step = "call it by the address that it listens at, or start it with keys"
            return problem_response(403, "AccessError", f"this service is not called {host[:80]!r}", step, request_id)
        if scope["method"] not in _SAFE and not self._same_site(headers, host):
            step = "start the service with --origin and the page's address"
            return problem_response(403, "AccessError", "a page of another host may not write here", step, request_id)
        if b"%2f" in scope.get("raw_path", b"").lower():
            # Routes see it as a slash: the name "ann/export" would stand for what is ann's.
            step = "give the name as ?user= of /v1/user"
            return problem_response(400, "QueryError", "a name in the path holds a slash", step, request_id)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._body_bytes:
            return self._too_large(scope)
        caller = headers.get("authorization") or headers.get("x-api-key") or str((scope.get("client") or ("",))[0])
        if not self._limit.allows(caller, monotonic()):
            step = "wait a second, and send fewer at once"
            return problem_response(429, "RateLimitError", "too many requests", step, request_id)
        return None

    def _same_site(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return origin in self._origins or urlsplit(origin).netloc == host

    def _too_large(self, scope: Scope) -> Response:
        problem = f"the request's body is larger than {self._body_bytes} bytes"
        return problem_response(413, "QueryError", problem, "send less at once", scope["persrv.request_id"])


class Heads:
    """Answers HEAD as GET, without the body.

    Args:
        app: What answers GET.
        but: Path of a GET that writes, as Tenor has one: its HEAD stays refused.
    """

    def __init__(self, app: ASGIApp, but: str) -> None:
        self._app = app
        self._but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"] == self._but:
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}

        async def headless(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        try:
            await self._app(asked, receive, headless)
        finally:
            scope["route"] = asked.get("route")


class Compressed:
    """Compresses what is text, for callers on other machines; to this one the bytes cost less than the work.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        packed = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "image/*", "application/x-tgsticker", "multipart/byteranges")
        self._far = GZipMiddleware(app, compresslevel=1, exclude_content_types=packed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        near = (scope.get("client") or ("",))[0] in ("127.0.0.1", "::1")
        await (self._app if near else self._far)(scope, receive, send)


class _TooLargeError(Exception):
    """A body went on beyond the limit."""


class JsonLines(logging.Formatter):
    """Writes each record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        line: dict[str, Any] = {"time": self.formatTime(record), "level": record.levelname.lower()}
        line |= {"message": record.getMessage()}
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line |= fields
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        # In ASCII: nobody who reads the log in a terminal meets an order or a mark of direction.
        return json.dumps(line, default=str)


def log_to_stderr() -> None:
    """Send the service's log to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    _log.handlers[:] = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False
