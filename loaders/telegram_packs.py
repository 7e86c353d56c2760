"""Telegram packs as people save them: a folder for each pack with WEBP, WEBM and TGS files.

A JSON file beside them may hold the bot interface's answer to ``getStickerSet``; its emoji go to the files that are
called by ``file_unique_id`` or ``file_id``, else to the files in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from persrv.offline.sources.json_files import find_tables, rows, table, text
from persrv.offline.sources.known import Known
from persrv.offline.sources.pack_files import PackFiles, read_pack_files
from persrv.offline.sources.packs import pack_stickers
from persrv.offline.sources.walking import folders_of
from persrv.records import Skipped, SourceSticker, Unchanged
from persrv.text.emoji_sequences import emoji_in

ARCHIVES = True
TITLE = "Telegram packs"
KEEPS = "stickers with their emoji, the title of each pack"
LEAVES = "nothing"

_ENDINGS = frozenset((".webp", ".webm", ".tgs"))


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where it holds no animated sticker and no answer to ``getStickerSet``."""
    if not source.is_dir():
        return ""
    for folder in folders_of(source):
        endings = [file.suffix.lower() for file in islice(folder.iterdir(), 1000) if file.is_file()]
        ours = sum(ending in _ENDINGS for ending in endings)
        if endings.count(".tgs") + endings.count(".webm") and 2 * ours > len(endings):
            return TITLE
        if ours and any(True for _ in find_tables(folder, _is_set)):
            return TITLE
    return ""


def stickers(source: Path, *, known: Known | None = None) -> Iterator[SourceSticker | Unchanged | Skipped]:
    """Yield the stickers of all packs.

    Args:
        source: The folder.
        known: What earlier builds read.

    Raises:
        SourceError: The folder cannot be listed.
    """
    root = source.resolve()
    return pack_stickers(root, known or Known(), lambda folder: _pack(folder, root))


def _is_set(content: Any) -> bool:
    found = _set(content)
    return bool(text(found.get("title"))) and any("file_unique_id" in row for row in rows(found.get("stickers")))


def _set(content: Any) -> dict[str, Any]:
    return table(table(content).get("result")) or table(content)


def _pack(folder: Path, root: Path) -> PackFiles:
    pack = read_pack_files(folder, root)
    for _, content in find_tables(folder, _is_set):
        found = _set(content)
        emoji: dict[str, tuple[str, ...]] = dict(pack.emoji)
        files = sorted(file.stem for file in folder.iterdir() if file.suffix.lower() in _ENDINGS)
        for number, row in enumerate(rows(found["stickers"])):
            signs = emoji_in(text(row.get("emoji")))
            for key in (text(row.get("file_unique_id")), text(row.get("file_id"))):
                emoji[key] = signs
            if number < len(files) and len(files) == len(found["stickers"]):
                emoji.setdefault(files[number], signs)
        return PackFiles(pack.title or text(found["title"]), pack.author, emoji, problems=pack.problems)
    return pack
