"""How often each sticker was picked, kept as picks come."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and sum over the picks that are there."""
    op.create_table(
        "pick_totals",
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("picks", sa.BigInteger(), nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False),
        sa.Column("queries", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sticker_id", name="pk_pick_totals"),
        sa.ForeignKeyConstraint(["sticker_id"], ["stickers.id"], name="fk_pick_totals_sticker_id"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO pick_totals (sticker_id, picks, users, queries, last)"
        ' SELECT sticker_id, count(*), count(DISTINCT "user"), count(DISTINCT nullif(folded_query, \'\')), max("time")'
        " FROM interactions GROUP BY sticker_id"
    )
