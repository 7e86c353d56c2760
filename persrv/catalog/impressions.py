"""What people were shown while two rankings are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import and_, insert, or_, select

from persrv.catalog.columns import Json
from persrv.catalog.database import Part
from persrv.catalog.tables import impressions
from persrv.errors import CatalogError
from persrv.records import Impression, Side

_PAGE = 1000
_SIDES: dict[str, Side] = {"a": "a", "b": "b", "": ""}


class Impressions(Part):
    """The log of compared answers."""

    def put_impressions(self, batch: Iterable[Impression]) -> None:
        """Store impressions in one transaction.

        Raises:
            QueryError: A user's id is refused; nothing is stored then.
            CatalogError: A time has no zone; nothing is stored then.
        """
        rows = [
            {
                "experiment": impression.experiment,
                "settings": impression.settings,
                "user": impression.user,
                "query": impression.query,
                "time": impression.time,
                "shown": [[sticker_id, side] for sticker_id, side in impression.shown.items()],
            }
            for impression in batch
        ]
        if not rows:
            return
        with self._database.write() as connection:
            connection.execute(insert(impressions), rows)

    def impressions(self, experiment: str | None = None, user: str | None = None) -> Iterator[Impression]:
        """Walk through impressions by time, those of one moment in the order in which they were stored.

        Args:
            experiment: Only of this one.
            user: Only theirs.

        Raises:
            CatalogError: A row was written by something else.
        """
        table = impressions
        wanted = select(table).order_by(table.c.time, table.c.id).limit(_PAGE)
        if experiment is not None:
            wanted = wanted.where(table.c.experiment == experiment)
        if user is not None:
            wanted = wanted.where(table.c.user == user)
        page = wanted
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            for row in rows:
                yield Impression(row.experiment, row.settings, row.user, row.query, row.time, _shown(row.shown))
            if len(rows) < _PAGE:
                return
            last = rows[-1]
            page = wanted.where(
                table.c.time >= last.time,
                or_(table.c.time > last.time, and_(table.c.time == last.time, table.c.id > last.id)),
            )


def _shown(content: Json) -> dict[str, Side]:
    pairs = [pair for pair in content if isinstance(pair, list) and len(pair) == 2] if isinstance(content, list) else []
    shown = {str(sticker_id): _SIDES[side] for sticker_id, side in pairs if isinstance(side, str) and side in _SIDES}
    if not isinstance(content, list) or len(shown) != len(content):
        problem = f"the catalog holds {content!r} where an impression's stickers should be"
        raise CatalogError(problem, "restore a backup")
    return shown
