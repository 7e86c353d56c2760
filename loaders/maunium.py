"""Packs of Matrix for maunium's sticker picker: JSON with ``stickers``, perhaps an ``index.json`` that names the packs.

The pictures lie on a Matrix server. Those that are beside the JSON, or in ``thumbnails``, called by the last part of
their address, are taken; the others are stickers known by their words only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persrv.offline.sources.files_beside import by_stem
from persrv.offline.sources.json_files import find_tables, rows, table, text, texts
from persrv.offline.sources.packs import merged
from persrv.offline.sources.walking import folders_of
from persrv.records import Semantics, Skipped, SourceSticker
from persrv.text.emoji_sequences import emoji_in, without_emoji

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "Matrix packs of maunium's sticker picker"
KEEPS = "stickers with their words and emoji, the title of each pack"
LEAVES = "addresses on the server, sizes"

_OF_TELEGRAM = "net.maunium.telegram.sticker"


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no JSON in it is such a pack."""
    return TITLE if any(True for _ in _packs(source)) else ""


def stickers(source: Path) -> Iterator[SourceSticker | Skipped]:
    """Yield the stickers of all packs, each under its address."""
    for file, content in _packs(source):
        files = by_stem(folders_of(file.parent.resolve()))
        pack = text(content.get("title")) or text(content.get("id")) or file.stem
        for entry in rows(content["stickers"]):
            address = text(entry.get("url"))
            if not address:
                yield Skipped(f"{file.name}: {text(entry.get('body')) or 'a sticker'}", "it has no address")
                continue
            yield SourceSticker(
                key=f"{file.stem}/{address}",
                path=files.get(address.rpartition("/")[2]),
                pack=pack,
                semantics=_said(entry),
            )


def _said(entry: dict[str, Any]) -> Semantics:
    body = text(entry.get("body"))
    words = " ".join(without_emoji(body).split())
    emoji = [found for each in texts(table(entry.get(_OF_TELEGRAM)).get("emoticons")) for found in emoji_in(each)]
    return merged(Semantics(name=(words,) if words else (), emoji=emoji_in(body)), Semantics(emoji=tuple(emoji)))


def _packs(source: Path) -> Iterator[tuple[Path, Any]]:
    for folder in folders_of(source) if source.is_dir() else [source]:
        yield from find_tables(folder, _is_pack)


def _is_pack(content: Any) -> bool:
    entries = rows(table(content).get("stickers"))
    return bool(entries) and any(
        entry.get("msgtype") == "m.sticker" or text(entry.get("url")).startswith("mxc://") for entry in entries
    )
