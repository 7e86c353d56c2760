"""Gives a sticker its id: the hash of its content."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from persrv.errors import CatalogError, PictureError

_ID = re.compile(r"[0-9a-f]{32}")


def content_id(content: Path | bytes) -> str:
    """Return the id of a picture: the first 32 hex digits of the SHA-256 of its file's bytes.

    Raises:
        PictureError: The file cannot be read.
    """
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()[:32]
    try:
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError as error:
        raise PictureError(f"{content} cannot be read: {error.strerror}", "check the file and its rights") from error


def sticker_id_of_key(loader: str, key: str) -> str:
    """Return the id of a sticker without a picture, which only its loader's key tells apart."""
    return content_id(f"persrv:{loader}:{key}".encode("utf-8", "surrogatepass"))


def check_sticker_id(sticker_id: str) -> str:
    """Return the id unchanged.

    Raises:
        CatalogError: It is not 32 lower-case hex digits.
    """
    if not _ID.fullmatch(sticker_id):
        raise CatalogError(f"{sticker_id!r} is no sticker id", "make ids with content_id")
    return sticker_id
