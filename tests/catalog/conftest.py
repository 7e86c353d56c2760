"""Every test of the catalog runs on SQLite and on a PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import sql

from persrv.catalog import Catalog, Entry, content_id
from persrv.catalog.tables import metadata
from persrv.records import Semantics, SourceSticker
from postgres_server import Server, running

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def shared_database(server: Server) -> str:
    """Return the name of a database with the catalog's schema, which tests empty rather than make anew."""
    server.run("postgres", sql.SQL("CREATE DATABASE shared").format())
    Catalog.open(server.url("shared")).close()
    return "shared"


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return SQLite's file with the catalog's schema, which tests copy rather than make anew."""
    file = tmp_path_factory.mktemp("empty") / "catalog.db"
    Catalog.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty catalog."""
    if request.param == "sqlite":
        file = shutil.copy(request.getfixturevalue("empty_file"), tmp_path / "catalog.db")
        return f"sqlite:///{file}"
    server: Server = request.getfixturevalue("server")
    database: str = request.getfixturevalue("shared_database")
    tables = sql.SQL(", ").join(sql.Identifier(table.name) for table in metadata.sorted_tables)
    server.run(database, sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
    return server.url(database)


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database that persrv has never seen."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    server: Server = request.getfixturevalue("server")
    name = f"bare{next(_numbers)}"
    server.run("postgres", sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield server.url(name)
    server.run("postgres", sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    with Catalog.open(catalog_url) as opened:
        yield opened


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """Return a maker of entries whose content is a word: equal words are equal pictures."""

    def make(content: str, key: str = "", loader: str = "emoji", pack: str = "", **fields: object) -> Entry:
        semantics = fields.pop("semantics", Semantics())
        scalars = {name: str(fields[name]) for name in ("language", "rating", "style") if name in fields}
        assert isinstance(semantics, Semantics)
        source = SourceSticker(key or content, Path("/pictures") / (key or content), pack, semantics, **scalars)
        return Entry(content_id(content.encode()), loader, source, "png", 64, 32, 1, len(content), 7)

    return make
