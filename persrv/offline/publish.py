"""Copying a built collection to a server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from persrv.errors import RecipeError
from persrv.index.manifest import Manifest, new_build
from persrv.indexing.beside import keep_words
from persrv.indexing.progress import Progress, Silent
from persrv.recipe import Recipe
from persrv.workspace import Workspace

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def push_collection(
    recipe: str | Path | Recipe,
    urls: str | Sequence[str],
    *,
    name: str | None = None,
    home: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Manifest]:
    """Copy a collection's stickers and users to a server, and switch to them there.

    Users go first: searches on the server see the new stickers only when the styles they need are there. A push that
    broke off is gone on with, as long as the collection here is of the same build.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        urls: The server, or several nodes of it; its key is read from ``QDRANT_API_KEY``.
        name: The collection's name there; default the recipe's.
        home: Holds every collection's folder.
        progress: Shows how far it is.

    Returns:
        Collection name to the manifest that is current there now.

    Raises:
        RecipeError: An address is not ``http(s)://``, or ``name`` is no collection's name.
        NotFoundError: The collection was never built.
        VectorIndexError: The server has something else under the name, or refuses a point; what was made is removed.
        IndexUnavailableError: The server cannot be used; what it had before is untouched.
    """
    addresses = [urls] if isinstance(urls, str) else list(urls)
    for url in addresses:
        if not url.startswith(("http://", "https://")):
            raise RecipeError(f"{url!r} is not the address of a server", "give one such as http://127.0.0.1:6333")
    if name is not None and not _NAME.fullmatch(name):
        raise RecipeError(f"{name!r} is no collection's name", "use lower-case letters, digits, - and _")
    # qdrant_client takes a second to import: only this command needs it here.
    from persrv.index.push import push
    from persrv.index.server import connect_server

    shown = progress or Silent()
    workspace = Workspace.of(recipe, home)
    settings = workspace.recipe
    there = name or settings.name
    names = {workspace.users_name: f"{there}_users", settings.name: there}
    pushed: dict[str, Manifest] = {}
    with ExitStack() as opened:
        target = opened.enter_context(connect_server(addresses, timeout_s=settings.index.timeout_s))
        for taken in names.values():
            target.check_writable(taken)
        source = opened.enter_context(workspace.store())
        stickers = source.open(settings.name)
        origin = stickers.manifest.build
        build = target.begun(tuple(names.values()), origin) or new_build()
        for own, copy in names.items():
            collection = stickers if own == settings.name else source.open(own, origin)
            schema = replace(collection.schema, placement=workspace.placement)
            with shown.stage(f"copying {own}", collection.count()) as advance:
                pushed[copy] = push(collection, target, copy, schema, build, advance)
        catalog = opened.enter_context(workspace.existing_catalog())
        keep_words(catalog, target, there, workspace.place_on(addresses[0], there))
    return pushed
