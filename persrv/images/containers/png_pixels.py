"""Whether a PNG holds as many pixels as its header says.

Pillow takes a compressed stream that ends early, but properly, for a whole picture and leaves the rest black.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from persrv.images.containers.container import MalformedError

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Left, top, step right and step down of each pass of an interlaced picture."""
_STEP = 1 << 20


@dataclass(slots=True)
class _Frame:
    width: int
    height: int
    parts: list[bytes] = field(default_factory=list)


def check_pixels(data: bytes, frames: int) -> None:
    """Inflate the first ``frames`` frames of a PNG that :func:`read_png` accepted, counting bytes and keeping none.

    Raises:
        MalformedError: A frame has fewer pixels than announced, or its stream is damaged.
    """
    depth, colour, _, _, interlace = data[24:29]
    bits = depth * _CHANNELS.get(colour, 0)
    for frame in islice(_frames(data), frames):
        wanted = _length(frame.width, frame.height, bits, interlace == 1)
        if _inflated(frame.parts, wanted) < wanted:
            raise MalformedError("its pixels end before the size that its header claims")


def _frames(data: bytes) -> Iterator[_Frame]:
    """Yield each frame that has pixels, with the parts of its stream."""
    frame = _Frame(*struct.unpack(">II", data[16:24]))
    position = 8
    while position + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        position += 12 + length
        if kind in (b"fcTL", b"IEND"):
            if frame.parts:
                yield frame
            if kind == b"IEND":
                return
            frame = _Frame(*struct.unpack(">II", body[4:12]))
        elif kind == b"IDAT":
            frame.parts.append(body)
        elif kind == b"fdAT":
            frame.parts.append(body[4:])


def _length(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Return the bytes of all scan lines, each with its filter byte."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, right, down in passes:
        columns, rows = -(-max(width - left, 0) // right), -(-max(height - top, 0) // down)
        total += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    return total


def _inflated(parts: list[bytes], wanted: int) -> int:
    """Return the length of the inflated stream, or a number >= ``wanted`` once that much is there."""
    inflater = zlib.decompressobj()
    found = 0
    try:
        for part in parts:
            rest = part
            while rest and found < wanted and not inflater.eof:
                found += len(inflater.decompress(rest, _STEP))
                rest = inflater.unconsumed_tail
    except zlib.error as error:
        raise MalformedError("its pixels are damaged") from error
    return found
