"""The real thing under examination: a copy of a collection, built from the training picks alone, and its Retriever."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from persrv.errors import NotFoundError, RecipeError
from persrv.indexing.progress import Progress
from persrv.lab.evaluation.leaks import check_counts, check_picks
from persrv.lab.evaluation.splits import PickSplit
from persrv.offline import build_collection
from persrv.online.retriever import Retriever
from persrv.recipe import Compare
from persrv.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A system that asks a :class:`~persrv.online.retriever.Retriever`.

    Attributes:
        name: What reports call it.
        retriever: Open.
        personal: Whether it is told who asks.
    """

    name: str
    retriever: Retriever
    personal: bool = True

    def rank(self, query: str, user: str, k: int) -> list[str]:
        """Return the ids of the first ``k`` hits; stand-ins for an answer, such as popular stickers, count too."""
        answer = self.retriever.search(query, (user or None) if self.personal else None, limit=k)
        return [hit.sticker_id for hit in answer]


@contextmanager
def trained_retriever(workspace: Workspace, split: PickSplit, progress: Progress | None = None) -> Iterator[Retriever]:
    """Build a copy of a collection from a split's training picks, check it for leaks, and open it.

    The copy lies in a temporary folder and keeps texts, edits and vectors; no picture is read.

    Args:
        workspace: A built collection whose catalog is the file in its folder.
        split: What may be learnt.
        progress: Shows how far the build is.

    Raises:
        RecipeError: The catalog is on a server, which is not copied.
        NotFoundError: The collection was never built.
        QueryError: A held-out pick got into the index.
    """
    recipe = workspace.recipe
    if recipe.catalog.url:
        raise RecipeError(
            f"{recipe.name} keeps its catalog on a server, which is not copied", "leave out the retriever"
        )
    if not (workspace.folder / "catalog.db").is_file():
        raise NotFoundError(f"{recipe.name} was never built", f"run persrv build -c {recipe.name}")
    with TemporaryDirectory(prefix="persrv-evaluate-") as folder:
        embedded = recipe.index.model_copy(update={"location": "embedded:"})
        alone = recipe.model_copy(update={"interactions": (), "index": embedded, "compare": Compare()})
        copy = Workspace(alone, Path(folder) / recipe.name)
        shutil.copytree(workspace.folder, copy.folder, ignore=shutil.ignore_patterns("index"))
        with copy.catalog() as catalog:
            catalog.clear_picks()
            catalog.put_interactions(split.train)
        build_collection(alone, home=Path(folder), progress=progress, only=("index",))
        with copy.catalog() as catalog:
            check_picks(split, catalog.interactions())
        check_counts(split, _counted(copy))
        with Retriever.open(alone, home=Path(folder)) as retriever:
            yield retriever


def _counted(workspace: Workspace) -> dict[str, int]:
    """Return how many picks each sticker's point says it has."""
    store = workspace.store()
    try:
        payloads = [record.payload or {} for record in store.open(workspace.recipe.name).scroll()]
    finally:
        store.close()
    return {str(payload["sticker_id"]): int(payload.get("picks", 0)) for payload in payloads}
