"""In which builds nothing is left of the forgotten, and whose edits are whose."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty: of whom was forgotten before, all builds are cleaned once more on demand."""
    op.create_table(
        "clean_builds",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("builds", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mark", "place", name="pk_clean_builds"),
    )
    op.create_index("ix_edits_editor", "edits", ["editor"])
