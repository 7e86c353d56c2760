"""Runs the migrations on the connection, and in the transaction, that the catalog hands over."""

from alembic import context

from persrv.catalog.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
