"""Signal packs as tools leave them when they are decrypted, and the sticker folder of Signal Desktop.

A pack's folder has its title in ``manifest.json`` (signal-cli), in ``title.txt``, or in ``manifest``, ``manifest.bin``
or ``manifest.proto``, which holds the message ``Pack{title=1, author=2, cover=3, stickers=4}`` with
``Sticker{id=1, emoji=2}``; its pictures are called by their numbers. What Signal Desktop keeps on the disk is encrypted
in newer versions: such files are counted and named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from persrv.offline.sources.json_files import find_tables, rows, table, text
from persrv.offline.sources.known import Known
from persrv.offline.sources.pack_files import PackFiles, read_pack_files
from persrv.offline.sources.packs import pack_stickers
from persrv.offline.sources.protobuf import BrokenMessageError, read_message
from persrv.offline.sources.walking import folders_of
from persrv.records import Skipped, SourceSticker, Unchanged
from persrv.text.emoji_sequences import emoji_in

ARCHIVES = True
TITLE = "Signal packs"
KEEPS = "stickers with their emoji, the title of each pack"
LEAVES = "covers, authors, keys"

_MANIFESTS = ("manifest", "manifest.bin", "manifest.proto")
_DESKTOP = "stickers.noindex"
_LARGEST = 1_000_000


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where it holds no manifest and is no folder of Signal Desktop."""
    if not source.is_dir():
        return ""
    if source.name == _DESKTOP or (source / _DESKTOP).is_dir():
        return "stickers of Signal Desktop"
    return TITLE if any(_manifest(folder) or _has_json(folder) for folder in folders_of(source)) else ""


def stickers(source: Path, *, known: Known | None = None) -> Iterator[SourceSticker | Unchanged | Skipped]:
    """Yield the stickers of all packs.

    Args:
        source: The folder.
        known: What earlier builds read.

    Raises:
        SourceError: The folder cannot be listed.
    """
    known = known or Known()
    root = (source / _DESKTOP if (source / _DESKTOP).is_dir() else source).resolve()
    if root.name == _DESKTOP:
        closed = sum(file.is_file() for file in root.rglob("*"))
        for found in pack_stickers(root, known, says_nothing=lambda path: True):
            closed -= 1
            yield _without_pack(found) if isinstance(found, SourceSticker) else found
        if closed > 0:
            reason = f"{closed} files are encrypted by Signal Desktop; export their packs with another tool"
            yield Skipped(_DESKTOP, reason)
        return
    yield from pack_stickers(
        root, known, lambda folder: _pack(folder, root), says_nothing=lambda path: path.stem.isdecimal()
    )


def _without_pack(found: SourceSticker) -> SourceSticker:
    """Return a sticker without its folder's name, which is the beginning of a hash."""
    return replace(found, pack="")


def _has_json(folder: Path) -> bool:
    return any(True for _ in find_tables(folder / "manifest.json", _has_stickers))


def _has_stickers(content: Any) -> bool:
    return bool(rows(table(content).get("stickers")))


def _manifest(folder: Path) -> Path | None:
    return next((folder / name for name in _MANIFESTS if (folder / name).is_file()), None)


def _pack(folder: Path, root: Path) -> PackFiles:
    pack = read_pack_files(folder, root)
    file = _manifest(folder)
    if file is not None:
        return _from_message(file, root)
    for _, content in find_tables(folder / "manifest.json", _has_stickers):
        inside = {Path(text(row.get("file"))).stem: row for row in rows(content["stickers"])}
        emoji = {stem: emoji_in(text(row.get("emoji"))) for stem, row in inside.items()}
        cover = Path(text(table(content.get("cover")).get("file"))).stem
        covers = frozenset((cover.casefold(),)) if cover and cover not in inside else frozenset[str]()
        return PackFiles(text(content.get("title")), text(content.get("author")), emoji, is_pack=True, covers=covers)
    return pack


def _from_message(file: Path, root: Path) -> PackFiles:
    key = file.relative_to(root).as_posix()
    try:
        data = file.read_bytes() if file.stat().st_size <= _LARGEST else b""
        pack = read_message(data)
        described = [read_message(each) for each in pack.messages(4)]
        emoji = {str(each.number(1)): emoji_in(each.text(2)) for each in described}
        cover = read_message(each) if (each := next(iter(pack.messages(3)), b"")) else None
    except BrokenMessageError as error:
        return PackFiles(problems=(Skipped(key, f"{error}; is it still encrypted?"),))
    except OSError as error:
        return PackFiles(problems=(Skipped(key, f"it cannot be read: {error.strerror}"),))
    if not pack.text(1) and not emoji:
        return PackFiles(problems=(Skipped(key, "it says nothing; is it still encrypted?"),))
    own = str(cover.number(1)) if cover else ""
    covers = frozenset((own, "cover")) if own and own not in emoji else frozenset(("cover",))
    # Tools write numbers as 0, 00 or 000.
    padded = {number.rjust(width, "0"): sign for number, sign in emoji.items() for width in (1, 2, 3)}
    return PackFiles(pack.text(1), pack.text(2), padded, is_pack=True, covers=covers)
