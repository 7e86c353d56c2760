"""A folder of pictures and short videos: each sub-folder is a pack, and a side-car beside a file may say what it means.

``happy_cat.png`` may be described by ``happy_cat.json``, an object whose keys are the fields of
:class:`~persrv.records.Semantics` (each a text or a list of texts) and ``language``, ``rating`` and ``style``;
and by ``happy_cat.txt``, one tag a line. Without a name from there, a picture is named by the words of its file name.
What a pack says about itself is read too: ``title.txt`` and ``emoji.txt`` in its folder, and what WhatsApp writes into
its WebP files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from persrv.offline.sources.known import Known
from persrv.offline.sources.pack_files import PACK_FILES, PackFiles, pack_files, read_pack_files
from persrv.offline.sources.walking import UnreadPicture, unread_pictures
from persrv.offline.sources.webp_exif import NOTHING, read_sticker_exif
from persrv.records import FIELDS, Semantics, Skipped, SourceSticker, Unchanged
from persrv.text.file_names import read_file_name

ARCHIVES = True

_ABOUT = ("language", "rating", "style")
_RATINGS = ("safe", "unsafe", "")
_LARGEST_SIDE_CAR = 1_000_000


@dataclass(slots=True)
class _SideCars:
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, phrases: tuple[str, ...]) -> None:
        self.texts[name] = self.texts.get(name, ()) + phrases


class _SideCarError(Exception):
    """A side-car cannot be used; its text says why."""


def stickers(
    source: Path, language: str = "", rating: Literal["", "safe", "unsafe"] = "", *, known: Known | None = None
) -> Iterator[SourceSticker | Unchanged | Skipped]:
    """Yield the folder's pictures in the order of their paths, each after the reports on its side-cars.

    The key is the path below ``source``. Hidden files and folders are passed over; links out of the folder, archives
    and kinds of pictures that are not read are reported. A pack's cover is no sticker.

    Args:
        source: The folder.
        language: BCP 47 tag of texts whose side-car names none.
        rating: ``"safe"`` or ``"unsafe"``, for pictures whose side-car says nothing.
        known: What earlier builds read.

    Raises:
        SourceError: ``source`` is no folder, or cannot be listed.
    """
    root = source.resolve()
    known = known or Known()
    folder, pack = Path(), PackFiles()
    for found in unread_pictures(root, known, pack_files, _side_cars):
        if not isinstance(found, UnreadPicture):
            yield found
            continue
        path, state = found.path, found.state
        if path.parent != folder:
            folder, pack = path.parent, read_pack_files(path.parent, root)
            yield from pack.problems
        if pack.problems:
            state = ""  # what is wrong is told at each build
        if pack.is_pack and path.stem.casefold() in pack.covers:
            known.leave_out(state)
            continue
        side_cars = _SideCars()
        for side_car in _side_cars(path):
            if side_car.name not in PACK_FILES and side_car.is_file():
                try:
                    _read(side_car, root, side_cars)
                except _SideCarError as error:
                    state = ""
                    yield Skipped(side_car.relative_to(root).as_posix(), str(error))
        yield replace(_sticker(path, root, pack, side_cars, language, rating), state=state)


def _side_cars(path: Path) -> tuple[Path, Path]:
    return path.with_suffix(".json"), path.with_suffix(".txt")


def _sticker(
    path: Path, root: Path, pack: PackFiles, side_cars: _SideCars, language: str, rating: str
) -> SourceSticker:
    inside = read_sticker_exif(path) if path.suffix.lower() == ".webp" else NOTHING
    if "name" not in side_cars.texts:
        for name, phrases in read_file_name(path.stem).items():
            side_cars.add(name, phrases)
    if emoji := (*pack.emoji.get(path.stem, ()), *inside.emoji):
        side_cars.add("emoji", emoji)
    place = path.parent.relative_to(root).as_posix()
    return SourceSticker(
        key=path.relative_to(root).as_posix(),
        path=path,
        pack=pack.title or inside.pack or ("" if place == "." else place),
        semantics=Semantics(**side_cars.texts),
        language=side_cars.about.get("language", language),
        rating=side_cars.about.get("rating", rating),
        style=side_cars.about.get("style", ""),
    )


def _read(side_car: Path, root: Path, side_cars: _SideCars) -> None:
    if side_car.is_symlink() and not side_car.resolve().is_relative_to(root):
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
            side_cars.add(name, tuple(p.strip() for p in phrases if p.strip()))
        elif not isinstance(value, str) or (name == "rating" and value not in _RATINGS):
            problems.append(f"{name} = {value!r} is not possible")
        else:
            side_cars.about[name] = value
    if problems:
        raise _SideCarError("; ".join(problems))
