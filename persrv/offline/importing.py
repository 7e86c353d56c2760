"""What a source of stickers is, what it holds, and a recipe for it: the way in for people who only have the files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from persrv.errors import RecipeError, SourceError
from persrv.offline.loading import Loader, Option, load
from persrv.offline.sources.archives import innermost, is_archive, unpack, unpacked_folder
from persrv.recipe import Recipe, Source
from persrv.recipe.places import home, shipped
from persrv.records import Skipped

IMPORTERS = (
    "telegram_export",
    "u_sticker",
    "stickerqueries",
    "misskey",
    "discord",
    "mastodon",
    "maunium",
    "slack",
    "pleroma",
    "signal",
    "line",
    "sticker_convert",
    "whatsapp",
    "telegram_packs",
    "chat_memes",
)
"""Shipped loaders that recognise their sources, in the order in which they are asked: the surest first."""

_TABLES = frozenset((".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"))
_NOT_OPENED = frozenset((".rar", ".7z", ".gz", ".bz2", ".xz"))
_NAME = re.compile(r"[^a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a source is.

    Attributes:
        source: The file or folder, absolute.
        loader: Name of the loader that reads it, or its ``.py`` file.
        what: In a few words.
        keeps: What comes into the collection.
        leaves: What does not.
        has_picks: Whether it says who picked what.
        has_words: Whether its stickers may have words of people that are kept only when asked for.
    """

    source: Path
    loader: str
    what: str
    keeps: str
    leaves: str
    has_picks: bool
    has_words: bool


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What a source holds, counted without opening a picture.

    Attributes:
        stickers: Stickers.
        pictures: Those that have a picture.
        worded: Those that have any word, emoji or text of their own.
        packs: Pack to its stickers.
        people: Person to their picks.
        skipped: What cannot be used.
    """

    stickers: int
    pictures: int
    worded: int
    packs: Mapping[str, int]
    people: Mapping[str, int]
    skipped: tuple[Skipped, ...]

    @property
    def picks(self) -> int:
        """All picks."""
        return sum(self.people.values())


def recognise(source: Path, folder: Path) -> Recognised:
    """Say what a source is; an archive is unpacked below the collection's folder for that.

    Loaders in ``./loaders`` that can recognise are asked first, then those that are shipped, then the loaders ``table``
    and ``folder`` take what is left.

    Args:
        source: A file or folder.
        folder: The collection's folder.

    Raises:
        SourceError: It is not there, is an archive that cannot be opened, or holds nothing that is known.
    """
    source = source.expanduser().absolute()
    if not source.exists():
        raise SourceError(f"{source} does not exist", "name an export, an archive, or a folder of stickers")
    if source.suffix.lower() in _NOT_OPENED and not is_archive(source):
        raise SourceError(f"{source} is an archive that is not opened here", "unpack it, and import the folder")
    looked_at = source
    if is_archive(source):
        looked_at = unpacked_folder(source, folder / "archives")
        unpack(source, looked_at)
    for name in (*_own_loaders(), *IMPORTERS):
        for place in dict.fromkeys((looked_at, innermost(looked_at))):
            found = _asked(name, source, place)
            if found is not None:
                return found
    if source.suffix.lower() in _TABLES:
        keeps = "stickers with the texts of their columns"
        return Recognised(source, "table", "a table of stickers", keeps, "columns of other names", False, False)
    if looked_at.is_dir():
        keeps = "pictures, their names, side-cars and folders"
        return Recognised(source, "folder", "a folder of pictures", keeps, "other files", False, False)
    raise SourceError(f"{source} is nothing that is known here", "see docs/how-to/import-your-stickers.md for what is")


def _own_loaders() -> list[str]:
    """Return the loaders in the folder where the command runs, where that is not the one that is shipped."""
    here = Path("loaders")
    own = here.is_dir() and here.resolve() != shipped("loaders").resolve()
    return [str(file.resolve()) for file in sorted(here.glob("*.py"))] if own else []


def _asked(name: str, source: Path, looked_at: Path) -> Recognised | None:
    recipe = Recipe(name="import", stickers=(Source(loader=name, path=source),))
    module = load(recipe.stickers[0], recipe).module
    ask = getattr(module, "recognise", None)
    what = ask(looked_at) if callable(ask) else ""
    if not what:
        return None
    picks = getattr(module, "interactions", None)
    return Recognised(
        source=source if is_archive(source) else looked_at,
        loader=name,
        what=str(what),
        keeps=str(getattr(module, "KEEPS", "what its loader gives")),
        leaves=str(getattr(module, "LEAVES", "nothing that is known")),
        has_picks=callable(picks),
        has_words="keep_text" in getattr(picks, "__annotations__", {}),
    )


def summarise(found: Recognised, folder: Path, options: Mapping[str, Option]) -> SourceSummary:
    """Count what a source holds.

    Args:
        found: From :func:`recognise`.
        folder: The collection's folder.
        options: The loader's options.

    Raises:
        SourceError: It cannot be read.
    """
    loader = _loader(found, folder, options)
    packs: Counter[str] = Counter()
    people: Counter[str] = Counter()
    skipped: list[Skipped] = []
    pictures = stickers = worded = 0
    for sticker in loader.stickers():
        if isinstance(sticker, Skipped):
            skipped.append(sticker)
            continue
        stickers += 1
        pictures += sticker.path is not None
        worded += any(name != "pack" for name, _ in sticker.semantics.items())
        if sticker.pack:
            packs[sticker.pack] += 1
    if found.has_picks:
        for pick in loader.interactions():
            if not isinstance(pick, Skipped):
                people[pick.user] += 1
    return SourceSummary(stickers, pictures, worded, packs, people, tuple(skipped))


def _loader(found: Recognised, folder: Path, options: Mapping[str, Option]) -> Loader:
    recipe = Recipe(name="import", stickers=(Source(loader=found.loader, path=found.source, options=dict(options)),))
    return replace(load(recipe.stickers[0], recipe), archives=folder / "archives")


def name_for(source: Path) -> str:
    """Return a collection's name made from a source's, such as ``whatsapp-stickers``; it may be in use."""
    stem = source.name.split(".")[0].lower()
    return _NAME.sub("-", stem).strip("-_")[:50] or "stickers"


def write_recipe(found: Recognised, name: str, options: Mapping[str, Option], *, ocr: bool, folder: Path) -> Path:
    """Write a recipe, or return the one that says the same already; never over another one.

    Args:
        found: From :func:`recognise`.
        name: The collection's.
        options: The loader's.
        ocr: Whether the texts in pictures are read.
        folder: Where recipes lie.

    Raises:
        RecipeError: There is another recipe of this name, or the folder cannot be written.
    """
    file = folder / f"{name}.toml"
    wanted = Recipe.from_dict({"name": name, "stickers": _source(found, options)}, file).stickers
    if file.exists():
        if Recipe.read(file).stickers == wanted:
            return file
        raise RecipeError(
            f"{file} is there already and reads something else",
            f"give the import another --name; or, to go on with a newer export, write {found.source} as its path",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(_written(found, name, options, ocr))
    except OSError as error:
        raise RecipeError(f"{file} cannot be written: {error.strerror}", "run it in a folder that is yours") from error
    return file


def _source(found: Recognised, options: Mapping[str, Option]) -> dict[str, object]:
    return {"loader": found.loader, "path": str(found.source), "options": dict(options)}


def _written(found: Recognised, name: str, options: Mapping[str, Option], ocr: bool) -> str:
    source = "".join(f"{key} = {_toml(value)}\n" for key, value in _source(found, options).items() if value != {})
    parts = [f"# {found.what}, written by persrv import\nname = {_toml(name)}\n", f"[stickers]\n{source}"]
    if found.has_picks:
        parts.append(f"[[interactions]]\n{source}")
    if ocr:
        parts.append('[ocr]\nengine = "rapidocr"\n')
    return "\n".join(parts)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    # A basic string of TOML is a string of JSON, except that it must not hold DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def collection_folder(name: str, home_folder: str | Path | None = None) -> Path:
    """Return the folder of a collection's data."""
    return (Path(home_folder).expanduser() if home_folder else home()) / name
