"""The vocabulary of each build, which spelling correction reads."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the vocabulary's tables."""
    op.create_table(
        "vocabularies",
        sa.Column("id", _Number, nullable=False),
        sa.Column("build", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vocabularies"),
        sa.UniqueConstraint("build", name="uq_vocabularies_build"),
    )
    op.create_table(
        "vocabulary_tokens",
        sa.Column("vocabulary_id", _Number, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("surface", sa.Text()),
        sa.ForeignKeyConstraint(["vocabulary_id"], ["vocabularies.id"], name="fk_vocabulary_tokens_vocabulary_id"),
    )
    op.create_index("ix_vocabulary_tokens_vocabulary_id", "vocabulary_tokens", ["vocabulary_id"])
