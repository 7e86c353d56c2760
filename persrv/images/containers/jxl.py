"""JPEG XL (ISO/IEC 18181): the bare stream of a picture, or that stream in boxes."""

from __future__ import annotations

import struct

from persrv.images.containers.container import Container, MalformedError, canvas, slice_of

STREAM = b"\xff\x0a"
BOXED = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIDE_BITS = (9, 13, 18, 30)
_MOST_BOXES = 1000


def read_jxl(data: bytes) -> Container:
    """Read the size from the stream's first bits.

    The decoder turns pictures by itself; where it does, its frames are larger than the size here, and refused.

    Raises:
        MalformedError: It is cut short, or holds no stream.
    """
    stream = data if data.startswith(STREAM) else _stream(data)
    bits = _Bits(stream[2:16])
    if bits.take(1):
        height = (bits.take(5) + 1) * 8
        ratio = bits.take(3)
        width = height * _RATIOS[ratio][0] // _RATIOS[ratio][1] if ratio else (bits.take(5) + 1) * 8
    else:
        height = bits.take(_SIDE_BITS[bits.take(2)]) + 1
        ratio = bits.take(3)
        width = height * _RATIOS[ratio][0] // _RATIOS[ratio][1] if ratio else bits.take(_SIDE_BITS[bits.take(2)]) + 1
    return Container("jxl", *canvas(width, height), 1, 0, b"", data)


class _Bits:
    """Reads a stream's bits, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise MalformedError("it is cut short")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value


def _stream(data: bytes) -> bytes:
    position = len(BOXED)
    for _ in range(_MOST_BOXES):
        size, kind = struct.unpack(">I4s", slice_of(data, position, 8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", slice_of(data, position + 8, 8))
            header = 16
        if kind in (b"jxlc", b"jxlp"):
            body = data[position + header + (4 if kind == b"jxlp" else 0) :]
            if body.startswith(STREAM):
                return body
            raise MalformedError("its stream is damaged")
        if size < header:
            break
        position += size
    raise MalformedError("it holds no stream of pixels")
