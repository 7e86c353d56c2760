"""What people set stickers apart by."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of marks."""
    op.create_table(
        "marks",
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sticker_id", sa.Text(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user", "kind", "sticker_id", name="pk_marks"),
        sa.ForeignKeyConstraint(["sticker_id"], ["stickers.id"], name="fk_marks_sticker_id"),
    )
