"""Column types that read and write the same values on every database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TypeAlias

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from persrv.errors import CatalogError
from persrv.records import check_user

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Whatever JSON can say."""


def storable(text: str) -> str:
    """Return ``text`` as every database can store it: without NUL, lone surrogates as ``?``."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def in_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC.

    Raises:
        CatalogError: It carries no time zone, or leaves the years 1 to 9999 in UTC.
    """
    if moment.utcoffset() is None:
        raise CatalogError(f"the time {moment.isoformat()} has no time zone", "give it one, such as datetime.UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise CatalogError(f"the time {moment.isoformat()} does not exist in UTC", "correct the time") from error


class PlainText(TypeDecorator[str]):
    """Text of any length, made storable by :func:`storable`, so that a lookup finds what was written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean what is written or looked up."""
        return None if value is None else storable(value)


class UserId(TypeDecorator[str]):
    """A user's id, checked by :func:`persrv.records.check_user` whether it is written or looked up."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Bring to its one spelling; what cannot be an id is a ``QueryError``. Only the start of a walk is empty."""
        return check_user(value) if value else value


class JsonText(TypeDecorator[Json]):
    """JSON as text that people can read: keys sorted, nothing escaped that need not be."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Json, dialect: Dialect) -> str | None:
        """Write JSON; ``None`` becomes NULL."""
        return (
            None if value is None else storable(json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False))
        )

    def process_result_value(self, value: str | None, dialect: Dialect) -> Json:
        """Read JSON; NULL becomes ``None``."""
        if value is None:
            return None
        content: Json = json.loads(value)
        return content


class Moment(TypeDecorator[datetime]):
    """A moment: timezone-aware in, UTC out, exact to the microsecond."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring to UTC; a time without a zone is a ``CatalogError``."""
        return None if value is None else in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Mark as UTC: SQLite forgets the zone, PostgreSQL answers in the session's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
