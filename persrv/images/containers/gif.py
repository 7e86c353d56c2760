"""GIF (CompuServe, Graphics Interchange Format, version 89a)."""

from __future__ import annotations

import struct

from persrv.images.containers.container import Container, MalformedError, canvas, slice_of

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B


def read_gif(data: bytes) -> Container:
    """Walk through the blocks; the canvas is the smallest that holds the screen and every frame.

    A missing trailer is accepted, since many encoders left it out and nothing is lost.

    Raises:
        MalformedError: A block is cut short or unknown, or there is no frame.
    """
    width, height, flags = struct.unpack("<HHB", slice_of(data, 6, 5))
    position = 13 + _colours(flags)
    frames = 0
    while position < len(data):
        kind = data[position]
        if kind == _TRAILER:
            break
        if kind == _EXTENSION:
            position = _after_sub_blocks(data, position + 2)
        elif kind == _IMAGE:
            left, top, wide, high, flags = struct.unpack("<4HB", slice_of(data, position + 1, 9))
            canvas(wide, high)
            width, height = max(width, left + wide), max(height, top + high)
            position = _after_sub_blocks(data, position + 10 + _colours(flags) + 1)
            frames += 1
        else:
            raise MalformedError(f"it has an unknown block 0x{kind:02x}")
    if frames == 0:
        raise MalformedError("it has no pixels")
    return Container("gif", *canvas(width, height), frames, 0, b"", data)


def _colours(flags: int) -> int:
    """Return the length in bytes of the colour table that ``flags`` announces."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, position: int) -> int:
    while True:
        length = slice_of(data, position, 1)[0]
        position += 1 + length
        if length == 0:
            return position
