"""The state of the files that a sticker was read from, by which a later build knows that it need not read them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the states; empty ones equal none, so that all is read once more."""
    op.add_column("placements", sa.Column("state", sa.Text(), nullable=False, server_default=""))
