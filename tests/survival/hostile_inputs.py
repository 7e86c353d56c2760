"""Hostile inputs: what each target begins with, and how an input is changed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from PIL import Image

from persrv.online.cursor import Cursor
from repository import ROOT


@cache
def seeds(name: str) -> list[bytes]:
    """Return the inputs that a target begins with."""
    if name == "pictures":
        return [*_pictures()]
    if name == "recipes":
        shipped = ROOT / "collections"
        return [file.read_bytes() for file in sorted(shipped.glob("*.toml"))]
    if name == "backups":
        return [_tar_backup()]
    if name == "cursors":
        made = Cursor(b"searched", 20, ("0" * 32, "f" * 32), ("a" * 32,))
        return [base64.urlsafe_b64decode(made.encode() + "=" * (-len(made.encode()) % 4))]
    return [text.encode() for text in _TEXTS]


_TEXTS = (
    "good night 晚安 😀 -word :pepeHands: #tag",
    "ﷺ e\u0301\u0301\u0301 \u202eevil\u202c \u200b\u200d👨‍👩‍👧‍👦 ก็ำ ½ ﬁ İ ß Ǆ",
    "\x1b]0;title\x07 <script>alert(1)</script> ../../etc/passwd %00",
    "\x08\x01\x12\x05hello\x1a\x03\x08\x96\x01",
)


def _pictures() -> Iterator[bytes]:
    image = Image.effect_noise((24, 20), 60).convert("RGBA")
    for kind in ("PNG", "GIF", "WEBP", "BMP", "TIFF", "JPEG", "AVIF"):
        content = io.BytesIO()
        with suppress(OSError, KeyError):
            (image.convert("RGB") if kind == "JPEG" else image).save(content, kind)
            yield content.getvalue()
    content = io.BytesIO()
    image.save(content, "GIF", save_all=True, append_images=[image.rotate(90)], duration=50)
    yield content.getvalue()
    content = io.BytesIO()
    image.save(content, "WEBP", save_all=True, append_images=[image.rotate(90)], duration=50)
    yield content.getvalue()
    yield b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5" fill="red"/></svg>'
    yield gzip.compress(b'{"v":"5.5","fr":30,"ip":0,"op":30,"w":512,"h":512,"layers":[]}')
    yield b"\x1a\x45\xdf\xa3\x84\x42\x82\x81w" + bytes(40)
    yield b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08moov"


def _tar_backup() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        files = {}
        for name, data in (("catalog.db", b"x" * 99), ("vectors/a-1-2-b.ids", b"y" * 33)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
            files[name] = [len(data), hashlib.sha256(data).hexdigest()]
        facts_ = {"format": 1, "name": "tiny", "created": "now", "persrv": "1", "files": files}
        data = json.dumps(facts_).encode()
        entry = tarfile.TarInfo("backup.json")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return content.getvalue()


_TOKENS = (
    *(bytes([n]) for n in (0, 1, 0x7F, 0x80, 0xFF)),
    *(number.to_bytes(4, order) for number in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 65536) for order in ("big", "little")),
    b"IHDR", b"acTL", b"fcTL", b"ANIM", b"ANMF", b"VP8X", b"RIFF", b"moov", b"ftyp", b"../../", b"/etc/passwd", b"\0",
    "\u202e".encode(), "\ud800".encode("utf-8", "surrogatepass"), "e\u0301".encode() * 50, b"\x1b[2J", b"[[",
    b"]", b'"""',
    b"= 1e999", b"= nan", b"9" * 400, b"<script>", b"{" * 50, b"(" * 50, b"-" * 50, b":" * 50, "👩‍👩‍👧".encode() * 20,
)  # fmt: skip


def changed(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return an input that was changed in one to eight ways."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(out) + 1)
        kind = chance.randrange(8)
        if kind == 0 and out:
            out[at % len(out)] ^= 1 << chance.randrange(8)
        elif kind == 1 and out:
            out[at % len(out)] = chance.randrange(256)
        elif kind == 2:
            out[at:at] = chance.choice(_TOKENS)
        elif kind == 3:
            token = chance.choice(_TOKENS)
            out[at : at + len(token)] = token
        elif kind == 4:
            del out[at : at + chance.randrange(1, 40)]
        elif kind == 5:
            out[at:at] = out[at : at + chance.randrange(1, 80)] * chance.choice((1, 2, 50))
        elif kind == 6:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            out[at:] = other[start:]
        else:
            del out[at:]
    return bytes(out[: 1 << 17])
