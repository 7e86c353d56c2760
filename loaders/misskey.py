"""Custom emoji of Misskey: an export with ``meta.json``, whose emoji have names, categories and other names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persrv.offline.sources.files_beside import file_below
from persrv.offline.sources.json_files import find_tables, rows, table, text, texts
from persrv.offline.sources.packs import named
from persrv.records import Skipped, SourceSticker

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "custom emoji of Misskey"
KEEPS = "custom emoji with names and other names, categories as packs, what is marked as sensitive"
LEAVES = "licences, hosts"


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no JSON in it is such an export's."""
    return TITLE if any(True for _ in find_tables(source, _is_export)) else ""


def stickers(source: Path) -> Iterator[SourceSticker | Skipped]:
    """Yield the emoji in the order of the export; those that are marked as sensitive are unsafe."""
    for file, content in find_tables(source, _is_export):
        root = file.parent.resolve()
        for entry in rows(content["emojis"]):
            about = table(entry.get("emoji"))
            name, place = text(about.get("name")), text(entry.get("fileName"))
            path = file_below(root, place)
            if path is None:
                yield Skipped(name or place, "the export names it, its picture is not there")
                continue
            yield SourceSticker(
                key=path.relative_to(root).as_posix(),
                path=path,
                pack=text(about.get("category")),
                semantics=named(name, tags=texts(about.get("aliases"))),
                rating="unsafe" if about.get("isSensitive") is True else "",
            )


def _is_export(content: Any) -> bool:
    return "metaVersion" in table(content) and bool(rows(content.get("emojis")))
