"""What WhatsApp writes into a sticker: JSON in the EXIF tag 0x5741 of a WebP file."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

from persrv.offline.sources.json_files import table, text, texts
from persrv.text.emoji_sequences import emoji_in

_TAG = 0x5741
_HAS_EXIF = 0x08
_MOST_CHUNKS = 10_000
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class StickerExif:
    """What a WebP file says of the pack that it belongs to; empty where it says nothing."""

    pack_id: str = ""
    pack: str = ""
    publisher: str = ""
    emoji: tuple[str, ...] = ()


NOTHING = StickerExif()


def read_sticker_exif(file: Path) -> StickerExif:
    """Return what WhatsApp wrote into a file; :data:`NOTHING` where it is no WebP, or says nothing that can be read."""
    try:
        metadata = json.loads(_content(_exif(file)))
    except (OSError, ValueError, RecursionError, struct.error):
        return NOTHING
    found = table(metadata)
    return StickerExif(
        text(found.get("sticker-pack-id")),
        text(found.get("sticker-pack-name")),
        text(found.get("sticker-pack-publisher")),
        tuple(dict.fromkeys(emoji for each in texts(found.get("emojis")) for emoji in emoji_in(each))),
    )


def _exif(file: Path) -> bytes:
    """Return the EXIF block, reading no pixels."""
    with file.open("rb") as content:
        start = content.read(30)
        if start[:4] != b"RIFF" or start[8:16] != b"WEBPVP8X" or not start[20] & _HAS_EXIF:
            return b""
        content.seek(12)
        for _ in range(_MOST_CHUNKS):
            header = content.read(8)
            if len(header) < 8:
                break
            kind, length = struct.unpack("<4sI", header)
            if kind == b"EXIF":
                return content.read(min(length, _LARGEST)).removeprefix(b"Exif\0\0")
            content.seek(length + (length & 1), 1)
    return b""


def _content(exif: bytes) -> bytes:
    """Return the tag's content, ``b""`` without it."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return b""
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, start)
    for position in range(start + 2, start + 2 + 12 * entries, 12):
        tag, _, length = struct.unpack_from(f"{order}HHI", exif, position)
        if tag == _TAG:
            place = struct.unpack_from(f"{order}I", exif, position + 8)[0] if length > 4 else position + 8
            return exif[place : place + length]
    return b""
