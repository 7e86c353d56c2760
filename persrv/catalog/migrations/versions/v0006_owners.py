"""Stickers belong to a collection; picks have their caller's id; people who were forgotten; builds that are in use."""

import sqlalchemy as sa
from alembic import context, op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give what is there to the collection that opens the catalog."""
    owner = str(context.config.attributes.get("collection", ""))
    for table, keys in (
        ("placements", ["collection", "loader", "key"]),
        ("readings", ["sticker_id", "collection", "source", "key"]),
    ):
        op.add_column(table, sa.Column("collection", sa.Text(), nullable=False, server_default=""))
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", keys)
    placements = sa.table("placements", sa.column("collection"))
    readings = sa.table("readings", sa.column("collection"), sa.column("source"))
    op.execute(sa.update(placements).values(collection=owner))
    op.execute(sa.update(readings).where(readings.c.source.startswith("loader:")).values(collection=owner))
    op.add_column("interactions", sa.Column("pick_id", sa.Text()))
    op.create_index("ix_interactions_user_pick_id", "interactions", ["user", "pick_id"], unique=True)
    op.create_table(
        "forgotten",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_forgotten"),
    )
    op.create_table(
        "served_builds",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("build", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", "build", name="pk_served_builds"),
    )
