"""The one place that chooses an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from persrv.errors import RecipeError
from persrv.index.columns.store import ColumnStore
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Store
from persrv.recipe.location import embedded_folder


def open_store(
    location: str | Sequence[str], data: Path, *, timeout_s: float = 10.0, own_process: bool = False
) -> Store:
    """Open the store that a recipe's ``[index] location`` names.

    Args:
        location: A folder, see :func:`persrv.recipe.location.embedded_folder`; or a
            server's ``http(s)://`` URL, whose key is taken from ``QDRANT_API_KEY``; or several, of one cluster's nodes.
        data: The collection's data folder.
        timeout_s: Seconds for one answer of a server.
        own_process: Whether an embedded engine runs in a process of its own; a server does anyway.

    Raises:
        RecipeError: The location is none of these.
        IndexUnavailableError: The server cannot be used.
    """
    places = [location] if isinstance(location, str) else list(location)
    if len(places) == 1 and (folder := embedded_folder(places[0], data)):
        if not own_process:
            return ColumnStore(EmbeddedStore(folder), folder)
        from persrv.index.process_store import ProcessStore

        return ColumnStore(ProcessStore(folder), folder)
    if places and all(place.startswith(("http://", "https://")) for place in places):
        # qdrant_client takes a second to import: only an address of a server needs it.
        from persrv.index.server import connect_server

        return connect_server(places, timeout_s=timeout_s, kept=data / "versions")
    raise RecipeError(
        f"[index] location {location!r} names no engine",
        "use embedded:, embedded:PATH, http(s)://..., or a list of such addresses",
    )
