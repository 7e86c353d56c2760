"""Where a search goes on: what was shown, and what comes next, in one opaque text.

The cursor carries the ranking itself, so that it means the same in every process, after a pick and after a build:
nothing that was shown comes again, and nothing is left out because something else moved up.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from persrv.errors import QueryError

MOST_SHOWN = 160
"""Shown stickers that are remembered, the latest ones."""

MOST_COMING = 60
"""Stickers whose places are kept."""

_HEAD = struct.Struct(">B8sIHH")
_VERSION = 1
_ID = 16
LONGEST = 4 * -(-(_HEAD.size + _ID * (MOST_SHOWN + MOST_COMING)) // 3)
"""Letters of a cursor, at most: below 5 kB."""

_BAD = ("the cursor is not one that a search gave", "start again without a cursor")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place behind a page.

    Attributes:
        search: 8 bytes that say which search it belongs to, see :func:`search_mark`.
        before: Hits before the next page.
        shown: Ids of stickers that were shown, the latest :data:`MOST_SHOWN`.
        coming: Ids of the next ones, in their order.
    """

    search: bytes
    before: int
    shown: tuple[str, ...]
    coming: tuple[str, ...]

    def encode(self) -> str:
        """Return the text, of letters, digits, ``-`` and ``_``."""
        shown, coming = self.shown[-MOST_SHOWN:], self.coming[:MOST_COMING]
        head = _HEAD.pack(_VERSION, self.search, self.before, len(shown), len(coming))
        content = head + b"".join(map(bytes.fromhex, (*shown, *coming)))
        return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")

    @classmethod
    def decode(cls, text: object, search: bytes) -> Self:
        """Read what :meth:`encode` wrote.

        Args:
            text: The cursor.
            search: Of the search that it is used with.

        Raises:
            QueryError: It is something else, or belongs to another search.
        """
        if not isinstance(text, str):
            raise QueryError(*_BAD)
        try:
            content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            version, mark, before, shown, coming = _HEAD.unpack_from(content)
        except (ValueError, struct.error) as error:
            raise QueryError(*_BAD) from error
        ids = content[_HEAD.size :]
        if version != _VERSION or len(ids) != _ID * (shown + coming):
            raise QueryError(*_BAD)
        if mark != search:
            raise QueryError("the cursor belongs to another search", "give the same query, user, filters and weights")
        found = [ids[at : at + _ID].hex() for at in range(0, len(ids), _ID)]
        return cls(mark, before, tuple(found[:shown]), tuple(found[shown:]))


def search_mark(*parts: object) -> bytes:
    """Return 8 bytes that differ between searches; the parts are JSON values."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=8).digest()


def following(cursor: Cursor | None, search: bytes, before: int, page: Sequence[str], coming: Sequence[str]) -> Cursor:
    """Return the cursor behind a page.

    Args:
        cursor: The one that led to the page, ``None`` for none.
        search: See :func:`search_mark`.
        before: Hits up to the page's end.
        page: The page's ids.
        coming: Ids of what comes next.
    """
    return Cursor(search, before, (*(cursor.shown if cursor else ()), *page), tuple(coming))
