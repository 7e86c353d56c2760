"""What a file says about its picture, read from its structure without decoding a pixel.

The walkers exist because Pillow tells a picture's size only after it has allocated for it (WebP), warns where it
should refuse (pixel counts, malformed MPO and EXIF data), and accepts chunks with wrong check sums.
"""

from __future__ import annotations

from collections.abc import Callable

from persrv.images.containers.bmp import read_bmp
from persrv.images.containers.container import Container, MalformedError
from persrv.images.containers.gif import read_gif
from persrv.images.containers.heif import is_heif, read_heif
from persrv.images.containers.jpeg import read_jpeg
from persrv.images.containers.jxl import BOXED, STREAM, read_jxl
from persrv.images.containers.mp4 import read_mp4
from persrv.images.containers.png import read_png
from persrv.images.containers.svg import looks_like_svg, read_svg
from persrv.images.containers.tgs import read_tgs
from persrv.images.containers.tiff import read_tiff
from persrv.images.containers.webm import read_webm
from persrv.images.containers.webp import read_webp

__all__ = ["KINDS", "Container", "MalformedError", "begins_like_a_picture", "inspect"]

KINDS = "PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF, HEIC, JPEG XL, SVG, WebM, MP4 or TGS"
"""What is recognised, for people."""


_Reader = Callable[[bytes], Container]

_BY_BEGINNING: tuple[tuple[tuple[bytes, ...], _Reader], ...] = (
    ((b"\x89PNG\r\n\x1a\n",), read_png),
    ((b"\xff\xd8\xff",), read_jpeg),
    ((b"GIF87a", b"GIF89a"), read_gif),
    ((b"\x1a\x45\xdf\xa3",), read_webm),
    ((b"\x1f\x8b",), read_tgs),
    ((b"BM",), read_bmp),
    ((b"II*\0", b"MM\0*"), read_tiff),
    ((STREAM, BOXED), read_jxl),
)


def begins_like_a_picture(start: bytes) -> bool:
    """Return whether a file's first 32 bytes are those of some kind that is read; gzip, text and sound do not count."""
    other = start.startswith((b"\x1f\x8b", b"<")) or start[4:11] == b"ftypM4A"
    return not other and _reader(start) is not None


def inspect(data: bytes) -> Container:
    """Recognise a file by its first bytes and walk through its structure.

    Raises:
        MalformedError: The file is none of :data:`KINDS`, or its structure is broken or cut short.
    """
    reader = _reader(data)
    if reader is None:
        raise MalformedError(f"it is no sticker of a known kind ({KINDS})" if data else "it is empty")
    return reader(data)


def _reader(data: bytes) -> _Reader | None:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return read_webp
    if data[4:8] == b"ftyp":
        return read_heif if is_heif(data) else read_mp4
    for beginnings, reader in _BY_BEGINNING:
        if data.startswith(beginnings):
            return reader
    return read_svg if looks_like_svg(data) else None
