"""Objects out of JSON that may be larger than memory, one after another."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from persrv.errors import SourceError

DEEPEST = 64
"""Levels of nesting above which a file is no export, but made to fill the memory."""

LARGEST = 16 << 20
"""Bytes of one object, or between two that are looked for."""

_PIECE = 1 << 16
_UNQUOTED = re.compile(rb'("document_id"\s*:\s*)(\([^"\n]*?\))(?=\s*[,}\n])')
"""Telegram Desktop 4.1.1 wrote remarks in brackets without quotes, which is no JSON."""


class BrokenJsonError(Exception):
    """A file is no JSON from some place on; its text says why."""


def stream_objects(
    file: Path, objects: Collection[str], values: Collection[str] = (), most_bytes: int = LARGEST
) -> Iterator[tuple[str, Any]]:
    """Yield what stands at some places of a file, with its place, in the file's order.

    A place is written as keys with dots between them, ``item`` for any item of a list: ``chats.list.item.name``.

    Args:
        file: A JSON file, or several JSON documents one after another.
        objects: Places whose objects are yielded whole.
        values: Places whose texts and numbers are yielded.
        most_bytes: Largest object.

    Raises:
        SourceError: The file cannot be opened.
        BrokenJsonError: It is no JSON from here on, is nested too deeply, or an object is too large.
    """
    try:
        with file.open("rb") as content:
            yield from _walk(_Bounded(content, most_bytes), objects, values)
    except OSError as error:
        raise SourceError(f"{file} cannot be read: {error.strerror or error}", "check its rights") from error


def _walk(source: _Bounded, objects: Collection[str], values: Collection[str]) -> Iterator[tuple[str, Any]]:
    path: list[str] = []
    builder: Any = None
    at = 0
    try:
        for event, value in ijson.basic_parse(source, use_float=True, multiple_values=True):
            if event == "map_key":
                path[-1] = value
            if builder is not None:
                builder.event(event, value)
            if event in ("start_map", "start_array"):
                if builder is None and event == "start_map" and _place(path) in objects:
                    builder, at = ijson.ObjectBuilder(), len(path)
                    builder.event(event, value)
                path.append("item" if event == "start_array" else "")
                if len(path) > DEEPEST:
                    raise BrokenJsonError(f"it is nested more than {DEEPEST} levels deep")
            elif event in ("end_map", "end_array"):
                path.pop()
                if builder is not None and len(path) == at:
                    yield _place(path), builder.value
                    builder = None
                    source.passed()
            elif builder is None and event != "map_key" and values and _place(path) in values:
                yield _place(path), value
    except (ijson.JSONError, UnicodeDecodeError, OverflowError) as error:
        raise BrokenJsonError(f"it is no JSON from here on: {str(error).splitlines()[0]}") from error


def _place(path: list[str]) -> str:
    return ".".join(path)


class _Bounded:
    """Reads a file, and refuses to hold more than a bound between two objects."""

    def __init__(self, content: IO[bytes], most_bytes: int) -> None:
        self._content = content
        self._most = most_bytes
        self._held = 0
        self._first = True

    def read(self, size: int) -> bytes:
        if size == 0:
            return b""
        data = self._content.read(min(size, _PIECE)) if size > 0 else self._content.read(_PIECE)
        if data and data[-1:] != b"\n":
            data += self._content.readline(_PIECE)  # so that a remark is not cut in two
        if self._first:
            data, self._first = data.removeprefix(b"\xef\xbb\xbf"), False
        self._held += len(data)
        if self._held > self._most + 2 * _PIECE:
            raise BrokenJsonError(f"an object is larger than {self._most} bytes")
        return _UNQUOTED.sub(rb'\1"\2"', data) if b'"document_id"' in data else data

    def passed(self) -> None:
        self._held = 0
