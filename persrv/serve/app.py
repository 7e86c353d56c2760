"""The application: every call, and what surrounds it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp

from persrv.errors import AccessError
from persrv.serve import problems
from persrv.serve.access import Service
from persrv.serve.direct import Direct
from persrv.serve.keys import KeyFile
from persrv.serve.metrics import Metrics
from persrv.serve.middleware import Bounds, Compressed, Heads, RequestScope
from persrv.serve.rates import RateLimit
from persrv.serve.routes import page, pictures, search, session, status, stickers, tenor, users
from persrv.serve.served import ServedCollections
from persrv.serve.settings import ENVIRONMENT, ServeSettings

_LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")


def create_app(settings: ServeSettings) -> FastAPI:
    """Return the service as an ASGI application; collections are opened when it starts.

    Raises:
        AccessError: It would listen where others reach it, and there is no key.
        RecipeError: The file of keys cannot be used.
    """
    keys = KeyFile(settings.keys_file)
    if not keys.ring and not settings.only_this_machine:
        raise AccessError(
            f"others can reach {settings.host}, and there is no API key",
            "make one with persrv keys add NAME --right write, or listen at 127.0.0.1",
        )
    metrics = Metrics()
    service = Service(settings, keys, metrics)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with ServedCollections(settings, metrics) as collections:
            service.collections = collections
            yield

    app = FastAPI(
        title="persrv",
        summary="Sticker search that learns each person's taste",
        version=version("persrv"),
        lifespan=lifespan,
        # The documentation's page would load its scripts from another host.
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    problems.install(app)
    for router in (
        search.router,
        stickers.router,
        users.router,
        users.by_query,
        status.router,
        session.router,
        pictures.router,
        tenor.router,
        page.router,
    ):
        app.include_router(router)
    others = app.build_middleware_stack

    # Ours stand around FastAPI's own, so that a search passes none of those.
    def surrounded() -> ASGIApp:
        direct = Direct(others(), search.router, search.search)
        inner: ASGIApp = Heads(Compressed(direct), but=tenor.SHARE_PATH)
        if settings.origins:
            inner = CORSMiddleware(inner, settings.origins, allow_methods=["*"], allow_headers=["*"])
        limit = RateLimit(settings.rate if keys.ring else 0, settings.burst)
        hosts = _LOCAL_NAMES if service.open_to_this_machine else ()
        bounds = Bounds(inner, hosts, settings.origins, settings.body_bytes, limit)
        return RequestScope(bounds, metrics, settings.log_queries)

    app.build_middleware_stack = surrounded  # type: ignore[method-assign]
    app.openapi = lambda: _openapi(app, with_keys=bool(keys.ring))  # type: ignore[method-assign]
    return app


def app_of_environment() -> FastAPI:
    """Return the application that the environment describes; worker processes begin here."""
    return create_app(ServeSettings.model_validate_json(os.environ[ENVIRONMENT]))


def _openapi(app: FastAPI, *, with_keys: bool) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            routes=app.routes,
            separate_input_output_schemas=True,
        )
        parts = schema.setdefault("components", {})
        parts.setdefault("schemas", {})["Problem"] = problems.Problem.model_json_schema()
        if with_keys:
            parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            schema["security"] = [{"key": []}]
        app.openapi_schema = schema
    return app.openapi_schema
