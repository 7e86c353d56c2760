"""Putting a set together: pictures, ``stickers.jsonl`` and ``NOTICE``."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from .draw import UndrawableError, check_moving, paint
from .glyphs import Glyph, find_glyphs, learn_names
from .meanings import EMOJIBASE, Meaning, everyday, read_meanings
from .notice import notice
from .packages import Package, fetch
from .styles import STYLES, Style

LISTING = "stickers.jsonl"
FEWEST_STYLES = 6
"""A meaning of the small set must be drawn in this many styles, or taste has nothing to choose from."""

_STDERR = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a set.

    Attributes:
        pictures: Style name to its number of pictures.
        meanings: Number of different emoji that have a picture.
        size: Bytes of all files together.
        skipped: ``style/code`` to the reason why that drawing was left out.
        unmatched: Style name to the number of its drawings that mean none of the set's emoji.
        rare: Emoji drawn in fewer than :data:`FEWEST_STYLES` styles, to the number of their styles.
    """

    pictures: dict[str, int]
    meanings: int
    size: int
    skipped: dict[str, str]
    unmatched: dict[str, int]
    rare: dict[str, int]


class OccupiedError(Exception):
    """The output folder holds something that this program did not make."""


@dataclass(frozen=True, slots=True)
class _Job:
    style: Style
    glyph: Glyph


def build(out: Path, cache: Path, *, small: bool, processes: int) -> Report:
    """Make a set in ``out``, replacing an older one; the same packages give the same bytes.

    Args:
        out: The set's folder.
        cache: Where fetched packages are kept.
        small: Everyday meanings in eight styles; otherwise every meaning in every style.
        processes: How many processes draw, >= 1.

    Raises:
        OccupiedError: ``out`` has files and no ``stickers.jsonl``.
        PackageError: A package cannot be fetched or is not the pinned one.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / LISTING).is_file():
        raise OccupiedError(f"{out} has files but no {LISTING}; name an empty folder")
    every = read_meanings(fetch(*EMOJIBASE, cache))
    wanted = everyday(every) if small else every
    packages = {
        style: fetch(style.package, style.version, cache)
        for style in track(STYLES, "Fetching", console=_STDERR)
        if style.small or not small
    }
    staged = out.with_name(f"{out.name}.part")
    shutil.rmtree(staged, ignore_errors=True)
    report = _fill(staged, packages, wanted, learn_names(every, packages.values()), processes)
    shutil.rmtree(out, ignore_errors=True)
    staged.rename(out)
    return report


def _fill(
    folder: Path, packages: Mapping[Style, Package], wanted: Sequence[Meaning], names: Mapping[str, str], processes: int
) -> Report:
    drawn: dict[str, set[str]] = {}
    skipped: dict[str, str] = {}
    unmatched: dict[str, int] = {}
    seen: set[bytes] = set()
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for style, package in packages.items():
            glyphs, unmatched[style.name] = find_glyphs(style, package, wanted, names)
            (folder / style.name).mkdir(parents=True)
            jobs = [_Job(style, glyph) for glyph in glyphs]
            results = track(pool.map(_draw, jobs, chunksize=16), style.title, total=len(jobs), console=_STDERR)
            drawn[style.name] = set()
            for job, result in zip(jobs, results, strict=True):
                place = f"{style.name}/{job.glyph.code}"
                if isinstance(result, str):
                    skipped[place] = result
                elif (digest := hashlib.sha256(result).digest()) in seen:
                    skipped[place] = "it is the same picture as another one"
                else:
                    seen.add(digest)
                    (folder / f"{place}.webp").write_bytes(result)
                    drawn[style.name].add(job.glyph.code)
    (folder / LISTING).write_text(_listing(packages, wanted, drawn), encoding="utf-8")
    (folder / "NOTICE").write_text(notice(packages), encoding="utf-8")
    styles_of = {meaning.emoji: sum(meaning.code in codes for codes in drawn.values()) for meaning in wanted}
    return Report(
        pictures={name: len(codes) for name, codes in drawn.items()},
        meanings=sum(number > 0 for number in styles_of.values()),
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        skipped=skipped,
        unmatched=unmatched,
        rare={emoji: number for emoji, number in styles_of.items() if number < FEWEST_STYLES},
    )


def _draw(job: _Job) -> bytes | str:
    """Return a picture's file, or why there is none."""
    picture = job.glyph.picture
    try:
        if job.style.moving and isinstance(picture, bytes):
            return check_moving(picture)
        return paint(picture, mirrored=job.glyph.mirrored, ink=job.style.ink)
    except UndrawableError as error:
        return str(error)


def _listing(styles: Iterable[Style], wanted: Sequence[Meaning], drawn: Mapping[str, set[str]]) -> str:
    lines = [
        {
            "file": f"{style.name}/{meaning.code}.webp",
            "emoji": meaning.emoji,
            "style": style.name,
            "pack": style.title,
            "name": meaning.name,
            "tags": meaning.tags,
        }
        for style in styles
        for meaning in wanted
        if meaning.code in drawn[style.name]
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
