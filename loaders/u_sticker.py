"""U-Sticker (arXiv 2502.19108): conversations ``1.json`` to ``67.json``, their domains, and the stickers' files.

A message has ``message_id``, ``from_id``, ``reply_id``, ``sticker`` (a path) and ``text``, and perhaps a time.
``idx_to_domain.txt`` has a line ``FILE,DOMAIN`` for each conversation; a domain is a pack. The data set is published
for its texts: a sticker that answers a text is a pick for its beginning.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from persrv.errors import SourceError
from persrv.offline.sources.files_beside import file_below
from persrv.offline.sources.json_files import text
from persrv.offline.sources.json_stream import BrokenJsonError, stream_objects
from persrv.records import Semantics, Skipped, SourcePick, SourceSticker

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "U-Sticker"
KEEPS = "stickers, who sent which when, the beginning of the text that each answers, domains as packs"
LEAVES = "all other texts"

_DOMAINS = "idx_to_domain.txt"
_LONGEST_QUERY = 80
_REMEMBERED = 10_000
_PLACES = ("item", "")


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where it has no ``idx_to_domain.txt``."""
    return TITLE if source.is_dir() and (source / _DOMAINS).is_file() and _conversations(source) else ""


def stickers(source: Path) -> Iterator[SourceSticker | Skipped]:
    """Yield every sticker that was sent, once; those whose file is not there are known by name only.

    Raises:
        SourceError: There are no conversations.
    """
    root = source.resolve()
    domains = _domains(root)
    seen: set[str] = set()
    for file in _conversations(root) or _none(root):
        try:
            for message in _messages(file):
                key = text(message.get("sticker"))
                if key and key not in seen:
                    seen.add(key)
                    path = file_below(root, key) or file_below(root, f"stickers/{key}")
                    yield SourceSticker(key, path, domains.get(file.stem, ""), Semantics())
        except BrokenJsonError as error:
            yield Skipped(file.name, str(error))


def interactions(source: Path) -> Iterator[SourcePick | Skipped]:
    """Yield who sent which sticker, conversation by conversation.

    Raises:
        SourceError: There are no conversations.
    """
    root = source.resolve()
    for file in _conversations(root) or _none(root):
        queries: OrderedDict[str, str] = OrderedDict()
        try:
            for message in _messages(file):
                key, who = text(message.get("sticker")), _name(message.get("from_id"))
                if key and who:
                    query = queries.get(_name(message.get("reply_id")), "")
                    yield SourcePick(user=who, query=query, key=key, time=_time(message), kind="send")
                elif words := " ".join(text(message.get("text")).split())[:_LONGEST_QUERY]:
                    queries[_name(message.get("message_id"))] = words
                    while len(queries) > _REMEMBERED:
                        queries.popitem(last=False)
        except BrokenJsonError as error:
            yield Skipped(file.name, str(error))


def _conversations(root: Path) -> list[Path]:
    found = [file for file in root.glob("*.json") if file.stem.isdecimal()]
    return sorted(found, key=lambda file: (len(file.stem), file.stem))


def _none(root: Path) -> list[Path]:
    raise SourceError(f"{root} holds no conversation such as 1.json", "name the data set's folder")


def _messages(file: Path) -> Iterator[dict[str, Any]]:
    for _, message in stream_objects(file, _PLACES):
        yield message


def _domains(root: Path) -> dict[str, str]:
    try:
        lines = (root / _DOMAINS).read_text(encoding="utf-8-sig", errors="replace")[:100_000].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(",") for line in lines)
    return {name.strip().removesuffix(".json"): domain.strip() for name, _, domain in pairs if domain.strip()}


def _name(value: Any) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)


def _time(message: dict[str, Any]) -> datetime | None:
    for name in ("date", "timestamp", "time"):
        value = message.get(name)
        try:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
            if text(value):
                found = datetime.fromisoformat(text(value))
                return found.replace(tzinfo=UTC) if found.tzinfo is None else found
        except (ValueError, OverflowError, OSError):
            continue
    return None
