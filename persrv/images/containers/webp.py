"""WebP (RFC 9649)."""

from __future__ import annotations

import struct

from persrv.images.containers.container import Container, MalformedError, canvas, slice_of

_ANIMATED = 0x02


def read_webp(data: bytes) -> Container:
    """Walk through the RIFF chunks.

    Raises:
        MalformedError: A chunk is cut short or missing, or a frame lies outside its canvas.
    """
    (announced,) = struct.unpack("<I", slice_of(data, 4, 4))
    slice_of(data, 8, announced)
    end = 8 + announced
    size: tuple[int, int] | None = None
    animated = False
    frames = stills = 0
    exif = b""
    position = 12
    while position + 8 <= end:
        kind, length = struct.unpack("<4sI", slice_of(data, position, 8))
        if position + 8 + length > end:
            raise MalformedError("it is cut short")
        body = data[position + 8 : position + 8 + length]
        position += 8 + length + (length & 1)
        if kind == b"VP8X":
            slice_of(body, 0, 10)
            animated = bool(body[0] & _ANIMATED)
            size = canvas(_three(body, 4) + 1, _three(body, 7) + 1)
        elif kind in (b"VP8 ", b"VP8L"):
            stills += 1
            size = size or (_lossy_size(body) if kind == b"VP8 " else _lossless_size(body))
        elif kind == b"ANMF":
            frames += 1
            _check_frame(body, size)
        elif kind == b"EXIF":
            exif = body.removeprefix(b"Exif\0\0")
    shown = frames if animated else min(stills, 1)
    if size is None or shown == 0:
        raise MalformedError("it has no pixels")
    return Container("webp", *size, shown, 0, exif, data)


def _three(body: bytes, start: int) -> int:
    return int.from_bytes(body[start : start + 3], "little")


def _lossy_size(body: bytes) -> tuple[int, int]:
    if slice_of(body, 3, 3) != b"\x9d\x01\x2a":
        raise MalformedError("its header is damaged")
    width, height = struct.unpack("<HH", slice_of(body, 6, 4))
    return canvas(width & 0x3FFF, height & 0x3FFF)


def _lossless_size(body: bytes) -> tuple[int, int]:
    if slice_of(body, 0, 1) != b"\x2f":
        raise MalformedError("its header is damaged")
    (bits,) = struct.unpack("<I", slice_of(body, 1, 4))
    return canvas((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)


def _check_frame(body: bytes, size: tuple[int, int] | None) -> None:
    slice_of(body, 0, 16)
    if size is None:
        raise MalformedError("a frame comes before the canvas")
    left, top = 2 * _three(body, 0), 2 * _three(body, 3)
    if left + _three(body, 6) + 1 > size[0] or top + _three(body, 9) + 1 > size[1]:
        raise MalformedError("a frame lies outside its canvas")
