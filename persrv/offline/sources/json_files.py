"""JSON that nobody vouches for: bounded in size, and taken apart without trusting its shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from persrv.errors import SourceError

LARGEST = 64_000_000
"""Bytes of a file that is read at once; a program's memory takes some ten times as much."""

_MOST_FILES = 100
_MOST_TO_RECOGNISE = 16_000_000


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


def find_tables(source: Path, fits: Callable[[Any], bool]) -> Iterator[tuple[Path, Any]]:
    """Yield the JSON files of a source that fit, with what they hold; files that cannot be read do not.

    Args:
        source: A JSON file, or a folder of which the first hundred JSON files are looked at.
        fits: Whether the content is what is sought.
    """
    for file in _json_files(source):
        try:
            about = file.stat()
            content = _remembered(file, about.st_size, about.st_mtime_ns)
        except (OSError, SourceError):
            continue
        if fits(content):
            yield file, content


def _json_files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source] if source.suffix.lower() == ".json" else []
    try:
        return sorted(file for file in source.glob("*.json") if not file.is_symlink())[:_MOST_FILES]
    except OSError:
        return []


@lru_cache(maxsize=16)
def _remembered(file: Path, size: int, mtime_ns: int) -> Any:
    """Return what a file holds; many that recognise a source ask for the same one."""
    return read_json(file, _MOST_TO_RECOGNISE)


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
