"""Custom emoji and stickers of a Discord server: its JSON beside the pictures, which are called by their ids or names.

The JSON is the server itself or what saves of it hold: ``emojis`` with ``id`` and ``name``, ``stickers`` with ``id``,
``name``, ``description`` and ``tags``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persrv.offline.sources.files_beside import by_stem
from persrv.offline.sources.json_files import find_tables, rows, table, text
from persrv.offline.sources.packs import merged, named
from persrv.offline.sources.walking import folders_of
from persrv.records import Semantics, Skipped, SourceSticker
from persrv.text.emoji_sequences import emoji_in

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "emoji and stickers of a Discord server"
KEEPS = "custom emoji and stickers with names, descriptions and tags"
LEAVES = "everything else that the server's JSON says"

_LOTTIE = 3


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no JSON in it is a server's."""
    return TITLE if any(True for _ in find_tables(source, _is_server)) else ""


def stickers(source: Path) -> Iterator[SourceSticker | Skipped]:
    """Yield the emoji, then the stickers, in the server's order."""
    for file, content in find_tables(source, _is_server):
        root = file.parent.resolve()
        files = by_stem(folders_of(root))
        pack = text(content.get("name"))
        for entry in (*rows(content.get("emojis")), *rows(content.get("stickers"))):
            yield _sticker(entry, files, root, pack)


def _is_server(content: Any) -> bool:
    entries = (*rows(table(content).get("emojis")), *rows(table(content).get("stickers")))
    return bool(entries) and all(
        text(entry.get("id")).isdecimal()
        and text(entry.get("name"))
        and ("animated" in entry or "format_type" in entry)
        for entry in entries
    )


def _sticker(entry: dict[str, Any], files: Any, root: Path, pack: str) -> SourceSticker | Skipped:
    name, number = text(entry.get("name")), text(entry.get("id"))
    path = files.get(number) or files.get(name) or files.get(f"{name}_{number}") or files.get(f"{name}-{number}")
    if path is None:
        drawn = "it is a Lottie animation, which is read as .tgs only" if entry.get("format_type") == _LOTTIE else ""
        return Skipped(f"{name} ({number})", drawn or "the server names it, its picture is not there")
    tags = text(entry.get("tags"))
    words = tuple(word.strip() for word in tags.split(",") if word.strip() and not word.strip().isdecimal())
    semantics = Semantics(
        description=(text(entry.get("description")),) if text(entry.get("description")) else (),
        tags=tuple(word for word in words if not emoji_in(word)),
        emoji=emoji_in(tags),
    )
    key = path.relative_to(root).as_posix()
    return SourceSticker(key=key, path=path, pack=pack, semantics=merged(named(name), semantics))
