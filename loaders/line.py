"""LINE's packs: ``productInfo.meta`` beside the pictures of stickers, ``meta.json`` beside those of emoji.

Of a sticker that moves, the moving file is taken; small copies and the pictures of tabs are no stickers. A text that
LINE draws into a sticker counts as read in the picture. ``keywords`` are people's words: of a sticker in the table, or
in ``keywords.json``, an object from a sticker's id to its keywords.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persrv.errors import SourceError
from persrv.offline.sources.files_beside import file_below
from persrv.offline.sources.json_files import find_tables, read_json, rows, table, text, texts
from persrv.offline.sources.walking import folders_of
from persrv.records import Semantics, Skipped, SourceSticker

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "LINE packs"
KEEPS = "stickers and emoji, titles in all languages, texts drawn in, keywords"
LEAVES = "sounds, pictures of tabs and keys, authors"

_TABLE = "productInfo.meta"
_STICKER = (
    "animation@2x/{}@2x.png",
    "animation/{}@2x.png",
    "animation/{}.png",
    "popup/{}.png",
    "{}@2x.png",
    "{}.png",
    "{}/sticker@2x.png",
)
_EMOJI = ("{}_animation.png", "{}.png")


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no folder in it is a pack of LINE."""
    if not source.is_dir():
        return ""
    folders = folders_of(source)
    if any((folder / _TABLE).is_file() for folder in folders):
        return TITLE
    return "LINE emoji" if any(True for folder in folders for _ in find_tables(folder / "meta.json", _is_emoji)) else ""


def stickers(source: Path, language: str = "en") -> Iterator[SourceSticker | Skipped]:
    """Yield the stickers of all packs.

    Args:
        source: The pack's folder, or that of several packs.
        language: Of the pack's title, where it has one in this language; else English, else the first.
    """
    root = source.resolve()
    for folder in folders_of(root, most=100_000):
        if (folder / _TABLE).is_file():
            yield from _stickers(root, folder, language)
        else:
            for _, content in find_tables(folder / "meta.json", _is_emoji):
                yield from _emoji(root, folder, content, language)


def _is_emoji(content: Any) -> bool:
    return "sticonResourceType" in table(content) and isinstance(content.get("orders"), list)


def _stickers(root: Path, folder: Path, language: str) -> Iterator[SourceSticker | Skipped]:
    key = (folder / _TABLE).relative_to(root).as_posix()
    try:
        about = table(read_json(folder / _TABLE))
    except SourceError as error:
        yield Skipped(key, error.problem)
        return
    words: dict[str, Any] = {}
    for _, content in find_tables(folder / "keywords.json", lambda content: isinstance(content, dict)):
        words = content
    pack, titles = _titles(about.get("title"), language)
    for entry in rows(about.get("stickers")):
        number = str(entry.get("id"))
        semantics = Semantics(
            ocr=texts(table(entry.get("customPlus")).get("defaultText")),
            keywords=(*texts(entry.get("keywords")), *texts(words.get(number))),
            pack=titles,
        )
        yield _found(root, folder, number, _STICKER, pack, semantics)


def _emoji(root: Path, folder: Path, about: dict[str, Any], language: str) -> Iterator[SourceSticker | Skipped]:
    pack, titles = _titles(about.get("title"), language)
    words = table(about.get("keywords"))
    for number in texts([str(each) for each in about["orders"] if isinstance(each, str | int)]):
        semantics = Semantics(keywords=texts(words.get(number)), pack=titles)
        yield _found(root, folder, number, _EMOJI, pack, semantics)


def _found(
    root: Path, folder: Path, number: str, places: tuple[str, ...], pack: str, semantics: Semantics
) -> SourceSticker | Skipped:
    path = next((path for place in places if (path := file_below(folder, place.format(number)))), None)
    if path is None or not number.isalnum():
        return Skipped(f"{folder.relative_to(root).as_posix()}/{number}", "the pack's table names it, it is not there")
    return SourceSticker(key=path.relative_to(root).as_posix(), path=path, pack=pack, semantics=semantics)


def _titles(title: Any, language: str) -> tuple[str, tuple[str, ...]]:
    """Return the title to show, and those in other languages, by which the pack is found too."""
    by_language = {name: text(value) for name, value in table(title).items() if text(value)}
    chosen = by_language.get(language) or by_language.get("en") or next(iter(by_language.values()), text(title))
    return chosen, tuple(dict.fromkeys(value for value in by_language.values() if value != chosen))
