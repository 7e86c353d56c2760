"""TIFF (revision 6.0); of several pages the first one."""

from __future__ import annotations

import struct

from persrv.images.containers.container import Container, MalformedError, canvas, slice_of
from persrv.images.orientation import orientation, upright_size

_WIDTH, _HEIGHT = 256, 257
_SHORT, _LONG = 3, 4


def read_tiff(data: bytes) -> Container:
    """Read the first directory of tags; what only decoding can find, decoding finds.

    Pillow turns a TIFF upright by itself, so the size is the turned one and there is no EXIF block.

    Raises:
        MalformedError: The directory is cut short, or names no size.
    """
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack(f"{order}I", slice_of(data, 4, 4))
    (entries,) = struct.unpack(f"{order}H", slice_of(data, start, 2))
    sizes: dict[int, int] = {}
    for number in range(entries):
        entry = slice_of(data, start + 2 + 12 * number, 12)
        tag, kind, count = struct.unpack(f"{order}HHI", entry[:8])
        if tag in (_WIDTH, _HEIGHT) and count == 1 and kind in (_SHORT, _LONG):
            (sizes[tag],) = struct.unpack(
                f"{order}{'H' if kind == _SHORT else 'I'}", entry[8 : 10 if kind == 3 else 12]
            )
    if len(sizes) < 2:
        raise MalformedError("it names no size")
    size = upright_size(*canvas(sizes[_WIDTH], sizes[_HEIGHT]), orientation(data))
    return Container("tiff", *size, 1, 0, b"", data)
