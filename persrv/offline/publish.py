"""Copying a built collection to another store."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from persrv.errors import RecipeError
from persrv.index.manifest import Manifest, new_build
from persrv.index.push import push
from persrv.index.store import open_store
from persrv.indexing.progress import Progress, Silent
from persrv.recipe import Recipe
from persrv.workspace import Workspace


def push_collection(
    recipe: str | Path | Recipe, url: str, *, home: str | Path | None = None, progress: Progress | None = None
) -> dict[str, Manifest]:
    """Copy a collection's stickers and users to a server, and switch to them there.

    Users go first: searches on the server see the new stickers only when the styles they need are there.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        url: The server; its key is read from ``QDRANT_API_KEY``.
        home: Holds every collection's folder.
        progress: Shows how far it is.

    Returns:
        Collection name to the manifest that is current there now.

    Raises:
        RecipeError: ``url`` is not an ``http(s)://`` address.
        NotFoundError: The collection was never built.
        IndexUnavailableError: The server cannot be used; what it had before is untouched.
    """
    if not url.startswith(("http://", "https://")):
        raise RecipeError(f"{url!r} is not the address of a server", "give one such as http://127.0.0.1:6333")
    shown = progress or Silent()
    workspace = Workspace.of(recipe, home)
    settings = workspace.recipe
    pushed: dict[str, Manifest] = {}
    with ExitStack() as opened:
        source = workspace.store()
        opened.callback(source.close)
        stickers, users = source.open(settings.name), source.open(workspace.users_name)
        target = open_store(url, workspace.folder, timeout_s=settings.index.timeout_s)
        opened.callback(target.close)
        build = new_build()
        for name, collection in ((workspace.users_name, users), (settings.name, stickers)):
            schema = replace(collection.schema, replication_factor=settings.index.replication_factor)
            with shown.stage(f"copying {name}", collection.count()) as advance:
                pushed[name] = push(collection, target, name, schema, advance, build)
    return pushed
