"""Tables of stickers or picks: CSV, TSV, JSONL (one object a line) or Parquet, with or without pictures.

Columns are known by these names; the option ``columns = "docid=key,text=description"`` says what others mean::

    stickers       key (or sticker_id, docid, id), path (or picture, image, file), pack, language, rating, style,
                   and the fields of persrv.records.Semantics; labeled_queries are queries separated by commas
    interactions   user (or uid, user_id), query, key (as above), time (or timestamp), kind

Several phrases in one cell are separated by ``;`` or ``|``, or are a JSON list; ``description`` and ``ocr`` are one
text. Rows of one key that follow each other are one sticker with the texts of all. A row that cannot be used is
reported with its line number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from persrv.offline.rows import Cells, Columns, Row, read_rows
from persrv.records import FIELDS, PICK_KINDS, Semantics, Skipped, SourcePick, SourceSticker

ONLY_SOURCE = True

_KEY = {"key": "key", "sticker_id": "key", "docid": "key", "id": "key"}
_PATH = {"path": "path", "picture": "path", "image": "path", "file": "path"}
_USER = {"user": "user", "uid": "user", "user_id": "user"}
_TIME = {"time": "time", "timestamp": "time"}
_STICKERS = _KEY | _PATH | {name: name for name in (*FIELDS, "language", "rating", "style", "labeled_queries")}
_PICKS = _USER | _KEY | _TIME | {"query": "query", "kind": "kind"}
_RATINGS = ("safe", "unsafe", "")
_ONE_TEXT = frozenset({"description", "ocr"})
_BETWEEN_PHRASES = re.compile(r"[;|]")
_BETWEEN_QUERIES = re.compile(r"[,，]")


class _CellError(Exception):
    """A cell cannot be used; its text says why."""


def stickers(source: Path, columns: str = "", encoding: str = "") -> Iterator[SourceSticker | Skipped]:
    """Yield the table's stickers in the order of its rows.

    Args:
        source: The table. Its pictures' paths are relative to its folder, and must stay inside.
        columns: What columns of other names mean, ``"docid=key,text=description"``.
        encoding: Of CSV, TSV and JSONL; default UTF-8, or what the byte order mark says.

    Raises:
        RecipeError: An option says something impossible.
        SourceError: The table cannot be read, or has no column for the key.
        MissingExtraError: A Parquet file, and pyarrow is not installed.
    """
    last: SourceSticker | None = None
    places: dict[str, str] = {}
    for row in read_rows(source, Columns.parse(columns, _STICKERS, ("key",)), encoding):
        found = _sticker_or_report(row, source.parent)
        if isinstance(found, SourceSticker) and found.key in places:
            if last is not None and last.key == found.key:
                last = _joined(last, found)
                continue
            reason = f"its key {found.key!r} stood in {places[found.key]}; rows of one key must follow each other"
            found = Skipped(row.place, reason)
        if last is not None:
            yield last
            last = None
        if isinstance(found, Skipped):
            yield found
        else:
            last, places[found.key] = found, row.place
    if last is not None:
        yield last


def interactions(source: Path, columns: str = "", encoding: str = "") -> Iterator[SourcePick | Skipped]:
    """Yield the table's picks in the order of its rows.

    A time is a number of seconds since 1970 (all digits are read so), or ISO 8601 as in ``2026-01-31T09:30:00+01:00``;
    without a zone it is UTC.

    Args:
        source: The table.
        columns: As for :func:`stickers`.
        encoding: As for :func:`stickers`.

    Raises:
        RecipeError: An option says something impossible.
        SourceError: The table cannot be read, or has no column for user, query or key.
        MissingExtraError: A Parquet file, and pyarrow is not installed.
    """
    for row in read_rows(source, Columns.parse(columns, _PICKS, ("user", "query", "key")), encoding):
        try:
            yield Skipped(row.place, row.problem) if row.problem else _pick(row.cells)
        except _CellError as error:
            yield Skipped(row.place, str(error))


def _sticker_or_report(row: Row, root: Path) -> SourceSticker | Skipped:
    if row.problem:
        return Skipped(row.place, row.problem)
    try:
        return _sticker(row.cells, root)
    except _CellError as error:
        return Skipped(row.place, str(error))


def _sticker(cells: Cells, root: Path) -> SourceSticker:
    key = _required(cells, "key")
    texts = {name: _phrases(name, cells[name]) for name in FIELDS if name != "pack" and name in cells}
    labeled = _BETWEEN_QUERIES.split(_text("labeled_queries", cells.get("labeled_queries")))
    texts["queries"] = texts.get("queries", ()) + tuple(query.strip() for query in labeled if query.strip())
    rating = _text("rating", cells.get("rating"))
    if rating not in _RATINGS:
        raise _CellError(f"rating {rating!r} is neither safe nor unsafe")
    return SourceSticker(
        key=key,
        path=_picture(_text("path", cells.get("path")), root),
        pack=_text("pack", cells.get("pack")),
        semantics=Semantics(**texts),
        language=_text("language", cells.get("language")),
        rating=rating,
        style=_text("style", cells.get("style")),
    )


def _joined(first: SourceSticker, second: SourceSticker) -> SourceSticker:
    """Return the first with the texts of both, and what only the second says."""
    texts = {
        name: tuple(dict.fromkeys((*getattr(first.semantics, name), *getattr(second.semantics, name))))
        for name in FIELDS
    }
    return replace(
        first,
        path=first.path or second.path,
        pack=first.pack or second.pack,
        semantics=Semantics(**texts),
        language=first.language or second.language,
        rating="unsafe" if "unsafe" in (first.rating, second.rating) else first.rating or second.rating,
        style=first.style or second.style,
    )


def _pick(cells: Cells) -> SourcePick:
    given = _text("kind", cells.get("kind")) or "pick"
    kind = next((known for known in PICK_KINDS if known == given), None)
    if kind is None:
        raise _CellError(f"kind {given!r} is none of {', '.join(PICK_KINDS)}")
    return SourcePick(
        user=_required(cells, "user"),
        query=_text("query", cells.get("query")),
        key=_required(cells, "key"),
        time=_time(cells.get("time")),
        kind=kind,
    )


def _required(cells: Cells, name: str) -> str:
    text = _text(name, cells.get(name))
    if not text:
        raise _CellError(f"{name} is empty")
    return text


def _text(name: str, cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise _CellError(f"{name} = {cell!r:.80} is no text")
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
    if not text.isascii() and text != text.encode("utf-8", "replace").decode():
        raise _CellError(f"{name} = {text!a:.80} is not valid text")
    return text


def _phrases(name: str, cell: object) -> tuple[str, ...]:
    parts: list[object]
    if isinstance(cell, list):
        parts = cell
    elif name in _ONE_TEXT:
        parts = [cell]
    else:
        parts = _parts(_text(name, cell))
    return tuple(phrase for part in parts if (phrase := _text(name, part)))


def _parts(text: str) -> list[object]:
    if text.startswith("["):
        try:
            return list(json.loads(text))
        except (ValueError, RecursionError):
            return list(_BETWEEN_PHRASES.split(text))
    return list(_BETWEEN_PHRASES.split(text))


def _picture(place: str, root: Path) -> Path | None:
    if not place:
        return None
    try:
        path = (root / place).resolve()
        inside = path.is_relative_to(root.resolve()) and not Path(place).is_absolute()
        there = inside and path.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # a link to itself is a RuntimeError before Python 3.13
        raise _CellError(f"path {place!r} is impossible: {error}") from error
    if not inside:
        raise _CellError(f"path {place!r} leaves the table's folder")
    if not there:
        raise _CellError(f"there is no picture {place!r}")
    return root / place


def _time(cell: object) -> datetime | None:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell.astimezone(UTC)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
    text = _text("time", cell)
    if not text:
        return None
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (OverflowError, OSError):
        raise _CellError(f"time {text!r} is no number of seconds since 1970") from None
    except ValueError:
        pass
    try:
        return _time(datetime.fromisoformat(text))
    except (OverflowError, ValueError):
        raise _CellError(f"time {text!r} is neither ISO 8601 nor a number of seconds since 1970") from None
