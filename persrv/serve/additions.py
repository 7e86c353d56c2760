"""Stickers that a client adds: many pictures go in several requests, each small enough for the service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persrv.online.sticker_commands import AddReport
from persrv.records import Skipped
from persrv.serve.calls import ServiceCall
from persrv.serve.read_answers import read_sticker

MOST_FILES = 32
MOST_BYTES = 8_000_000
"""Of one request, as long as it has more than one picture; services take 25 MB unless they were told otherwise."""


@dataclass
class _Batch:
    """Pictures of one request."""

    files: list[tuple[str, tuple[str, bytes]]] = field(default_factory=list)
    size: int = 0

    def holds(self, content: bytes) -> bool:
        """Return whether one more picture finds room."""
        return not self.files or (len(self.files) < MOST_FILES and self.size + len(content) <= MOST_BYTES)

    def put(self, name: str, content: bytes) -> None:
        """Take one more picture."""
        self.files.append(("pictures", (name, content)))
        self.size += len(content)


def additions(
    pictures: Iterable[str | Path | bytes],
    pack: str,
    tags: Iterable[str],
    texts: Mapping[str, Iterable[str]] | None,
    language: str,
    rating: str,
    style: str,
    unread: list[Skipped],
) -> Iterator[ServiceCall[AddReport]]:
    """Yield the calls that add pictures, see :meth:`persrv.online.retriever.Retriever.add`.

    Pictures are read as the calls are taken; those that cannot be read are put into ``unread``.
    """
    form = {
        "pack": pack,
        "tags": [*tags],
        "texts": json.dumps({name: [*phrases] for name, phrases in (texts or {}).items()}),
        "language": language,
        "rating": rating,
        "style": style,
    }
    batch = _Batch()
    for given in pictures:
        picture = Path(given) if isinstance(given, str) else given
        try:
            content = picture if isinstance(picture, bytes) else picture.read_bytes()
        except OSError as error:
            unread.append(Skipped(str(picture), f"it cannot be read: {error.strerror or error}"))
            continue
        if not batch.holds(content):
            yield _call(batch, form)
            batch = _Batch()
        batch.put(f"{len(content)} bytes" if isinstance(picture, bytes) else picture.name, content)
    if batch.files:
        yield _call(batch, form)


def joined(reports: Sequence[AddReport], unread: Sequence[Skipped]) -> AddReport:
    """Return several reports, and what was never sent, as one report with each sticker once."""
    stickers = {sticker.id: sticker for report in reports for sticker in report.stickers}
    return AddReport(tuple(stickers.values()), (*unread, *(item for report in reports for item in report.skipped)))


def _call(batch: _Batch, form: Mapping[str, Any]) -> ServiceCall[AddReport]:
    return ServiceCall("POST", "/v1/stickers", _report, {"stickers": True}, files=batch.files, form=form)


def _report(body: Any) -> AddReport:
    skipped = tuple(Skipped(item["name"], item["reason"]) for item in body["skipped"])
    return AddReport(tuple(map(read_sticker, body["stickers"])), skipped)
