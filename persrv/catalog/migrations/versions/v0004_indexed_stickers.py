"""What each build's points were made from, so that a build finds what changed and its words stay counted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Number changes of stickers; keep each build's words by token, and its stickers' counted tokens."""
    op.add_column("stickers", sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_stickers_revision_id", "stickers", ["revision", "id"])
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    for name in ("documents", "applied", "fitted"):
        op.add_column("vocabularies", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("vocabularies", sa.Column("lengths", sa.Text()))
    op.add_column("vocabularies", sa.Column("fit", sa.Text()))
    op.create_table(
        "vocabulary_words",
        sa.Column("vocabulary_id", _Number, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("surfaces", sa.Text()),
        sa.PrimaryKeyConstraint("vocabulary_id", "token", name="pk_vocabulary_words"),
        sa.ForeignKeyConstraint(["vocabulary_id"], ["vocabularies.id"], name="fk_vocabulary_words_vocabulary_id"),
        sqlite_with_rowid=False,
    )
    # Builds from before are made anew, since their points lack what is counted here.
    op.drop_table("vocabulary_tokens")
    op.execute("DELETE FROM vocabularies")
    op.create_table(
        "indexed_stickers",
        sa.Column("vocabulary_id", _Number, nullable=False),
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vocabulary_id", "sticker_id", name="pk_indexed_stickers"),
        sa.ForeignKeyConstraint(["vocabulary_id"], ["vocabularies.id"], name="fk_indexed_stickers_vocabulary_id"),
        sqlite_with_rowid=False,
    )
