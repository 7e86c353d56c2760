"""JSON that nobody vouches for: bounded in size, and taken apart without trusting its shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from persrv.errors import SourceError

LARGEST = 64_000_000
"""Bytes of a file that is read at once; a program's memory takes some ten times as much."""


def read_json(file: Path, largest: int = LARGEST) -> Any:
    """Return what a JSON file holds, with or without a byte order mark.

    Raises:
        SourceError: It cannot be read, is too large, or is no JSON; the text names it.
    """
    try:
        if file.stat().st_size > largest:
            raise SourceError(f"{file} is larger than {largest} bytes", "split it, or leave it out")
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{file} cannot be read as JSON: {reason}", "export it again") from error


def text(value: Any) -> str:
    """Return a value that should be text, stripped, as valid UTF-8; ``""`` for anything else."""
    return value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, without empty ones and what is no text; a single text counts as a list of it."""
    several = value if isinstance(value, list) else [value]
    return tuple(found for each in several if (found := text(each)))


def table(value: Any) -> dict[str, Any]:
    """Return a JSON object, ``{}`` for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, without what is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
