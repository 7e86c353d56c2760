"""Emoji packs of Pleroma and Akkoma: ``pack.json`` with ``files``, an object from short codes to files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persrv.offline.sources.files_beside import file_below
from persrv.offline.sources.json_files import find_tables, table, text
from persrv.offline.sources.packs import named
from persrv.offline.sources.walking import folders_of
from persrv.records import Skipped, SourceSticker

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "emoji packs of Pleroma"
KEEPS = "custom emoji with their short codes, folders as packs"
LEAVES = "licences, where a pack was shared from"

_TABLE = "pack.json"


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no folder in it is such a pack."""
    return TITLE if any(True for _ in _packs(source)) else ""


def stickers(source: Path) -> Iterator[SourceSticker | Skipped]:
    """Yield the emoji of all packs in the order of their short codes."""
    root = source.resolve() if source.is_dir() else source.resolve().parent
    for file, content in _packs(source):
        folder = file.parent.resolve()
        about = table(content.get("pack"))
        pack = text(about.get("name")) or text(content.get("name")) or ("" if folder == root else folder.name)
        for code, place in sorted(table(content["files"]).items()):
            path = file_below(folder, text(place))
            if path is None:
                yield Skipped(f"{folder.name}/{code}", "pack.json names it, its picture is not there")
                continue
            key = path.relative_to(root).as_posix()
            yield SourceSticker(key=key, path=path, pack=pack, semantics=named(text(code)))


def _packs(source: Path) -> Iterator[tuple[Path, Any]]:
    folders = folders_of(source) if source.is_dir() else [source.parent] if source.name == _TABLE else []
    for folder in folders:
        yield from find_tables(folder / _TABLE, lambda content: bool(table(table(content).get("files"))))
