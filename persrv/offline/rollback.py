"""Going back to the build before: stickers and users together."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from persrv.errors import NotFoundError
from persrv.index.manifest import Manifest
from persrv.indexing.forgetting import remove_forgotten
from persrv.recipe import Recipe
from persrv.workspace import Workspace


def rollback_collection(recipe: str | Path | Recipe, *, home: str | Path | None = None) -> Manifest:
    """Switch a collection back to its previous build; a second call goes forward again.

    The catalog stays as it is: what changed there since is brought into the older build when it is opened next, save
    for what only a new build can bring, such as another encoder's vectors. Who was forgotten stays forgotten.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        home: Holds every collection's folder.

    Returns:
        What the build that is current now was made from.

    Raises:
        NotFoundError: There is no previous build of stickers and users.
        IndexLockedError: Another process has that build open.
        IndexUnavailableError: The server cannot be used; nothing was switched, or the users alone.
    """
    workspace = Workspace.of(recipe, home)
    name, users_name = workspace.recipe.name, workspace.users_name
    with ExitStack() as opened:
        catalog = opened.enter_context(workspace.existing_catalog())
        store = workspace.store()
        opened.callback(store.close)
        build = store.previous(name)
        # After a rollback that broke off the users are at the older build already.
        done = build is not None and store.current(users_name) == build
        if build is None or not (done or store.previous(users_name) == build):
            raise NotFoundError(f"{name} has no previous build to go back to", f"run persrv build -c {name}")
        with store.open(users_name, build) as users:
            remove_forgotten(catalog, users, None)
        if not done:
            store.rollback(users_name)
        return store.rollback(name)
