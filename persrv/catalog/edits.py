"""People's corrections, which no source overwrites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from persrv.catalog.database import Part
from persrv.catalog.phrases import strings, tidy
from persrv.catalog.revisions import mark_changed
from persrv.catalog.semantics import require
from persrv.catalog.tables import edits
from persrv.errors import CatalogError
from persrv.records import FIELDS, check_user

SCALARS = ("language", "rating", "style")
"""Editable fields that hold one value."""

EDITABLE = (*FIELDS, *SCALARS)
"""Every field that a person may edit."""

_RATINGS = ("safe", "unsafe", "")


@dataclass(frozen=True, slots=True)
class Edit:
    """One correction.

    Attributes:
        field: One of :data:`EDITABLE`.
        values: The field's whole content, ``None`` where the person gave it back to the sources.
        editor: Who, ``""`` where nobody said or they asked to be forgotten.
        edited_at: When, UTC.
    """

    field: str
    values: tuple[str, ...] | None
    editor: str
    edited_at: datetime


class Edits(Part):
    """Edits and their history."""

    def edit(self, sticker_id: str, field: str, values: Iterable[str], editor: str) -> None:
        """Set a field to exactly these values, whatever the sources say now or later.

        Args:
            sticker_id: A full id; the sticker need not be listed.
            field: One of :data:`EDITABLE`.
            values: Phrases, none for an empty field; for a field of :data:`SCALARS` exactly one.
            editor: Who edits.

        Raises:
            NotFoundError: There is no such sticker.
            CatalogError: There is no such field, or it cannot have these values.
        """
        self._append(sticker_id, field, _checked(field, values), editor)

    def reset(self, sticker_id: str, field: str, editor: str = "") -> None:
        """Give a field back to the sources.

        Raises:
            NotFoundError: There is no such sticker.
            CatalogError: There is no such field.
        """
        _check_field(field)
        self._append(sticker_id, field, None, editor)

    def edits(self, sticker_id: str) -> list[Edit]:
        """Return a sticker's edits, oldest first.

        Raises:
            NotFoundError: There is no such sticker.
        """
        with self._database.read() as connection:
            require(connection, [sticker_id])
            rows = connection.execute(select(edits).where(edits.c.sticker_id == sticker_id).order_by(edits.c.id))
            return [edit_of(row) for row in rows]

    def _append(self, sticker_id: str, field: str, values: list[str] | None, editor: str) -> None:
        with self._database.write(durable=True) as connection:
            require(connection, [sticker_id])
            name = check_user(editor) if editor else ""
            row = {"sticker_id": sticker_id, "field": field, "phrases": values, "editor": name}
            connection.execute(insert(edits), row | {"edited_at": datetime.now(UTC)})
            mark_changed(connection, [sticker_id])


def edit_of(row: Row[Any]) -> Edit:
    """Return the edit of a row of ``edits``."""
    return Edit(row.field, None if row.phrases is None else strings(row.phrases), row.editor, row.edited_at)


def edits_of(connection: Connection, sticker_ids: Sequence[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return sticker id to field to the edit that holds, for at most one chunk of stickers."""
    newest = (
        select(func.max(edits.c.id))
        .where(edits.c.sticker_id.in_(sticker_ids))
        .group_by(edits.c.sticker_id, edits.c.field)
    )
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in connection.execute(select(edits).where(edits.c.id.in_(newest), edits.c.phrases.is_not(None))):
        found.setdefault(row.sticker_id, {})[row.field] = strings(row.phrases)
    return found


def _check_field(field: str) -> None:
    if field not in EDITABLE:
        raise CatalogError(f"a sticker has no field {field!r}", f"use one of {', '.join(EDITABLE)}")


def _checked(field: str, values: Iterable[str]) -> list[str]:
    _check_field(field)
    if isinstance(values, str):
        raise CatalogError(f"{field} wants a list of phrases, not the text {values!r}", f"give [{values!r}]")
    if field not in SCALARS:
        return list(tidy(values))
    given = [value.strip() for value in values]
    if len(given) != 1:
        raise CatalogError(f"{field} holds one value, not {len(given)}", "give exactly one")
    if field == "rating" and given[0] not in _RATINGS:
        raise CatalogError(f"{given[0]!r} is no rating", f"use one of {', '.join(map(repr, _RATINGS))}")
    return given
