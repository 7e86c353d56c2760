"""WhatsApp: ``.wastickers`` files, the phone's folder ``WhatsApp Stickers``, and the folders that apps are made from.

A received sticker says its pack and emoji inside the picture (EXIF); a ``.wastickers`` file has ``title.txt``,
``author.txt`` and a cover; an app has ``contents.json`` with ``sticker_packs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from persrv.offline.sources.files_beside import file_below
from persrv.offline.sources.json_files import find_tables, rows, table, text, texts
from persrv.offline.sources.known import Known
from persrv.offline.sources.packs import pack_stickers
from persrv.offline.sources.webp_exif import read_sticker_exif
from persrv.records import Semantics, Skipped, SourceSticker, Unchanged
from persrv.text.emoji_sequences import emoji_in

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "WhatsApp stickers"
KEEPS = "stickers, the packs and emoji that they carry inside"
LEAVES = "covers, publishers, links"

_LOOKED_AT = 50


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where nothing says WhatsApp."""
    if not source.is_dir():
        return ""
    if any(True for _ in find_tables(source / "contents.json", _is_app)):
        return "packs of a WhatsApp sticker app"
    if source.name in ("WhatsApp Stickers", "WhatsApp Business Stickers"):
        return "the phone's folder of WhatsApp stickers"
    files = list(islice(source.rglob("*.webp"), _LOOKED_AT))
    phone = any(file.name.startswith("STK-") or read_sticker_exif(file).pack for file in files)
    packed = all((source / name).is_file() for name in ("title.txt", "author.txt"))
    return TITLE if files and (phone or packed) else ""


def stickers(source: Path, *, known: Known | None = None) -> Iterator[SourceSticker | Unchanged | Skipped]:
    """Yield the stickers.

    Args:
        source: The folder.
        known: What earlier builds read.

    Raises:
        SourceError: The folder cannot be listed.
    """
    root = source.resolve()
    apps = list(find_tables(root / "contents.json", _is_app))
    if not apps:
        yield from pack_stickers(root, known or Known(), says_nothing=lambda path: path.stem.isdecimal())
    for _, content in apps:
        for pack in rows(content["sticker_packs"]):
            yield from _of_app(root, pack)


def _is_app(content: Any) -> bool:
    return bool(rows(table(content).get("sticker_packs")))


def _of_app(root: Path, pack: dict[str, Any]) -> Iterator[SourceSticker | Skipped]:
    folder, title = text(pack.get("identifier")), text(pack.get("name"))
    for sticker in rows(pack.get("stickers")):
        name = text(sticker.get("image_file"))
        path = file_below(root, f"{folder}/{name}") or file_below(root, name)
        if path is None:
            yield Skipped(f"{folder}/{name}", "contents.json names it, and it is not there")
            continue
        emoji = tuple(dict.fromkeys(found for each in texts(sticker.get("emojis")) for found in emoji_in(each)))
        semantics = Semantics(emoji=emoji, tags=texts(sticker.get("accessibility_text")))
        yield SourceSticker(key=path.relative_to(root).as_posix(), path=path, pack=title, semantics=semantics)
