"""Runs the service until it is stopped."""

from __future__ import annotations

import gc
import os
import socket
import tempfile
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from persrv.errors import RecipeError, ServiceError
from persrv.serve.app import create_app
from persrv.serve.metrics import SHARED_VARIABLE
from persrv.serve.middleware import log_to_stderr
from persrv.serve.protocol import BoundedProtocol
from persrv.serve.settings import ENVIRONMENT, ServeSettings
from persrv.workspace import Workspace

GRACE_SECONDS = 20
"""How long requests in flight may take to finish when the service is stopped."""


class _Announcing(uvicorn.Server):
    """Says when the first request can be answered."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            # What is there now stays: the collector of cycles would go through all of it again and again, 40 ms each
            # time, and every request waits for it.
            gc.freeze()
            self._ready()


def run(settings: ServeSettings, *, workers: int = 1, ready: Callable[[str], None] = lambda _address: None) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight finish first.

    Args:
        settings: How.
        workers: Processes; more than one only with a server for an index, since one process owns an embedded one.
        ready: Called with the address when the first request can be answered; with several workers when they start.

    Raises:
        RecipeError: Several workers for an embedded index, or as :func:`persrv.serve.app.create_app`.
        ServiceError: The address cannot be listened at.
        PersrvError: A collection cannot be opened.
    """
    embedded = [name for name in settings.collections if Workspace.of(name, settings.home).recipe.index.embedded]
    if workers > 1 and embedded:
        step = "use one worker, or put the index on a server (docs/how-to/qdrant-server.md)"
        raise RecipeError(f"{embedded[0]} has an embedded index, which one process owns", step)
    log_to_stderr()
    listening = _listen(settings)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{port}"
    if workers == 1:
        _serve_here(create_app(settings), listening, lambda: ready(address))
        return
    create_app(settings)  # what is wrong with the settings is said here, and once
    os.environ[ENVIRONMENT] = settings.model_dump_json()
    config = _config("persrv.serve.app:app_of_environment", factory=True, workers=workers)
    from uvicorn.supervisors import Multiprocess

    with tempfile.TemporaryDirectory(prefix="persrv-figures-") as shared:
        os.environ[SHARED_VARIABLE] = shared
        ready(address)
        Multiprocess(config, sockets=[listening]).run()


def _serve_here(app: FastAPI, listening: socket.socket, ready: Callable[[], None]) -> None:
    failed: list[BaseException] = []
    inner = app.router.lifespan_context

    # uvicorn prints what goes wrong at the start; ours is said once, with its next step, by whoever called.
    def watched(running: FastAPI) -> object:
        return _Lifespan(inner(running), failed)

    app.router.lifespan_context = watched  # type: ignore[assignment]
    try:
        _Announcing(_config(app), ready).run(sockets=[listening])
    except SystemExit:
        if not failed:
            raise
    if failed:
        raise failed[0]


class _Lifespan:
    def __init__(self, inner: object, failed: list[BaseException]) -> None:
        self._inner = inner
        self._failed = failed

    async def __aenter__(self) -> object:
        try:
            return await self._inner.__aenter__()  # type: ignore[attr-defined]
        except BaseException as error:
            self._failed.append(error)
            raise

    async def __aexit__(self, *exc: object) -> object:
        return await self._inner.__aexit__(*exc)  # type: ignore[attr-defined]


def _config(app: FastAPI | str, *, factory: bool = False, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=factory,
        workers=workers,
        access_log=False,
        log_level="critical",
        http=BoundedProtocol,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
    )


def _listen(settings: ServeSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
    except OSError as error:
        raise ServiceError(
            f"{settings.host}:{settings.port} cannot be listened at: {error.strerror}", "choose another --port"
        ) from error
    return listening
