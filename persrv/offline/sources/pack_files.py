"""What lies beside the pictures of a pack: its title, its author, its cover, and an emoji for each picture.

The files are those that sticker-convert writes, and many others with it: ``title.txt``, ``author.txt``, ``cover.*``,
and ``emoji.txt``, a JSON object from a picture's name without its ending to its emoji, several in a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from persrv.errors import SourceError
from persrv.offline.sources.json_files import read_json, table, text
from persrv.records import Skipped
from persrv.text.emoji_sequences import emoji_in

_LARGEST = 1_000_000
_LONGEST_TITLE = 300
PACK_FILES = ("title.txt", "author.txt", "emoji.txt")


@dataclass(frozen=True, slots=True)
class PackFiles:
    """What a pack says about itself.

    Attributes:
        title: Its name, ``""`` where it says none.
        author: Who made it.
        emoji: Picture's name without its ending, to its emoji.
        texts: The same, to what else is said of it, by field of :class:`~persrv.records.Semantics`.
        ratings: The same, to its rating.
        is_pack: Whether any of these files is there; then its covers are no stickers.
        covers: Names of covers without their endings, in lower case.
        problems: Files that could not be used.
    """

    title: str = ""
    author: str = ""
    emoji: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    ratings: Mapping[str, str] = field(default_factory=dict)
    is_pack: bool = False
    covers: frozenset[str] = frozenset(("cover",))
    problems: tuple[Skipped, ...] = ()


def pack_files(folder: Path) -> list[Path]:
    """Return the files that :func:`read_pack_files` reads; they need not be there."""
    return [folder / name for name in PACK_FILES]


def read_pack_files(folder: Path, root: Path) -> PackFiles:
    """Return what a folder says about the pack in it; files that cannot be used are reported.

    Args:
        folder: The pack's folder.
        root: The source's folder, resolved; links out of it are not followed.
    """
    there = [file for file in pack_files(folder) if file.is_file()]
    problems: list[Skipped] = []
    found: dict[str, str] = {}
    emoji: dict[str, tuple[str, ...]] = {}
    for file in there:
        key = file.relative_to(root).as_posix()
        if not file.resolve().is_relative_to(root):
            problems.append(Skipped(key, "it is a link to a file outside the folder"))
            continue
        try:
            if file.name == "emoji.txt":
                emoji = {stem: emoji_in(text(listed)) for stem, listed in table(read_json(file, _LARGEST)).items()}
            else:
                found[file.stem] = _line(file)
        except (SourceError, OSError, ValueError) as error:
            problem = error.problem if isinstance(error, SourceError) else f"it cannot be read: {error}"
            problems.append(Skipped(key, problem))
    return PackFiles(
        title=found.get("title", ""),
        author=found.get("author", ""),
        emoji=emoji,
        is_pack=bool(there),
        problems=tuple(problems),
    )


def _line(file: Path) -> str:
    with file.open("rb") as content:
        start = content.read(4 * _LONGEST_TITLE)
    return " ".join(start.decode("utf-8-sig").split())[:_LONGEST_TITLE]
