"""The door: what callers hand in is checked once, where it enters; what is wrong is a ``QueryError``.

Users' ids are checked by :func:`persrv.records.check_user`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from persrv.catalog import counted_time
from persrv.errors import CatalogError, QueryError

LONGEST_QUERY = 1000
"""Characters of a query; longer ones are refused."""

LARGEST_NUMBER = 2**31 - 1
"""Of a limit or an offset; engines count in 32 bits."""


def check_text(name: str, value: object, longest: int) -> str:
    """Return a text that every database, engine and terminal can take.

    Args:
        name: What it is, for the error's text.
        value: What was given.
        longest: Most characters.

    Raises:
        QueryError: It is no text, too long, or holds NUL or a lone surrogate.
    """
    if not isinstance(value, str):
        raise QueryError(f"{name} {value!r:.60} is not a text", "give a string")
    if len(value) > longest:
        raise QueryError(f"the {name} has {len(value)} characters", f"use at most {longest}")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise QueryError(f"{name} {value[:40]!r} holds NUL or half a character", "take it out")
    return value


def check_query(query: object) -> str:
    """Return what was typed.

    Raises:
        QueryError: As :func:`check_text`, with at most :data:`LONGEST_QUERY` characters.
    """
    return check_text("query", query, LONGEST_QUERY)


def check_number(name: str, value: object) -> int:
    """Return a whole number as ``int``.

    Raises:
        QueryError: It is none, or beyond :data:`LARGEST_NUMBER`.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise QueryError(f"{name} {value!r:.60} is not a whole number", "give an int")
    if abs(number) > LARGEST_NUMBER:
        raise QueryError(f"{name} {number:.3e} is too large", f"use at most {LARGEST_NUMBER}")
    return number


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Check that something is one of a few words.

    Raises:
        QueryError: It is another one.
    """
    if not isinstance(value, str) or value not in choices:
        raise QueryError(f"{name} {value!r:.60} is unknown", f"use one of {', '.join(choices)}")


def check_sticker(sticker: object) -> str | Path | bytes:
    """Return what names a sticker: an id or the beginning of one, a picture's path, or its bytes.

    Raises:
        QueryError: It is none of these.
    """
    if isinstance(sticker, str):
        return check_text("sticker", sticker, LONGEST_QUERY)
    if isinstance(sticker, bytes | Path):
        return sticker
    raise QueryError(f"sticker {sticker!r:.60} names no sticker", "give an id, a pathlib.Path or a picture's bytes")


def check_time(time: object, now: datetime) -> tuple[datetime, bool]:
    """Return when a pick counts as made, UTC, and whether that is another time than it is dated.

    Args:
        time: When the caller says, ``None`` for now.
        now: What this machine's clock says.

    Raises:
        QueryError: It is no time, has no zone, or does not exist in UTC.
    """
    if time is None:
        return now, False
    if not isinstance(time, datetime):
        raise QueryError(f"time {time!r:.60} is not a datetime", "give a timezone-aware datetime")
    if time.utcoffset() is None:
        raise QueryError(f"time {time.isoformat()} has no time zone", "give an offset, such as +00:00")
    try:
        counted = counted_time(time, now)
    except CatalogError as error:
        raise QueryError(error.problem, error.next_step) from error
    return counted.astimezone(UTC), counted is now
