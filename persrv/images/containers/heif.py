"""AVIF and HEIC: pictures in the boxes of ISO/IEC 23008-12."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from persrv.images.containers.container import MOST_FRAMES, Container, MalformedError, canvas, slice_of
from persrv.images.containers.mp4 import boxes

_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_MOST_BOXES = 10_000
_TURNS = {1: 8, 2: 3, 3: 6}
"""Quarter turns against the clock, as EXIF's orientation."""


@dataclass(slots=True)
class _Pictures:
    primary: int = 0
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    of_item: dict[int, list[int]] = field(default_factory=dict)


def is_heif(data: bytes) -> bool:
    """Return whether a file of boxes says of itself that it is a picture, and no video."""
    return bool(_brands(data) & (_AVIF | _HEIC))


def read_heif(data: bytes) -> Container:
    """Walk through the boxes to the size of the main picture.

    Raises:
        MalformedError: A box is cut short, or the main picture has no size.
    """
    pictures = _Pictures()
    frames = [0]
    kind_of_track = b""
    for kind, body in boxes(data):
        if kind == b"meta":
            _read_meta(body, pictures)
        elif kind == b"hdlr":
            kind_of_track = slice_of(body, 8, 4)
        elif kind == b"stsz" and kind_of_track == b"pict":
            frames.append(struct.unpack(">I", slice_of(body, 8, 4))[0])
    size, cropped, turn = _shape(pictures)
    if _brands(data) & _AVIF:
        shown = max(frames) if b"avis" in _brands(data) else 0
        if shown > MOST_FRAMES:
            raise MalformedError(f"it has {shown} frames")
        return Container("avif", *size, max(shown, 1), 0, _exif(turn), data)
    # The decoder of HEIC crops and turns pictures by itself, that of AVIF does neither.
    width, height = reversed(cropped) if turn in (6, 8) else cropped
    return Container("heic", width, height, 1, 0, b"", data)


def _brands(data: bytes) -> frozenset[bytes]:
    length = min(struct.unpack(">I", slice_of(data, 0, 4))[0], 1024)
    body = data[8:length]
    return frozenset(body[start : start + 4] for start in range(0, len(body), 4) if start != 4)


def _read_meta(body: bytes, pictures: _Pictures) -> None:
    for kind, inside in _children(body[4:]):
        if kind == b"pitm":
            pictures.primary = _number(inside, 4, 2 if inside[:1] == b"\0" else 4)
        elif kind == b"iprp":
            for part, content in _children(inside):
                if part == b"ipco":
                    pictures.properties = list(_children(content))
                elif part == b"ipma":
                    _read_associations(content, pictures)


def _read_associations(body: bytes, pictures: _Pictures) -> None:
    long_ids, long_indices = body[:1] != b"\0", bool(_number(body, 3, 1) & 1)
    position = 8
    for _ in range(_number(body, 4, 4)):
        item = _number(body, position, 4 if long_ids else 2)
        position += 4 if long_ids else 2
        count = _number(body, position, 1)
        position += 1
        width = 2 if long_indices else 1
        found = [_number(body, position + width * each, width) for each in range(count)]
        pictures.of_item[item] = [index & (0x7FFF if long_indices else 0x7F) for index in found]
        position += width * count


def _shape(pictures: _Pictures) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Return width and height as stored and as cropped, and the EXIF orientation that makes the picture upright."""
    size: tuple[int, int] | None = None
    cropped: tuple[int, int] | None = None
    turn = 1
    for index in pictures.of_item.get(pictures.primary, []):
        if not 0 < index <= len(pictures.properties):
            continue
        kind, body = pictures.properties[index - 1]
        if kind == b"ispe":
            size = canvas(*struct.unpack(">II", slice_of(body, 4, 8)))
        elif kind == b"clap":
            wide, by, high, across = struct.unpack(">4I", slice_of(body, 0, 16))
            cropped = canvas(wide // max(by, 1), high // max(across, 1))
        elif kind == b"irot":
            turn = _TURNS.get(_number(body, 0, 1) & 3, 1)
    if size is None:
        raise MalformedError("its main picture has no size")
    return size, cropped or size, turn


def _children(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    for _ in range(_MOST_BOXES):
        if position >= len(body):
            return
        size, kind = struct.unpack(">I4s", slice_of(body, position, 8))
        if size < 8:
            raise MalformedError("a box has an impossible size")
        yield kind, slice_of(body, position + 8, size - 8)
        position += size
    raise MalformedError(f"it has more than {_MOST_BOXES} boxes")


def _number(body: bytes, start: int, length: int) -> int:
    return int.from_bytes(slice_of(body, start, length), "big")


def _exif(turn: int) -> bytes:
    return struct.pack("<4sIHHHIHH", b"II*\0", 8, 1, 0x0112, 3, 1, turn, 0) if turn != 1 else b""
