"""Writing what a command was asked to write."""

from __future__ import annotations

from pathlib import Path

from persrv.errors import SourceError


def write_text(file: Path, content: str) -> None:
    """Write a UTF-8 file.

    Raises:
        SourceError: The file cannot be written.
    """
    try:
        file.expanduser().write_text(content, encoding="utf-8")
    except OSError as error:
        raise SourceError(
            f"{file} cannot be written: {error.strerror or error}", "give a path in a folder that exists"
        ) from error
