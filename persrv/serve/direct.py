"""The way of a search to its thread, past what FastAPI does for other calls.

Between two searches the engine works for milliseconds, and what Python needs for the next request has left the
processor's caches: every layer costs four times as much then as in a loop of its own. A search reads its query string
and writes its answer itself, so that FastAPI has nothing left to do for it. Its route stays, for OpenAPI.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from persrv.errors import PersrvError
from persrv.serve.problems import invalid, of_error, request_id_of, unexpected

_AT_ONCE = 40
"""Searches at the same time; those of FastAPI's other calls are as many."""


class Direct:
    """Answers one route's GET requests, in threads of its own, and hands on all others.

    Args:
        app: What answers the others.
        router: Holds the route.
        function: Of the route; it takes the request alone and returns the response.
    """

    def __init__(self, app: ASGIApp, router: APIRouter, function: Callable[[Request], Response]) -> None:
        self._app = app
        self._function = function
        found = (route for route in router.routes if isinstance(route, APIRoute) and route.endpoint is function)
        self._route = next(found)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=self._route.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = self._route
        if scope["type"] != "http" or scope["path"] != route.path or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        request = Request(scope, receive)
        response = await get_running_loop().run_in_executor(self._threads, self._answer, request)
        await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        try:
            return self._function(request)
        except PersrvError as error:
            return of_error(error, request_id_of(request))
        except RequestValidationError as error:
            return invalid(error, request_id_of(request))
        except Exception as error:
            return unexpected(error, request_id_of(request))
