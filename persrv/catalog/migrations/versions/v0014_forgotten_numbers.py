"""The order in which people were forgotten: a clock that is set back does not tell it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the numbers; all who were forgotten before come first."""
    op.add_column("forgotten", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0"))
