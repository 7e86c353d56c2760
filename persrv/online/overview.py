"""What a collection holds, and whether it can be searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persrv.errors import IndexUnavailableError, NotFoundError, PersrvError, VectorIndexError
from persrv.online.retriever import Retriever
from persrv.recipe import Recipe
from persrv.workspace import Workspace

if TYPE_CHECKING:
    from persrv.index.cluster import NodeState, ReplicaState
    from persrv.indexing.progress import Progress


def overview(recipe: str | Path | Recipe, *, home: str | Path | None = None) -> dict[str, Any]:
    """Return a collection's facts, JSON-safe and flat; opens no index, so it works while another process owns it.

    Raises:
        NotFoundError: The collection was never built.
    """
    workspace = Workspace.of(recipe, home)
    with workspace.existing_catalog() as catalog:
        users = catalog.users()
        packs = Counter(pack for sticker in catalog.stickers() for pack in sticker.packs)
        stickers = catalog.count()
    store = workspace.store()
    try:
        manifest = store.manifest(workspace.recipe.name)
    finally:
        store.close()
    nodes, copies = _server(workspace) if workspace.recipe.index.addresses else ([], [])
    built = manifest.facts() if manifest else {"build": "none"}
    return {
        "recipe": workspace.recipe.name,
        "title": workspace.recipe.title,
        "file": str(workspace.recipe.file or ""),
        "folder": str(workspace.folder),
        "index": workspace.recipe.index.location,
        "meaning_by": _meaning_by(workspace, manifest.meaning if manifest else None),
        "catalog_stickers": stickers,
        "packs": dict(packs.most_common(20)),
        "users": len(users),
        "picks": sum(user.picks for user in users),
        **({"nodes": [str(node) for node in nodes], "replicas": [str(copy) for copy in copies]} if nodes else {}),
    } | built


def _meaning_by(workspace: Workspace, built_with: str | None) -> str:
    """Return a sentence on what finds stickers by meaning, and what to do where the index has something else.

    Args:
        workspace: Of the collection.
        built_with: The text encoder of the index, ``""`` for none; ``None`` where nothing was built.
    """
    from persrv.text.meaning.registry import AUTO, automatic_choice

    recipe = workspace.recipe
    texts = workspace.text_encoder()
    if recipe.meaning.encoder == AUTO:
        found = automatic_choice()
    else:
        found = f"the recipe names {texts.name}" if texts else "the recipe asks for words alone"
    if built_with is None or built_with == (f"{texts.name}@{texts.revision}" if texts else ""):
        return found
    had = built_with.partition("@")[0] or "words alone"
    return f"{found}; the index was built with {had}: run persrv build -c {recipe.file or recipe.name}"


def _server(workspace: Workspace) -> tuple[list[NodeState], list[ReplicaState]]:
    """Return the state of each node, and each copy of each shard of stickers and users."""
    # qdrant_client takes a second to import: only a server needs it.
    from persrv.index.server import connect_server

    index = workspace.recipe.index
    with connect_server(index.addresses, timeout_s=index.timeout_s) as store:
        names = (workspace.recipe.name, workspace.users_name)
        return store.node_states(), [copy for name in names for copy in store.replica_states(name)]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of :func:`examine`: what was looked at, whether it is well, and what was found or is to be done."""

    name: str
    passed: bool
    finding: str


def examine(
    recipe: str | Path | Recipe, *, home: str | Path | None = None, deep: Progress | None = None
) -> list[Check]:
    """Check a collection from the recipe to an answered search; later checks are left out when an earlier one fails.

    An embedded index is opened in a process of its own, so that damaged files end that one and not the caller.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object.
        home: Holds every collection's folder.
        deep: Read everything as well, and show here how far it is, see :mod:`persrv.indexing.soundness`.
    """
    checks: list[Check] = []

    def check(name: str, look: Callable[[], str]) -> bool:
        try:
            checks.append(Check(name, True, look()))
        except PersrvError as error:
            checks.append(Check(name, False, str(error)))
        return checks[-1].passed

    found: list[Workspace] = []

    def read_recipe() -> str:
        found.append(Workspace.of(recipe, home))
        return f"{found[0].recipe.file or found[0].recipe.name} is valid"

    if check("recipe", read_recipe) and check("catalog", lambda: _look_at_catalog(found[0])):
        check("pictures", lambda: _look_at_pictures(found[0]))
        if found[0].recipe.index.addresses:
            check("server", lambda: _look_at_server(found[0]))
        check("meaning", lambda: _look_at_meaning(found[0]))
        check("index", lambda: _look_at_index(found[0]))
        if deep is not None:
            from persrv.indexing.soundness import LOOKS

            for name, look in LOOKS.items():
                check(name, partial(look, found[0], deep))
    return checks


def _look_at_catalog(workspace: Workspace) -> str:
    with workspace.existing_catalog() as catalog:
        return f"{catalog.count()} stickers, {len(catalog.users())} users"


def _look_at_pictures(workspace: Workspace) -> str:
    with workspace.existing_catalog() as catalog:
        gone = [str(s.path) for s in catalog.stickers() if s.path is not None and not s.path.is_file()]
    if gone:
        raise NotFoundError(
            f"{len(gone)} pictures are gone, such as {gone[0]}",
            f"put them back or run persrv build -c {workspace.recipe.name}",
        )
    return "every file is there"


def _look_at_meaning(workspace: Workspace) -> str:
    store = workspace.store()
    try:
        manifest = store.manifest(workspace.recipe.name)
    except VectorIndexError:
        manifest = None  # the look at the index says what is wrong with it
    finally:
        store.close()
    return _meaning_by(workspace, manifest.meaning if manifest else None)


def _look_at_server(workspace: Workspace) -> str:
    nodes, copies = _server(workspace)
    broken = [str(node) for node in nodes if node.problem]
    broken += [str(copy) for copy in copies if copy.state != "Active"]
    if broken:
        raise IndexUnavailableError("; ".join(broken), "start what is down, or wait until it has caught up")
    return ", ".join([*map(str, nodes), f"{len(copies)} copies of shards are well"])


def _look_at_index(workspace: Workspace) -> str:
    with Retriever.open(workspace.recipe, home=workspace.folder.parent, engine="process") as retriever:
        manifest = retriever.manifest
        answer = retriever.search(limit=1)
        if manifest.stickers and not answer:
            raise NotFoundError(
                "the index has stickers but a search finds none",
                f"run persrv build -c {workspace.recipe.name} --rebuild",
            )
    return f"build {manifest.build} answers; {manifest.stickers} stickers, {manifest.collisions} token collisions"
