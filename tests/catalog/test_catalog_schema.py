from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from persrv.catalog import Catalog, schema
from persrv.catalog.connecting import parse_url
from persrv.catalog.database import Database
from persrv.catalog.tables import metadata
from persrv.errors import CatalogError
from persrv.records import Interaction, Semantics

ID = "a" * 32
NEWEST = max(file.name[1:5] for file in (Path(schema.__file__).parent / "migrations" / "versions").glob("v*.py"))
THEN = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


@contextmanager
def raw(url: str) -> Iterator[Connection]:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def at_first_revision(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a database as the first version of persrv left it."""
    real = schema.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(schema, "upgrade", lambda *given, collection: real(*given, target="0001"))
        Database.open(url).close()


def test_migrations_lead_to_the_tables_that_the_code_uses(bare_url: str) -> None:
    Catalog.open(bare_url).close()
    with raw(bare_url) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": schema.VERSION_TABLE}
        )
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, schema.VERSION_TABLE}


def test_the_comparison_would_notice_a_difference(bare_url: str) -> None:
    Catalog.open(bare_url).close()
    with raw(bare_url) as connection:
        connection.execute(text("DROP INDEX ix_interactions_time_id"))
        connection.execute(text("ALTER TABLE stickers ADD COLUMN colour TEXT"))
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert {difference[0] for difference in compare_metadata(context, metadata)} == {"add_index", "remove_column"}


def test_an_upgrade_from_the_first_revision_keeps_everything(bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_first_revision(bare_url, monkeypatch)
    with raw(bare_url) as connection:
        assert schema.revision(connection) == "0001"
        for statement in (
            "INSERT INTO stickers VALUES (:id, 'png', 64, 32, 1, :then)",
            "INSERT INTO placements VALUES ('emoji', 'k', :id, 'cats', '/k.png', 9, 8, 'en', 'safe', 'flat')",
            "INSERT INTO readings VALUES (:id, 'ocr', '', 'm1', '{\"ocr\": [\"喵\"]}', :then)",
            "INSERT INTO edits VALUES (1, :id, 'tags', '[\"mine\"]', 'ann', :then)",
            "INSERT INTO interactions VALUES (1, 'd', 'bob', 'Miau', 'miau', :id, :then, 'pick')",
            "INSERT INTO notes VALUES ('stage', '\"embed\"')",
        ):
            then = THEN if connection.dialect.name == "postgresql" else "2024-05-01 12:30:00.000000"
            connection.execute(text(statement), {"id": ID, "then": then})
    with Catalog.open(bare_url, "mine") as catalog:
        sticker = catalog.sticker(ID)
        assert sticker.semantics == Semantics(tags=("mine",), ocr=("喵",), pack=("cats",))
        assert next(catalog.stickers([ID], min_users=1)).semantics.queries == ("miau",)
        assert (sticker.width, sticker.height, sticker.language, sticker.style) == (64, 32, "en", "flat")
        assert list(catalog.interactions()) == [Interaction("bob", "Miau", ID, THEN)]
        assert catalog.semantics_sources(ID)[0].read_at == THEN
        assert catalog.noted("stage") == "embed"
        catalog.put_vocabulary("b1", {"cat": 1})
    with Catalog.open(bare_url, "another") as catalog:
        assert catalog.count() == 0
    with raw(bare_url) as connection:
        assert schema.revision(connection) == NEWEST


def test_a_newer_database_is_refused_and_left_alone(bare_url: str) -> None:
    Catalog.open(bare_url).close()
    with raw(bare_url) as connection:
        connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(CatalogError, match=r"schema 9999.*update persrv"):
        Catalog.open(bare_url)
    with raw(bare_url) as connection:
        assert schema.revision(connection) == "9999"


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(bare_url: str) -> None:
    with raw(bare_url) as connection:
        connection.execute(text("CREATE TABLE vocabularies (somebody_elses TEXT)"))
    with pytest.raises(CatalogError, match="vocabularies"):
        Catalog.open(bare_url)
    with raw(bare_url) as connection:
        assert inspect(connection).get_table_names() == ["vocabularies"]
        connection.execute(text("DROP TABLE vocabularies"))
    with Catalog.open(bare_url) as catalog:
        assert catalog.count() == 0
