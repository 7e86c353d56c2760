"""An export by Telegram Desktop, ``result.json`` with its files: the stickers of one chat or of all, and who sent them.

Each sticker has its emoji; an export names no packs. A person is known by Telegram's own id, such as ``user123``, since
names change. Stickers that were forwarded or came from a bot, and those of channels, are nobody's taste.

No message's text is kept. With ``keep_text`` a sticker that answers a text is a pick for its beginning: what people
would type to find that answer again.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from persrv.errors import SourceError
from persrv.offline.sources.files_beside import file_below
from persrv.offline.sources.json_files import rows, table, text
from persrv.offline.sources.json_stream import BrokenJsonError, stream_objects
from persrv.records import Semantics, Skipped, SourcePick, SourceSticker
from persrv.text.emoji_sequences import emoji_in

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "Telegram Desktop export"
KEEPS = "stickers and custom emoji with their emoji, who sent which sticker when"
LEAVES = "texts of messages (unless keep_text = true), photos, voices, names, phone numbers"

_TABLE = "result.json"
_MESSAGES = ("messages.item", "chats.list.item.messages.item", "left_chats.list.item.messages.item")
_CHATS = ("name", "type", "id")
_LONGEST_QUERY = 80
_REMEMBERED = 10_000
"""Texts of one chat that an answer may refer to, counted backwards."""
_ANSWERED_WITHIN = 300
"""Seconds after which a sticker no longer answers the message before it."""
_BEGINNING = 65_536
_SIGNS = re.compile(
    rb'"personal_information"|"type"\s*:\s*"(?:saved_messages|replies|personal_chat|bot_chat|verification_codes|'
    rb'private_group|private_supergroup|public_supergroup|private_channel|public_channel)"'
)


@dataclass(slots=True)
class _Chat:
    """What is remembered of the chat that is being read."""

    texts: OrderedDict[Any, str] = field(default_factory=OrderedDict)
    last: tuple[str, str, float] = ("", "", 0.0)


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where it is no export."""
    table = source / _TABLE if source.is_dir() else source
    if table.suffix.lower() != ".json" or not table.is_file():
        return ""
    with table.open("rb") as file:
        start = file.read(_BEGINNING)
    if not _SIGNS.search(start):
        return ""
    return (
        f"{TITLE} of the whole account"
        if b'"personal_information"' in start or b'"chats"' in start
        else (f"{TITLE} of one chat")
    )


def stickers(source: Path, keep_text: bool = False) -> Iterator[SourceSticker | Skipped]:
    """Yield every sticker that was sent, and every custom emoji whose file is there, each once.

    Args:
        source: The export's folder, or its ``result.json``.
        keep_text: For :func:`interactions`.

    Raises:
        SourceError: There is no export.
    """
    file, root = _opened(source)
    seen: set[str] = set()
    absent = 0
    try:
        for message in _messages(file):
            for key, emoji in _shown(message):
                if key in seen:
                    continue
                path = file_below(root, key)
                if path is None:
                    absent += 1
                    continue
                seen.add(key)
                yield SourceSticker(key=key, path=path, semantics=Semantics(emoji=emoji))
    except BrokenJsonError as error:
        yield Skipped(file.name, str(error))
    if absent:
        reason = f"{absent} stickers were sent whose files are not in the export; export again with stickers chosen"
        yield Skipped(file.name, reason)


def interactions(source: Path, keep_text: bool = False) -> Iterator[SourcePick | Skipped]:
    """Yield who sent which sticker when, in the order of the export.

    Args:
        source: The export's folder, or its ``result.json``.
        keep_text: Whether the text that a sticker answers becomes the pick's query, its first 80 characters.

    Raises:
        SourceError: There is no export.
    """
    file, root = _opened(source)
    chat = _Chat()
    try:
        for message in _messages(file, on_chat=chat):
            time = _time(message)
            who = text(message.get("from_id"))
            query = _answered(message, chat, who, time) if keep_text else ""
            if _is_sticker(message):
                key = _key(message.get("file"))
                own = not ({"forwarded_from", "forwarded_from_id", "saved_from", "via_bot"} & message.keys())
                if key and own and who.startswith("user") and file_below(root, key) is not None:
                    yield SourcePick(user=who, query=query, key=key, time=time, kind="send")
            elif keep_text:
                _remember(message, chat, who, time)
    except BrokenJsonError as error:
        yield Skipped(file.name, str(error))


def _opened(source: Path) -> tuple[Path, Path]:
    table = source / _TABLE if source.is_dir() else source
    if not table.is_file():
        raise SourceError(f"{source} holds no {_TABLE}", "export from Telegram Desktop as machine-readable JSON")
    return table, table.parent.resolve()


def _messages(table: Path, on_chat: _Chat | None = None) -> Iterator[dict[str, Any]]:
    headers = [place.removesuffix("messages.item") + "id" for place in _MESSAGES]
    for place, found in stream_objects(table, _MESSAGES, headers):
        if place not in _MESSAGES:
            if on_chat is not None:
                on_chat.texts.clear()
                on_chat.last = ("", "", 0.0)
        elif isinstance(found, dict):
            yield found


def _is_sticker(message: dict[str, Any]) -> bool:
    return message.get("type") == "message" and message.get("media_type") == "sticker"


def _shown(message: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the files and emoji of a message's sticker and custom emoji."""
    if _is_sticker(message):
        yield _key(message.get("file")), emoji_in(text(message.get("sticker_emoji")))
    for entity in rows(message.get("text_entities")):
        if entity.get("type") == "custom_emoji" and (key := _key(entity.get("document_id"))).endswith(_ENDINGS):
            yield key, emoji_in(text(entity.get("text")))


_ENDINGS = (".webp", ".webm", ".tgs", ".png")


def _key(file: Any) -> str:
    """Return a file's place below the export; remarks such as "(File not included...)" are none."""
    place = text(file)
    return "" if place.startswith("(") else os.path.normpath(place).replace("\\", "/") if place else ""


def _time(message: dict[str, Any]) -> datetime | None:
    for value in (message.get("date_unixtime"), message.get("date")):
        try:
            if text(value).isdecimal():
                return datetime.fromtimestamp(int(text(value)), UTC)
            return datetime.fromisoformat(text(value)).replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _answered(message: dict[str, Any], chat: _Chat, who: str, time: datetime | None) -> str:
    """Return the text that a message answers: the one it names, else somebody else's just before it."""
    named = message.get("reply_to_message_id")
    if named is not None:
        return chat.texts.get(named, "") if isinstance(named, int | str) else ""
    speaker, query, at = chat.last
    soon = time is not None and 0 <= time.timestamp() - at <= _ANSWERED_WITHIN
    return query if soon and speaker != who else ""


def _remember(message: dict[str, Any], chat: _Chat, who: str, time: datetime | None) -> None:
    parts = message.get("text")
    pieces = parts if isinstance(parts, list) else [parts]
    plain = [piece if isinstance(piece, str) else text(table(piece).get("text")) for piece in pieces]
    query = " ".join("".join(plain).split())[:_LONGEST_QUERY]
    query = query.encode("utf-8", "replace").decode()
    number = message.get("id")
    if isinstance(number, int | str) and query:
        chat.texts[number] = query
        while len(chat.texts) > _REMEMBERED:
            chat.texts.popitem(last=False)
    chat.last = (who, query, time.timestamp() if time else 0.0)
