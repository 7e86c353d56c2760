"""A folder of pictures and short videos: each sub-folder is a pack, and a side-car beside a file may say what it means.

``happy_cat.png`` may be described by ``happy_cat.json``, an object whose keys are the fields of
:class:`~persrv.records.Semantics` (each a text or a list of texts) and ``language``, ``rating`` and ``style``;
and by ``happy_cat.txt``, one tag a line. Without a name from there, a picture is named by the words of its file name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from persrv.errors import SourceError
from persrv.records import FIELDS, Semantics, Skipped, SourceSticker

SUFFIXES = frozenset({".png", ".apng", ".jpg", ".jpeg", ".webp", ".gif", ".webm", ".mp4", ".tgs"})
"""File names that end in one of these, in any case, are stickers; what they hold is looked at when they are read."""

_ABOUT = ("language", "rating", "style")
_RATINGS = ("safe", "unsafe", "")
_LARGEST_SIDE_CAR = 1_000_000
_SAYS_NOTHING = re.compile(
    r"[\W\d_]*|(?=[^\W_]*\d)[0-9a-f]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
"""A number, a hash or a UUID."""
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


@dataclass(slots=True)
class _Said:
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)


class _SideCarError(Exception):
    """A side-car cannot be used; its text says why."""


def stickers(
    source: Path, language: str = "", rating: Literal["", "safe", "unsafe"] = ""
) -> Iterator[SourceSticker | Skipped]:
    """Yield the folder's pictures in the order of their paths, each after the reports on its side-cars.

    The key is the path below ``source``. Hidden files and folders are passed over; so are linked folders, and linked
    pictures that lie elsewhere are reported.

    Args:
        source: The folder.
        language: BCP 47 tag of texts whose side-car names none.
        rating: ``"safe"`` or ``"unsafe"``, for pictures whose side-car says nothing.

    Raises:
        SourceError: ``source`` is no folder, or cannot be listed.
    """
    if not source.is_dir():
        raise SourceError(f"{source} is no folder", "name a folder of pictures")
    root = source.resolve()
    for path in _pictures(root):
        if isinstance(path, Skipped):
            yield path
            continue
        key = path.relative_to(root).as_posix()
        if key != key.encode("utf-8", "replace").decode():
            yield Skipped(ascii(key), "its path is not valid UTF-8")
            continue
        if not path.is_file():
            yield Skipped(key, "it is a link to nothing, or no plain file")
            continue
        if not path.resolve().is_relative_to(root):
            yield Skipped(key, "it is a link to a file outside the folder")
            continue
        said = _Said()
        for side_car in (path.with_suffix(".json"), path.with_suffix(".txt")):
            if side_car.is_file():
                try:
                    _read(side_car, root, said)
                except _SideCarError as error:
                    yield Skipped(side_car.relative_to(root).as_posix(), str(error))
        if "name" not in said.texts and (words := _words(path.stem)):
            said.texts["name"] = (words,)
        pack = path.parent.relative_to(root).as_posix()
        yield SourceSticker(
            key=key,
            path=path,
            pack="" if pack == "." else pack,
            semantics=Semantics(**said.texts),
            language=said.about.get("language", language),
            rating=said.about.get("rating", rating),
            style=said.about.get("style", ""),
        )


def _pictures(root: Path) -> list[Path | Skipped]:
    """Return the folders that cannot be listed, then the pictures, each in the order of their paths."""
    closed: list[OSError] = []
    found: list[Path] = []
    for folder, folders, files in os.walk(root, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        shown = [Path(name) for name in files if not name.startswith(".")]
        found += [Path(folder, name) for name in shown if name.suffix.lower() in SUFFIXES]
    reports = []
    for error in closed:
        if Path(error.filename) == root:
            raise SourceError(f"{root} cannot be listed: {error.strerror}", "check its rights") from error
        reports.append(
            Skipped(Path(error.filename).relative_to(root).as_posix(), f"cannot be listed: {error.strerror}")
        )
    reports.sort(key=lambda report: report.key)
    return [*reports, *sorted(found, key=lambda path: path.relative_to(root).as_posix())]


def _read(side_car: Path, root: Path, said: _Said) -> None:
    if not side_car.resolve().is_relative_to(root):
        raise _SideCarError("it is a link to a file outside the folder")
    try:
        if side_car.stat().st_size > _LARGEST_SIDE_CAR:
            raise _SideCarError(f"it is larger than {_LARGEST_SIDE_CAR} bytes")
        text = side_car.read_text(encoding="utf-8-sig")
        content = json.loads(text) if side_car.suffix == ".json" else {"tags": text.split("\n")}
    except (OSError, ValueError, RecursionError) as error:
        raise _SideCarError(f"it cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise _SideCarError("it holds no JSON object")
    problems = []
    for name, value in content.items():
        phrases = value if isinstance(value, list) else [value]
        if name not in FIELDS and name not in _ABOUT:
            problems.append(f"unknown key {name!r}, known are {', '.join((*FIELDS, *_ABOUT))}")
        elif not all(isinstance(phrase, str) for phrase in phrases):
            problems.append(f"{name} is neither a text nor a list of texts")
        elif name in FIELDS:
            said.texts[name] = said.texts.get(name, ()) + tuple(p.strip() for p in phrases if p.strip())
        elif not isinstance(value, str) or (name == "rating" and value not in _RATINGS):
            problems.append(f"{name} = {value!r} is not possible")
        else:
            said.about[name] = value
    if problems:
        raise _SideCarError("; ".join(problems))


def _words(stem: str) -> str:
    """Return a file name's words, ``""`` where it is only a number, a hash or the like."""
    if _SAYS_NOTHING.fullmatch(stem):
        return ""
    return " ".join(word for word in _BETWEEN_WORDS.split(stem) if word and not word.isdecimal())
