"""The catalog's tables, as the newest migration leaves them.

A sticker is a picture's content; a placement is where a loader found it. What is said about a sticker stands in
``readings``, one row for each source that spoke, empty texts included, so that nothing is asked twice.
People's words stand apart in ``edits``, where no source writes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint

from persrv.catalog.columns import JsonText, Moment, PlainText

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
)

placements = Table(
    "placements",
    metadata,
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
    Index(None, "sticker_id"),
)

readings = Table(
    "readings",
    metadata,
    Column("sticker_id", PlainText, ForeignKey("stickers.id"), primary_key=True),
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
)

interactions = Table(
    "interactions",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("digest", PlainText, nullable=False),
    Column("user", PlainText, nullable=False),
    Column("query", PlainText, nullable=False),
    Column("folded_query", PlainText, nullable=False),
    _sticker_id(),
    Column("time", Moment, nullable=False),
    Column("kind", PlainText, nullable=False),
    UniqueConstraint("digest"),
    Index(None, "sticker_id"),
    Index(None, "user", "time"),
    Index(None, "time", "id"),
)

impressions = Table(
    "impressions",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("experiment", PlainText, nullable=False),
    Column("settings", PlainText, nullable=False),
    Column("user", PlainText, nullable=False),
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
    UniqueConstraint("build"),
)

vocabulary_tokens = Table(
    "vocabulary_tokens",
    metadata,
    Column("vocabulary_id", _Number, ForeignKey("vocabularies.id"), nullable=False),
    Column("token", PlainText, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("surface", PlainText),
    Index(None, "vocabulary_id"),
)
