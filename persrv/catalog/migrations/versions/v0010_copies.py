"""Finds the near-duplicates of a sticker."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the groups of near-duplicates."""
    grouped = sa.text("group_id != ''")
    op.create_index(
        "ix_indexed_stickers_group_id",
        "indexed_stickers",
        ["vocabulary_id", "group_id"],
        sqlite_where=grouped,
        postgresql_where=grouped,
    )
