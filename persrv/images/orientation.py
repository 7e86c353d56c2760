"""Which way up a camera says that a picture is."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_TAG = 0x0112
_SHORT = 3


def orientation(exif: bytes) -> int:
    """Return the EXIF orientation, 1 to 8, from a block of TIFF bytes; 1 where it is absent or unreadable.

    Only this one tag is read, by hand: Pillow's reader warns about every other tag that is broken.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    if start + 2 > len(exif):
        return 1
    (entries,) = struct.unpack_from(f"{order}H", exif, start)
    for position in range(start + 2, start + 2 + 12 * entries, 12):
        if position + 12 > len(exif):
            break
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, position)
        if tag == _TAG:
            return int(value) if kind == _SHORT and 1 <= value <= 8 else 1
    return 1


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return width and height as shown: orientations 5 to 8 lie on their side."""
    return (height, width) if orientation >= 5 else (width, height)


def upright(frame: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return the frame, shape (h, w, 4), as it should be shown (EXIF 3.0, tag 0x0112)."""
    if orientation >= 5:
        frame = frame.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        frame = frame[:, ::-1]
    if orientation in (3, 4, 7, 8):
        frame = frame[::-1]
    return np.ascontiguousarray(frame)
