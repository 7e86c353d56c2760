"""After ``forget`` nothing of a person is left in PostgreSQL and on a server, with builds before, during and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fake_qdrant import FakeQdrant
from persrv import Recipe, Retriever, build_collection
from persrv.indexing.progress import Advance
from persrv.recipe.location import CatalogSettings, IndexSettings
from postgres_server import PASSWORD, USER, Server, running
from sparse_files import words_in_files
from tiny_collection import Tiny

WORD, ZOE, YAN = "sabrinacanary", "zoecanary", "yancanary"
QUERY = f"my ex {WORD}"


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture
def server() -> Iterator[FakeQdrant]:
    with FakeQdrant() as started:
        yield started


def left(database: Server, server: FakeQdrant, folder: Path, *words: str) -> list[str]:
    """Return where one of the words still stands: rows of the database, points of the server, files."""
    found = []
    with psycopg.connect(host=str(database.folder), dbname="postgres", user=USER, password=PASSWORD) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(names) > 15
        for (name,) in names:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name)))
            found += [f"{name}: {word}" for (row,) in rows for word in words if word in row]
    collections = [each.name for each in server.local.get_collections().collections]
    assert len(collections) >= 2
    for name in collections:
        points, _ = server.local.scroll(name, limit=10_000, with_payload=True)
        found += [f"{name}: {word}" for point in points for word in words if word in str(point.payload)]
    return found + words_in_files(folder, words)


class ForgettingDuring:
    """Forgets two people when a stage of a build has ended."""

    def __init__(self, recipe: Recipe, home: Path, at: str) -> None:
        self._recipe, self._home, self._at = recipe, home, at
        self.forgotten = 0

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        yield lambda items: None
        if name == self._at:
            with Retriever.open(self._recipe, home=self._home) as retriever:
                self.forgotten += retriever.forget(ZOE) + retriever.forget(YAN)


def test_nothing_is_left_in_postgresql_and_on_a_server(tiny: Tiny, database: Server, server: FakeQdrant) -> None:
    recipe = tiny.recipe.model_copy(
        update={
            "catalog": CatalogSettings(url=database.url("postgres")),
            "index": IndexSettings(location=server.url),
        }
    )
    folder, everything = tiny.home / "tiny", (WORD, ZOE, YAN)

    def build() -> None:
        build_collection(recipe, home=tiny.home, rebuild=True)

    def pick() -> None:
        with Retriever.open(recipe, home=tiny.home) as retriever:
            stickers = [hit.sticker_id for hit in retriever.search("cat", limit=3)]
            for user in (ZOE, YAN):
                for sticker in stickers:
                    retriever.record(user, QUERY, sticker)

    build()
    pick()
    # Builds before: the current version and the one that is kept show what two people typed.
    build()
    build()
    places = {place.split(": ")[0] for place in left(database, server, folder, *everything)}
    assert {"interactions", "picked_queries"} < places
    assert len([place for place in places if place.startswith("tiny")]) >= 3
    with Retriever.open(recipe, home=tiny.home) as retriever:
        assert retriever.forget(ZOE) == 3
        assert left(database, server, folder, ZOE) == []
        assert retriever.forget(YAN) == 3
    assert left(database, server, folder, *everything) == []
    # Builds after.
    build()
    assert left(database, server, folder, *everything) == []
    # A build during.
    for at in ("indexing stickers", "learning styles"):
        pick()
        build()
        during = ForgettingDuring(recipe, tiny.home, at)
        build_collection(recipe, home=tiny.home, progress=during, rebuild=True)
        assert during.forgotten == 6
        assert left(database, server, folder, *everything) == []
