"""Stickers that a person removed, and people whose profiles wait to be fitted again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "removed_stickers",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("collection", "sticker_id", name="pk_removed_stickers"),
    )
    op.create_table(
        "unfitted_users",
        sa.Column("vocabulary_id", _Number, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vocabulary_id", "user", name="pk_unfitted_users"),
        sa.ForeignKeyConstraint(["vocabulary_id"], ["vocabularies.id"], name="fk_unfitted_users_vocabulary_id"),
    )
