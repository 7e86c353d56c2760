"""Brings a database's schema to the version that this code speaks."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from persrv.errors import CatalogError

VERSION_TABLE = "persrv_schema"
"""Holds the revision; a name of our own, so that the database can serve other programs too."""

_UPGRADE_LOCK = 0x7065727372762E31
"""Key of PostgreSQL's advisory lock that lets one process upgrade while the others wait."""


_FOLDER = Path(__file__).resolve().parent / "migrations"
_SCRIPT = "v[0-9]*_*.py"


def newest_revision() -> str:
    """Return the revision of this code: the largest number of a migration's file, such as ``0007``."""
    return max(file.name[1:].partition("_")[0] for file in (_FOLDER / "versions").glob(_SCRIPT))


def revision(connection: Connection) -> str | None:
    """Return the database's revision, ``None`` for one that persrv never used."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found


def upgrade(readers: Engine, writers: Engine, shown: str, target: str = "head", collection: str = "") -> None:
    """Upgrade the schema in one transaction, so that a failure leaves the database as it was.

    Args:
        readers: Begins transactions that only read, so that a lock keeps nobody from opening.
        writers: Begins transactions that may write.
        shown: The database's URL as it may be printed.
        target: The revision to stop at.
        collection: Who opens it; stickers of a time when catalogs had one collection become its own.

    Raises:
        CatalogError: The database is of a newer version than this code, or the upgrade failed.
    """
    with readers.connect() as connection:
        if revision(connection) == newest_revision():
            return
    # Alembic takes a fifth of a second to import, and most databases are up to date.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    settings.attributes["version_table"] = VERSION_TABLE
    scripts = ScriptDirectory.from_config(settings)
    with writers.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        current = revision(connection)
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise CatalogError(
                f"the catalog {shown} has schema {current}, this persrv knows up to {scripts.get_current_head()}",
                "update persrv, or open another catalog",
            )
        settings.attributes |= {"connection": connection, "collection": collection}
        try:
            command.upgrade(settings, target)
        except CommandError as error:
            raise CatalogError(f"the schema of {shown} cannot be upgraded: {error}", "restore a backup") from error
