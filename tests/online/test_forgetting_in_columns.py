"""After ``forget`` columns hold nothing of a person either, in every version that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from persrv.catalog.phrases import fold_query
from persrv.index.columns.store import ColumnStore
from persrv.index.schema import PICKED, TEXT
from persrv.offline import build_collection
from persrv.ranking.affinity import query_dimension
from persrv.text.bm25f import token_id
from tiny_collection import Tiny

WORD, ZOE, YAN = "sabrinacanary", "zoecanary", "yancanary"
QUERY = f"ex {WORD}"


@pytest.fixture(autouse=True)
def small_ones_have_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ColumnStore.__init__, "__defaults__", (1,))


@pytest.fixture
def built(tiny: Tiny) -> Tiny:
    """With columns in two versions."""
    for _ in range(2):
        build_collection(tiny.file, home=tiny.home, rebuild=True)
    assert len(generations(tiny)) == 2
    return tiny


def generations(tiny: Tiny) -> list[Path]:
    return sorted((tiny.home / "tiny" / "index" / "tiny").glob("*/columns/*"))


def files_with(tiny: Tiny, table: str, dimension: int) -> Iterator[str]:
    """Yield the files of columns that have a dimension, in whatever way, and what is no array."""
    for generation in generations(tiny):
        assert generation.name.isdecimal()
        for file in sorted(generation.iterdir()):
            if file.suffix != ".npy":
                continue
            listed = file.name == f"{table}.dimensions.npy" and dimension in np.load(file)
            if listed or (file.name.startswith(table) and np.uint64(dimension).tobytes() in file.read_bytes()):
                yield str(file)


def pick(tiny: Tiny, *users: str) -> None:
    with tiny.open() as retriever:
        for hit in retriever.search("cat", limit=3):
            for user in users:
                retriever.record(user, QUERY, hit.sticker_id)


EXACT, WORDS = query_dimension(fold_query(QUERY)), token_id(WORD)


@pytest.mark.parametrize("users", [(ZOE,), (ZOE, YAN)], ids=["one person", "two people, so that it is public"])
def test_what_they_picked_for_is_in_no_columns(built: Tiny, users: tuple[str, ...]) -> None:
    pick(built, *users)
    build_collection(built.file, home=built.home, rebuild=True)
    pick(built, "ann")  # so that it is in two versions
    build_collection(built.file, home=built.home, rebuild=True)
    found = [*files_with(built, PICKED, EXACT)]
    assert {Path(file).parents[2] for file in found} == {each.parents[1] for each in generations(built)}
    with built.open() as retriever:
        for user in (*users, "ann"):
            retriever.forget(user)
    for table, dimension in ((PICKED, EXACT), (PICKED, WORDS), (TEXT, WORDS)):
        assert [*files_with(built, table, dimension)] == []
    with built.open() as retriever:
        assert len(retriever.search("cat", limit=3)) == 3
