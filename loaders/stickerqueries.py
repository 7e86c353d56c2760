"""StickerQueries (arXiv 2506.01668): tables of stickers with the queries that people wrote, and the stickers' files.

``stickers_queries_en_released.csv`` and ``stickers_queries_zh_released.csv`` have ``sticker_id`` (a path) and
``labeled_queries``, separated by commas; the files lie in ``stickers``. Who wrote a query is not published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from persrv.errors import SourceError
from persrv.offline.rows import Columns, read_rows
from persrv.offline.sources.files_beside import file_below
from persrv.offline.sources.json_files import text
from persrv.offline.sources.packs import merged
from persrv.records import Semantics, Skipped, SourceSticker

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "StickerQueries"
KEEPS = "stickers with the queries that people wrote for them"
LEAVES = "nothing"

_COLUMNS = {"sticker_id": "key", "labeled_queries": "queries"}
_NEEDED = ("key", "queries")
_BETWEEN = re.compile(r"[,，]")


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no table in it has these columns."""
    return TITLE if _tables(source) else ""


def stickers(source: Path) -> Iterator[SourceSticker | Skipped]:
    """Yield the stickers of all tables; one that is in two of them has the queries of both.

    Raises:
        SourceError: There is no such table.
    """
    tables = _tables(source)
    if not tables:
        raise SourceError(f"{source} holds no table with sticker_id and labeled_queries", "name the data set's folder")
    found: dict[str, SourceSticker] = {}
    for file in tables:
        root = file.parent.resolve()
        language = "zh" if "zh" in file.stem else "en" if "en" in file.stem else ""
        for row in read_rows(file, Columns(_COLUMNS, frozenset(), _NEEDED)):
            key = text(row.cells.get("key"))
            if row.problem or not key:
                yield Skipped(row.place, row.problem or "sticker_id is empty")
                continue
            queries = tuple(q.strip() for q in _BETWEEN.split(text(row.cells.get("queries"))) if q.strip())
            path = file_below(root, key) or file_below(root, f"stickers/{key}")
            sticker = SourceSticker(key, path, semantics=Semantics(queries=queries), language=language)
            before = found.get(key)
            found[key] = replace(before, semantics=merged(before.semantics, sticker.semantics)) if before else sticker
    yield from found.values()


def _tables(source: Path) -> list[Path]:
    files = [source] if source.is_file() else sorted(islice(source.glob("*.csv"), 100))
    return [file for file in files if file.suffix.lower() == ".csv" and _fits(file)]


def _fits(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as content:
            header = content.readline(1000)
    except OSError:
        return False
    return "sticker_id" in header and "labeled_queries" in header
