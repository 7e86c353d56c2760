"""Whether the database holds together."""

from __future__ import annotations

from persrv.catalog.database import Part

_MOST = 5


class Integrity(Part):
    """What the database itself can say of its state."""

    def damage(self) -> list[str]:
        """Return what is wrong with the database, a few findings at most; reads all of it.

        SQLite is asked about its pages, indexes and references. PostgreSQL keeps check sums of its own.

        Raises:
            CatalogError: The database cannot be read at all.
        """
        if self._database.dialect != "sqlite":
            return []
        found = [str(row[0]) for row in self._database.ask(f"PRAGMA integrity_check({_MOST})", ())]
        if found != ["ok"]:
            return [finding.strip().splitlines()[-1] for finding in found]
        broken = self._database.ask("PRAGMA foreign_key_check", ())
        return [f"a row of {row[0]} names a row of {row[2]} that is not there" for row in broken[:_MOST]]
