"""Columns of the smallest collection, written anew all the time, and compared with the engine's points."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from persrv.index.columns import live
from persrv.index.columns.store import ColumnStore, columns_of, make_columns
from persrv.index.columns.verification import differing_stickers
from persrv.online import live_index
from persrv.workspace import Workspace


def write_columns_often() -> None:
    """Give this program's collections columns, few changes of which are gathered, and bring them to the disk often."""
    ColumnStore.__init__.__defaults__ = (1,)
    live.MOST_CHANGED, live.MOST_ANNOUNCED, live.MOST_SEGMENTS = 3, 20, 2
    live_index.SETTLED_SECONDS = 0.2


def check_columns(recipe: Path, home: Path) -> Counter[str]:
    """Compare the columns of every version with its engine, and make those that are missing.

    Returns:
        How many versions have columns, and how many have not: those are searched without.
    """
    workspace = Workspace.of(recipe, home)
    given = workspace.store()
    assert isinstance(given, ColumnStore)
    name, found = workspace.recipe.name, Counter[str]()
    with ColumnStore(given.engine, given.folder, least=1) as store:
        for build in store.kept(name):
            with store.open(name, build) as opened:
                columns = columns_of(opened)
                found["without" if columns is None else "with"] += 1
                if columns is not None:
                    differing = differing_stickers(columns, opened)
                    assert not differing, f"columns say something else than the engine of {differing}"
        make_columns(store, name)
    return found
