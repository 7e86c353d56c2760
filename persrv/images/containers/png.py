"""PNG and APNG (W3C Portable Network Graphics, third edition)."""

from __future__ import annotations

import struct
import zlib

from persrv.images.containers.container import Container, MalformedError, canvas, slice_of


def read_png(data: bytes) -> Container:
    """Walk through the chunks, comparing every check sum.

    Raises:
        MalformedError: A chunk is cut short, damaged, missing or in the wrong place; an APNG's frames are not as many
            as it says or lie outside its canvas.
    """
    size: tuple[int, int] | None = None
    announced: int | None = None
    frames = 0
    default_is_frame = False
    pixels_seen = False
    exif = b""
    position = 8
    while True:
        length, kind = struct.unpack(">I4s", slice_of(data, position, 8))
        body = slice_of(data, position + 8, length)
        (crc,) = struct.unpack(">I", slice_of(data, position + 8 + length, 4))
        if zlib.crc32(body, zlib.crc32(kind)) != crc:
            raise MalformedError(f"its chunk {kind.decode('ascii', 'replace')} is damaged")
        position += 12 + length
        if size is None:
            if kind != b"IHDR" or length != 13:
                raise MalformedError("it does not begin with its header")
            size = canvas(*struct.unpack(">II", body[:8]))
        elif kind == b"IHDR":
            raise MalformedError("it has two headers")
        elif kind == b"acTL":
            if announced is not None or pixels_seen or length != 8:
                raise MalformedError("its animation header is misplaced")
            announced = struct.unpack(">I", body[:4])[0]
        elif kind == b"fcTL":
            frames += 1
            default_is_frame |= not pixels_seen
            _check_frame(body, size)
        elif kind == b"IDAT":
            pixels_seen = True
        elif kind == b"eXIf":
            exif = body
        elif kind == b"IEND":
            break
    if not pixels_seen:
        raise MalformedError("it has no pixels")
    if announced is None:
        return Container("png", *size, 1, 0, exif, data)
    if announced != frames or frames == 0:
        raise MalformedError(f"it announces {announced} frames and has {frames}")
    return Container("png", *size, frames, 0 if default_is_frame else 1, exif, data)


def _check_frame(body: bytes, size: tuple[int, int]) -> None:
    if len(body) != 26:
        raise MalformedError("a frame's header is damaged")
    width, height, left, top = struct.unpack(">4I", body[4:20])
    if not (width and height and left + width <= size[0] and top + height <= size[1]):
        raise MalformedError("a frame lies outside its canvas")
