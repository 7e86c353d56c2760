"""What a file says about its picture, read from its structure without decoding a pixel.

The walkers exist because Pillow tells a picture's size only after it has allocated for it (WebP), warns where it
should refuse (pixel counts, malformed MPO and EXIF data), and accepts chunks with wrong check sums.
"""

from __future__ import annotations

from persrv.images.containers.container import Container, MalformedError
from persrv.images.containers.gif import read_gif
from persrv.images.containers.jpeg import read_jpeg
from persrv.images.containers.mp4 import read_mp4
from persrv.images.containers.png import read_png
from persrv.images.containers.tgs import read_tgs
from persrv.images.containers.webm import read_webm
from persrv.images.containers.webp import read_webp

__all__ = ["Container", "MalformedError", "inspect"]


def inspect(data: bytes) -> Container:
    """Recognise a file by its first bytes and walk through its structure.

    Raises:
        MalformedError: The file is none of PNG, JPEG, GIF, WebP, WebM, MP4 and TGS, or its structure is broken or cut
            short.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return read_png(data)
    if data.startswith(b"\xff\xd8\xff"):
        return read_jpeg(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return read_gif(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return read_webp(data)
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return read_webm(data)
    if data[4:8] == b"ftyp":
        return read_mp4(data)
    if data.startswith(b"\x1f\x8b"):
        return read_tgs(data)
    raise MalformedError("it is no PNG, JPEG, GIF, WebP, WebM, MP4 or TGS sticker" if data else "it is empty")
