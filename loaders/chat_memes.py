"""Folders of memes as QQ and WeChat leave them: names that are hashes, wrong endings or none, folders of accounts.

What a file is its beginning says. A name that is a sentence is the meme's caption; a hash is nothing. What WeChat keeps
encrypted (``.dat``) is counted and named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from persrv.images.containers import begins_like_a_picture
from persrv.offline.sources.known import Known
from persrv.offline.sources.walking import SUFFIXES
from persrv.records import Semantics, Skipped, SourceSticker, Unchanged
from persrv.text.file_names import read_file_name

ARCHIVES = True
TITLE = "memes from QQ or WeChat"
KEEPS = "pictures, words of their names, folders as packs"
LEAVES = "databases, encrypted files, names that are hashes or accounts"

_PLACES = frozenset(
    ("customemotion", "emoji_recv", "personal_emoji", "emoji-recv", "marketface", "baseemojisyastems", "wechat files")
)
_MADE_UP = re.compile(r"[0-9a-f]{2}|[0-9a-f]{16,}|\d{5,}|wxid_\w+|ori|thumb|image2?|emoji|nt_qq\w*", re.IGNORECASE)
_HASH = re.compile(r"[{(]?[0-9a-f]{32}[)}]?|[0-9A-F]{8}-[0-9A-F-]{27}|\{[0-9A-Z_~@$%&`'()\[\]]{10,}\}", re.IGNORECASE)
_LOOKED_AT = 200
_SMALL_COPIES = frozenset(("thumb", "thumbnail", "thumbs"))


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where its names are not those of a chat program."""
    if not source.is_dir():
        return ""
    if any(part.lower() in _PLACES for part in source.parts[-3:]):
        return TITLE
    files = [file for file in islice(source.rglob("*"), _LOOKED_AT) if file.is_file() and not file.name.startswith(".")]
    hashes = sum(bool(_HASH.fullmatch(file.stem)) for file in files)
    inside = any(part.lower() in _PLACES for file in files for part in file.relative_to(source).parts[:-1])
    return TITLE if files and (inside or 2 * hashes > len(files)) else ""


def stickers(source: Path, *, known: Known | None = None) -> Iterator[SourceSticker | Unchanged | Skipped]:
    """Yield the pictures in the order of their paths, whatever their endings say.

    Args:
        source: The folder.
        known: What earlier builds read.
    """
    root = source.resolve()
    known = known or Known()
    closed = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name.lower() not in _SMALL_COPIES)
        for name in sorted(files):
            path = Path(folder, name)
            if name.startswith(".") or path.is_symlink():
                continue
            state = known.state(path)
            before = known.before(state)
            if before == "placed":
                yield Unchanged(path.relative_to(root).as_posix())
                continue
            if before == "unread" and _is_picture(path):
                yield replace(_sticker(path, root), state=state)
                continue
            known.leave_out(state)
            if path.suffix.lower() == ".dat":
                closed += 1
            elif path.suffix.lower() in SUFFIXES:
                yield Skipped(path.relative_to(root).as_posix(), "it holds no picture")
    if closed:
        yield Skipped(root.name, f"{closed} files end in .dat, which WeChat encrypts; save the memes from the program")


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return begins_like_a_picture(file.read(32))
    except OSError:
        return False


def _sticker(path: Path, root: Path) -> SourceSticker:
    parts = path.relative_to(root).parts[:-1]
    named = [part for part in parts if part.lower() not in _PLACES and not _MADE_UP.fullmatch(part)]
    stem = path.stem if path.suffix.lower() in SUFFIXES else path.name
    semantics = Semantics() if _HASH.fullmatch(stem) else read_file_name(stem)
    found = SourceSticker(key=path.relative_to(root).as_posix(), path=path, semantics=semantics)
    return replace(found, pack="/".join(named))
