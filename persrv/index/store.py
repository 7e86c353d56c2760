"""The one place that chooses an engine."""

from __future__ import annotations

from pathlib import Path

from persrv.errors import RecipeError
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Store

_EMBEDDED = "embedded:"


def open_store(location: str, data: Path, *, timeout_s: float = 10.0) -> Store:
    """Open the store that a recipe's ``[index] location`` names.

    Args:
        location: ``embedded:`` (the folder ``index`` in ``data``), ``embedded:PATH`` (relative to ``data``), or a
            server's ``http(s)://`` URL, whose key is taken from ``QDRANT_API_KEY``.
        data: The collection's data folder.
        timeout_s: Seconds for one answer of a server.

    Raises:
        RecipeError: The location is none of these.
        IndexUnavailableError: The server cannot be used.
    """
    if location.startswith(_EMBEDDED):
        return EmbeddedStore(data / Path(location.removeprefix(_EMBEDDED) or "index").expanduser())
    if location.startswith(("http://", "https://")):
        # qdrant_client takes a second to import: only an address of a server needs it.
        from persrv.index.server import connect_server

        return connect_server(location, timeout_s=timeout_s)
    raise RecipeError(f"[index] location {location!r} names no engine", "use embedded:, embedded:PATH or http(s)://...")
