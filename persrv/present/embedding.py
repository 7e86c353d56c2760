"""Pictures as data URIs, for a page that needs no other file."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from persrv.images.web import WEB_FORMATS
from persrv.present.thumbnail import decoded, thumbnail

LARGEST = 200_000
"""Bytes up to which a file is embedded as it is; larger ones become stills of ``SIDE`` pixels."""

SIDE = 256


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture on a page.

    Attributes:
        uri: ``data:`` URI of the picture.
        still: ``data:`` URI of a still for people who asked for less motion, ``""`` where ``uri`` does not move.
    """

    uri: str
    still: str


def embedded(path: Path | None) -> Embedded | None:
    """Return the picture for embedding, ``None`` where the file is missing or may not or cannot be decoded.

    Every file is decoded first, within the usual limits: no browser gets one that hides more than it shows. What is no
    picture of the web becomes a still one.
    """
    picture = decoded(path)
    if path is None or picture is None:
        return None
    original = _content(path) if picture.format in WEB_FORMATS else None
    if original is None:
        return Embedded(_webp(thumbnail(picture, SIDE)), "")
    still = _webp(thumbnail(picture, SIDE)) if picture.animated else ""
    return Embedded(_uri(picture.format, original), still)


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError:
        return None
    return data if len(data) <= LARGEST else None


def _webp(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=85, method=4)
    return _uri("webp", buffer.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode('ascii')}"
