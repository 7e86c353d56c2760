"""A digest of all that a loader said of a sticker, so that saying it again costs a comparison."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the digests; empty ones equal none, so that everything is compared in full once more."""
    op.add_column("placements", sa.Column("digest", sa.Text(), nullable=False, server_default=""))
