"""Custom emoji of Mastodon: what ``/api/v1/custom_emojis`` answers, beside the pictures called by their short codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persrv.offline.sources.files_beside import by_stem
from persrv.offline.sources.json_files import find_tables, rows, text
from persrv.offline.sources.packs import named
from persrv.offline.sources.walking import folders_of
from persrv.records import Skipped, SourceSticker

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "custom emoji of Mastodon"
KEEPS = "custom emoji with their short codes, categories as packs"
LEAVES = "addresses, emoji that the picker hides"


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no JSON in it is such an answer."""
    return TITLE if any(True for _ in find_tables(source, _is_list)) else ""


def stickers(source: Path, hidden: bool = False) -> Iterator[SourceSticker | Skipped]:
    """Yield the emoji in the order of the list.

    Args:
        source: The list, or the folder with it.
        hidden: Whether emoji come too that the picker hides.
    """
    for file, content in find_tables(source, _is_list):
        root = file.parent.resolve()
        files = by_stem(folders_of(root))
        for entry in rows(content):
            code = text(entry.get("shortcode"))
            if entry.get("visible_in_picker") is False and not hidden:
                continue
            address = text(entry.get("url")).rpartition("/")[2]
            path = files.get(code) or files.get(Path(address).stem)
            if path is None:
                yield Skipped(code, "the list names it, its picture is not there")
                continue
            pack = text(entry.get("category"))
            yield SourceSticker(key=path.relative_to(root).as_posix(), path=path, pack=pack, semantics=named(code))


def _is_list(content: Any) -> bool:
    entries = rows(content)
    return bool(entries) and all(text(entry.get("shortcode")) and "url" in entry for entry in entries)
