"""Pictures made for the tests of this folder, as arrays and as files' bytes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]


def drawing(height: int = 40, width: int = 60) -> Frame:
    """Return a red disc with a blue bar on a transparent ground, (h, w, 4)."""
    rows, columns = np.mgrid[:height, :width]
    rgba = np.zeros((height, width, 4), np.uint8)
    disc = ((rows - height / 2) / (height / 2.5)) ** 2 + ((columns - width / 2) / (width / 2.5)) ** 2 <= 1
    rgba[disc] = (220, 40, 50, 255)
    bar = disc & (abs(rows - height // 2) <= height // 10)
    rgba[bar] = (30, 60, 200, 255)
    return rgba


def solid(colour: tuple[int, ...], height: int = 20, width: int = 30) -> Frame:
    return np.full((height, width, 4), (*colour, 255)[:4], np.uint8)


def encoded(frame: Frame | Image.Image, kind: str, **options: Any) -> bytes:
    image = frame if isinstance(frame, Image.Image) else Image.fromarray(frame)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def animation(frames: list[Frame], kind: str, **options: Any) -> bytes:
    images = [Image.fromarray(frame) for frame in frames]
    return encoded(images[0], kind, save_all=True, append_images=images[1:], duration=50, loop=0, **options)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one PNG chunk with its check sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 6, *extra: bytes) -> bytes:
    """Return a PNG written by hand; ``rows`` are filtered scan lines, ``extra`` chunks before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")])


def gif(width: int, height: int, frames: list[tuple[int, int, int, int]], trailer: bytes = b"\x3b") -> bytes:
    """Return a GIF of one-colour frames (left, top, width, height), whose pixels are cut short beyond 4 x 4."""
    pixels = b"\x02\x16\x8c\x2d\x99\x87\x2a\x1c\xdc\x33\xa0\x02\x75\xec\x95\xfa\xa8\xde\x60\x8c\x04\x91\x4c\x01\x00"
    table = bytes([255, 255, 255, 255, 0, 0, 0, 0, 255, 0, 0, 0])
    body = b"".join(b"\x2c" + struct.pack("<4HB", *frame, 0) + pixels for frame in frames)
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x91, 0, 0) + table + body + trailer
