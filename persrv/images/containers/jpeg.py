"""JPEG (ITU-T T.81) with its application segments."""

from __future__ import annotations

import struct

from persrv.images.containers.container import Container, MalformedError, canvas, slice_of

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_COLOUR_SEGMENTS = ((0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))
_EXIF = b"Exif\0\0"


def read_jpeg(data: bytes) -> Container:
    """Walk through the segments up to the first scan.

    ``data`` of the answer leaves out comments and every application segment that does not bear on colour: Pillow
    would parse EXIF and MPO data on opening and warn about what is broken in them.

    Raises:
        MalformedError: A segment is cut short, or no frame header comes before the first scan.
    """
    size: tuple[int, int] | None = None
    exif = b""
    kept = [data[:2]]
    position = 2
    while True:
        start = position
        if slice_of(data, position, 1) != b"\xff":
            raise MalformedError("its segments are damaged")
        while slice_of(data, position, 1) == b"\xff":
            position += 1
        marker = data[position]
        position += 1
        if marker in _WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack(">H", slice_of(data, position, 2))
        body = slice_of(data, position + 2, max(length - 2, 0))
        position += max(length, 2)
        if marker in _FRAME_HEADERS:
            if len(body) < 6:
                raise MalformedError("its header is damaged")
            height, width = struct.unpack(">HH", body[1:5])
            size = canvas(width, height)
        if marker == _START_OF_SCAN:
            kept.append(data[start:])
            break
        if marker == 0xE1 and body.startswith(_EXIF) and not exif:
            exif = body[len(_EXIF) :]
        if not _is_talk(marker) or any(marker == m and body.startswith(p) for m, p in _COLOUR_SEGMENTS):
            kept.append(data[start:position])
    if size is None:
        raise MalformedError("it has no header before its pixels")
    return Container("jpeg", *size, 1, 0, exif, b"".join(kept))


def _is_talk(marker: int) -> bool:
    """Whether a segment is a comment or belongs to an application, and so is not needed to decode the pixels."""
    return 0xE0 <= marker <= 0xEF or marker == 0xFE
