"""The catalog's tables, as the newest migration leaves them.

A sticker is a picture's content; a placement is where a loader found it. What is said about a sticker stands in
``readings``, one row for each source that spoke, empty texts included, so that nothing is asked twice.
People's words stand apart in ``edits``, where no source writes.

Several collections may share a catalog: a placement, and a reading of a loader, belong to the one that took them in.
``forgotten`` holds keyed marks of people who were forgotten, ``clean_builds`` in which builds nothing is left of them;
``served_builds`` says which builds' words must stay,
since a version somewhere answers with them.

Every change that may show in a sticker's point gives the sticker a new ``revision``. A build's row in ``vocabularies``
says up to which revision its points are made; ``indexed_stickers`` holds what each point was made from.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)

from persrv.catalog.columns import JsonText, Moment, PlainText, UserId

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")


def _sticker_id() -> Column[str]:
    return Column("sticker_id", PlainText, ForeignKey("stickers.id"), nullable=False)


stickers = Table(
    "stickers",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("format", PlainText, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Index(None, "revision", "id"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

placements = Table(
    "placements",
    metadata,
    Column("collection", PlainText, primary_key=True, server_default=""),
    Column("loader", PlainText, primary_key=True),
    Column("key", PlainText, primary_key=True),
    _sticker_id(),
    Column("pack", PlainText, nullable=False),
    Column("path", PlainText),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("language", PlainText, nullable=False),
    Column("rating", PlainText, nullable=False),
    Column("style", PlainText, nullable=False),
    Column("digest", PlainText, nullable=False, server_default=""),
    Column("state", PlainText, nullable=False, server_default=""),
    Index(None, "sticker_id"),
)

readings = Table(
    "readings",
    metadata,
    Column("sticker_id", PlainText, ForeignKey("stickers.id"), primary_key=True),
    Column("collection", PlainText, primary_key=True, server_default=""),
    Column("source", PlainText, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("model", PlainText, nullable=False),
    Column("texts", JsonText, nullable=False),
    Column("read_at", Moment, nullable=False),
)

edits = Table(
    "edits",
    metadata,
    Column("id", _Number, primary_key=True),
    _sticker_id(),
    Column("field", PlainText, nullable=False),
    Column("phrases", JsonText),
    Column("editor", PlainText, nullable=False),
    Column("edited_at", Moment, nullable=False),
    Index(None, "sticker_id", "field"),
    Index(None, "editor"),
)

interactions = Table(
    "interactions",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("digest", PlainText, nullable=False),
    Column("user", UserId, nullable=False),
    Column("query", PlainText, nullable=False),
    Column("folded_query", PlainText, nullable=False),
    _sticker_id(),
    Column("time", Moment, nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("pick_id", PlainText),
    UniqueConstraint("digest"),
    Index(None, "user", "pick_id", unique=True),
    Index(None, "sticker_id", "user", "folded_query"),
    Index(None, "folded_query", "user"),
    Index(None, "user", "time"),
    Index(None, "time", "id"),
)

pick_totals = Table(
    "pick_totals",
    metadata,
    Column("sticker_id", PlainText, ForeignKey("stickers.id"), primary_key=True),
    Column("picks", BigInteger, nullable=False),
    Column("users", BigInteger, nullable=False),
    Column("queries", BigInteger, nullable=False),
    Column("last", Moment, nullable=False),
    sqlite_with_rowid=False,
)

picked_queries = Table(
    "picked_queries",
    metadata,
    Column("sticker_id", PlainText, ForeignKey("stickers.id"), primary_key=True),
    Column("folded_query", PlainText, primary_key=True),
    Column("people", Integer, nullable=False),
    sqlite_with_rowid=False,
)

picked_words = Table(
    "picked_words",
    metadata,
    Column("sticker_id", PlainText, ForeignKey("stickers.id"), primary_key=True),
    Column("word", PlainText, primary_key=True),
    Column("people", Integer, nullable=False),
    sqlite_with_rowid=False,
)

query_words = Table(
    "query_words",
    metadata,
    Column("word", PlainText, primary_key=True),
    Column("folded_query", PlainText, primary_key=True),
    Index(None, "folded_query"),
    sqlite_with_rowid=False,
)

typed_words = Table(
    "typed_words",
    metadata,
    Column("word", PlainText, primary_key=True),
    Column("stickers", Integer, nullable=False),
    sqlite_with_rowid=False,
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("mark", PlainText, primary_key=True),
    Column("forgotten_at", Moment, nullable=False),
    Column("number", BigInteger, nullable=False, server_default="0"),
)

clean_builds = Table(
    "clean_builds",
    metadata,
    Column("mark", PlainText, primary_key=True),
    Column("place", PlainText, primary_key=True),
    Column("builds", JsonText, nullable=False),
)

served_builds = Table(
    "served_builds",
    metadata,
    Column("place", PlainText, primary_key=True),
    Column("build", PlainText, primary_key=True),
)

impressions = Table(
    "impressions",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("experiment", PlainText, nullable=False),
    Column("settings", PlainText, nullable=False),
    Column("user", UserId, nullable=False),
    Column("query", PlainText, nullable=False),
    Column("time", Moment, nullable=False),
    Column("shown", JsonText, nullable=False),
    Index(None, "experiment", "time", "id"),
    Index(None, "user"),
)

notes = Table(
    "notes",
    metadata,
    Column("key", PlainText, primary_key=True),
    Column("content", JsonText),
)

vocabularies = Table(
    "vocabularies",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("build", PlainText, nullable=False),
    Column("documents", BigInteger, nullable=False, server_default="0"),
    Column("applied", BigInteger, nullable=False, server_default="0"),
    Column("fitted", BigInteger, nullable=False, server_default="0"),
    Column("lengths", JsonText),
    Column("fit", JsonText),
    UniqueConstraint("build"),
)

vocabulary_words = Table(
    "vocabulary_words",
    metadata,
    Column("vocabulary_id", _Number, ForeignKey("vocabularies.id"), primary_key=True),
    Column("token", PlainText, primary_key=True),
    Column("documents", Integer, nullable=False),
    Column("surfaces", JsonText),
    sqlite_with_rowid=False,
)

indexed_stickers = Table(
    "indexed_stickers",
    metadata,
    Column("vocabulary_id", _Number, ForeignKey("vocabularies.id"), primary_key=True),
    Column("sticker_id", PlainText, primary_key=True),
    Column("terms", LargeBinary, nullable=False),
    Column("group_id", PlainText, nullable=False),
    sqlite_with_rowid=False,
)
# Few stickers have a copy, so the index holds few of them. PostgreSQL's has the same condition, from its migration;
# named here, it would load that dialect at every start: a twentieth of the imports.
Index(
    "ix_indexed_stickers_group_id",
    indexed_stickers.c.vocabulary_id,
    indexed_stickers.c.group_id,
    sqlite_where=indexed_stickers.c.group_id != "",
)

removed_stickers = Table(
    "removed_stickers",
    metadata,
    Column("collection", PlainText, primary_key=True),
    Column("sticker_id", PlainText, primary_key=True),
    Column("removed_at", Moment, nullable=False),
)

unfitted_users = Table(
    "unfitted_users",
    metadata,
    Column("vocabulary_id", _Number, ForeignKey("vocabularies.id"), primary_key=True),
    Column("user", PlainText, primary_key=True),
)

marks = Table(
    "marks",
    metadata,
    Column("user", UserId, primary_key=True),
    Column("kind", PlainText, primary_key=True),
    Column("sticker_id", PlainText, ForeignKey("stickers.id"), primary_key=True),
    Column("marked_at", Moment, nullable=False),
)
