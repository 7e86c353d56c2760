"""Stickers, where they were found, what is said about them, people's edits, and interactions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "stickers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stickers"),
    )
    op.create_table(
        "placements",
        sa.Column("loader", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("path", sa.Text()),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("rating", sa.Text(), nullable=False),
        sa.Column("style", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("loader", "key", name="pk_placements"),
        sa.ForeignKeyConstraint(["sticker_id"], ["stickers.id"], name="fk_placements_sticker_id"),
    )
    op.create_index("ix_placements_sticker_id", "placements", ["sticker_id"])
    op.create_table(
        "readings",
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sticker_id", "source", "key", name="pk_readings"),
        sa.ForeignKeyConstraint(["sticker_id"], ["stickers.id"], name="fk_readings_sticker_id"),
    )
    op.create_table(
        "edits",
        sa.Column("id", _Number, nullable=False),
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("phrases", sa.Text()),
        sa.Column("editor", sa.Text(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_edits"),
        sa.ForeignKeyConstraint(["sticker_id"], ["stickers.id"], name="fk_edits_sticker_id"),
    )
    op.create_index("ix_edits_sticker_id_field", "edits", ["sticker_id", "field"])
    op.create_table(
        "interactions",
        sa.Column("id", _Number, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("folded_query", sa.Text(), nullable=False),
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interactions"),
        sa.UniqueConstraint("digest", name="uq_interactions_digest"),
        sa.ForeignKeyConstraint(["sticker_id"], ["stickers.id"], name="fk_interactions_sticker_id"),
    )
    op.create_index("ix_interactions_sticker_id", "interactions", ["sticker_id"])
    op.create_index("ix_interactions_user_time", "interactions", ["user", "time"])
    op.create_index("ix_interactions_time_id", "interactions", ["time", "id"])
    op.create_table(
        "notes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.Text()),
        sa.PrimaryKeyConstraint("key", name="pk_notes"),
    )
