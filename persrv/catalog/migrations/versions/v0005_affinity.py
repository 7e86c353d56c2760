"""How many people picked a sticker for a query, and for each word of it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the counts, and indexes by which a pick finds those before it; the next build counts old picks."""
    op.drop_index("ix_interactions_sticker_id", "interactions")
    op.create_index(
        "ix_interactions_sticker_id_user_folded_query", "interactions", ["sticker_id", "user", "folded_query"]
    )
    op.create_index("ix_interactions_folded_query_user", "interactions", ["folded_query", "user"])
    for table, text in (("picked_queries", "folded_query"), ("picked_words", "word")):
        op.create_table(
            table,
            sa.Column("sticker_id", sa.Text(), nullable=False),
            sa.Column(text, sa.Text(), nullable=False),
            sa.Column("people", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("sticker_id", text, name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["sticker_id"], ["stickers.id"], name=f"fk_{table}_sticker_id"),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "query_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("folded_query", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", "folded_query", name="pk_query_words"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_query_words_folded_query", "query_words", ["folded_query"])
    op.create_table(
        "typed_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("stickers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_typed_words"),
        sqlite_with_rowid=False,
    )
