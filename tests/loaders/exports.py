"""Exports in exactly the forms that programs write, made of drawn pictures and invented people."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

START = 1_767_225_600


def picture(seed: int, kind: str = "WEBP", side: int = 48, **options: Any) -> bytes:
    """Return a drawing of its own for each seed: no two are near-duplicates."""
    made = random.Random(seed)
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for _ in range(5):
        left, top = made.randrange(side - 12), made.randrange(side - 12)
        colour = (made.randrange(256), made.randrange(256), made.randrange(256), 255)
        shape = draw.ellipse if made.random() < 0.5 else draw.rectangle
        shape((left, top, left + made.randrange(6, side // 2), top + made.randrange(6, side // 2)), fill=colour)
    out = io.BytesIO()
    (image.convert("RGB") if kind in ("JPEG", "BMP") else image).save(out, kind, **options)
    return out.getvalue()


def write(folder: Path, files: Mapping[str, bytes | str | Any]) -> Path:
    """Write files; what is neither bytes nor text is written as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
            path.write_text(text, encoding="utf-8")
    return folder


def zipped(archive: Path, files: Mapping[str, bytes | str | Any]) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content, ensure_ascii=False))
    return archive


def sticker_exif(**message: Any) -> bytes:
    """Return the EXIF block that WhatsApp writes: JSON in the tag 0x5741 of type UNDEFINED."""
    content = json.dumps(message, ensure_ascii=False).encode()
    return b"Exif\0\0" + b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x5741, 7, len(content), 26, 0) + content


def tgs() -> bytes:
    """Return an animated sticker: a square that grows."""
    shape = {
        "ty": "gr",
        "it": [
            {"ty": "rc", "p": {"a": 0, "k": [256, 256]}, "s": {"a": 0, "k": [200, 200]}, "r": {"a": 0, "k": 0}},
            {"ty": "fl", "c": {"a": 0, "k": [1, 0.2, 0.1, 1]}, "o": {"a": 0, "k": 100}},
            {
                "ty": "tr",
                "p": {"a": 0, "k": [0, 0]},
                "a": {"a": 0, "k": [0, 0]},
                "s": {"a": 0, "k": [100, 100]},
                "r": {"a": 0, "k": 0},
                "o": {"a": 0, "k": 100},
            },
        ],
    }
    turn = {
        "a": 1,
        "k": [{"t": 0, "s": [0], "i": {"x": [1], "y": [1]}, "o": {"x": [0], "y": [0]}}, {"t": 30, "s": [90]}],
    }
    layer = {
        "ty": 4, "ip": 0, "op": 30, "st": 0, "shapes": [shape],
        "ks": {"o": {"a": 0, "k": 100}, "r": turn, "p": {"a": 0, "k": [256, 256, 0]}, "a": {"a": 0, "k": [256, 256, 0]},
               "s": {"a": 0, "k": [100, 100, 100]}},
    }  # fmt: skip
    return gzip.compress(
        json.dumps({"v": "5.5.2", "fr": 30, "ip": 0, "op": 30, "w": 512, "h": 512, "layers": [layer]}).encode()
    )


def telegram_message(number: int, **more: Any) -> dict[str, Any]:
    """Return a message as Telegram Desktop writes it."""
    return {
        "id": number,
        "type": "message",
        "date": "2026-01-01T00:00:00",
        "date_unixtime": str(START + 60 * number),
        "from": "Somebody",
        "from_id": "user1",
        "text": "",
        "text_entities": [],
    } | more


def telegram_sticker(number: int, who: str, file: str, emoji: str, **more: Any) -> dict[str, Any]:
    found_text = {"from_id": who, "file": file, "media_type": "sticker", "width": 512, "height": 512}
    return telegram_message(number, **found_text, **({"sticker_emoji": emoji} if emoji else {}), **more)


def telegram_chat(folder: Path, messages: int, stickers: int, people: int = 8, seed: int = 0) -> Path:
    """Write an export of one chat: each person sends mostly the stickers of their own half."""
    made = random.Random(seed)
    emoji = ["😀", "😭", "❤️", "👍", "🎉", "😡", "🐱", "🤔"]
    for number in range(stickers):
        write(folder, {f"stickers/sticker ({number}).webp": picture(seed * 100_000 + number, side=32)})
    sent = []
    for number in range(messages):
        who = f"user{made.randrange(people)}"
        if made.random() < 0.4:
            which = made.randrange(stickers)
            sent.append(telegram_sticker(number, who, f"stickers/sticker ({which}).webp", emoji[which % len(emoji)]))
        else:
            sent.append(telegram_message(number, from_id=who, text=f"words number {number}"))
    write(folder, {"result.json": {"name": "Friends", "type": "private_group", "id": 1, "messages": sent}})
    return folder


Maker = Callable[[Path], Path]
