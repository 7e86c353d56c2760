"""BMP, Windows' pictures without compression."""

from __future__ import annotations

import struct

from persrv.images.containers.container import Container, canvas, slice_of

_OLD_HEADER = 12


def read_bmp(data: bytes) -> Container:
    """Read the header; whether all pixels are there only decoding can say.

    Raises:
        MalformedError: The header is cut short, or claims no pixels.
    """
    (length,) = struct.unpack("<I", slice_of(data, 14, 4))
    if length == _OLD_HEADER:
        width, height = struct.unpack("<HH", slice_of(data, 18, 4))
    else:
        width, height = struct.unpack("<ii", slice_of(data, 18, 8))
    # A negative height says that the rows stand from top to bottom.
    return Container("bmp", *canvas(width, abs(height)), 1, 0, b"", data)
