"""The emoji sets that ``scripts/make_emoji_set.py`` makes: stickers, and simulated people who pick among them.

Every pick made here is marked ``simulated``: no person made it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from persrv.errors import RecipeError, SourceError
from persrv.records import Semantics, Skipped, SourcePick, SourceSticker

ONLY_SOURCE = True

_LISTING = "stickers.jsonl"
_PEOPLE = (("ann", "en"), ("bo", "zh"), ("chen", "zh"), ("dana", "en"), ("eli", "en"), ("fay", "zh"))
_FIRST_PICK = datetime(2026, 1, 1, 9, tzinfo=UTC)
_BETWEEN_PICKS = timedelta(minutes=37)
_LONGEST_QUERY = 24
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Drawing:
    file: str
    emoji: str
    style: str
    pack: str
    name: tuple[str, ...]
    tags: tuple[str, ...]


def stickers(source: Path) -> Iterator[SourceSticker | Skipped]:
    """Yield the set's stickers in the order of ``stickers.jsonl``.

    Args:
        source: The set's folder.

    Raises:
        SourceError: ``source`` is no set.
    """
    for drawing in _drawings(source):
        if isinstance(drawing, Skipped):
            yield drawing
            continue
        yield SourceSticker(
            key=drawing.file,
            path=source / drawing.file,
            pack=drawing.pack,
            semantics=Semantics(name=drawing.name, tags=drawing.tags, emoji=(drawing.emoji,)),
            rating="safe",
            style=drawing.style,
        )


def interactions(
    source: Path, users: int = 6, picks: int = 30, noise: float = 0.15, seed: int = 0
) -> Iterator[SourcePick | Skipped]:
    """Yield simulated picks in the order of their times, the people taking turns.

    Each person types a word for a meaning and picks its drawing in a style that they like (see :func:`tastes`), or
    with probability ``noise`` its drawing in any style. Half of the people type English, half Chinese.

    Args:
        source: The set's folder.
        users: How many people, >= 1.
        picks: Picks of each person, >= 0.
        noise: Part of the picks that ignore taste, in [0, 1].
        seed: >= 0; another seed makes other tastes and picks.

    Raises:
        RecipeError: An option is out of its range.
        SourceError: ``source`` is no set.
    """
    if picks < 0 or not 0 <= noise <= 1:
        raise RecipeError(f"picks = {picks}, noise = {noise} is impossible", "give picks >= 0, noise from 0 to 1")
    liked = tastes(source, users, seed)
    meanings: dict[str, dict[str, _Drawing]] = defaultdict(dict)
    for drawing in _drawings(source):
        if isinstance(drawing, _Drawing):
            meanings[drawing.emoji][drawing.style] = drawing
    choices = {
        user: [drawn for emoji, drawn in sorted(meanings.items()) if drawn.keys() & set(styles)]
        for user, styles in liked.items()
    }
    random = np.random.default_rng([seed, 1])
    for turn in range(picks * users):
        user, language = _person(turn % users)
        drawn = choices[user][random.integers(len(choices[user]))]
        typical = sorted(drawn.keys() & set(liked[user]))
        styles = sorted(drawn) if random.random() < noise else typical
        picked = drawn[styles[random.integers(len(styles))]]
        words = _words(picked, language)
        yield SourcePick(
            user=user,
            query=words[random.integers(len(words))],
            key=picked.file,
            time=_FIRST_PICK + turn * _BETWEEN_PICKS,
            kind="simulated",
        )


def tastes(source: Path, users: int = 6, seed: int = 0) -> dict[str, tuple[str, ...]]:
    """Return the truth behind :func:`interactions`: each simulated person's one or two preferred styles, sorted.

    The people's first styles are different as long as there are styles left; every other person likes a second one.

    Args:
        source: The set's folder.
        users: How many people, >= 1.
        seed: As given to :func:`interactions`.

    Raises:
        RecipeError: ``users`` is below 1, or ``seed`` below 0.
        SourceError: ``source`` is no set, or an empty one.
    """
    if users < 1 or seed < 0:
        raise RecipeError(f"users = {users}, seed = {seed} is impossible", "give users >= 1, seed >= 0")
    styles = sorted({drawing.style for drawing in _drawings(source) if isinstance(drawing, _Drawing)})
    if not styles:
        raise SourceError(f"{source / _LISTING} lists no sticker", "make the set with scripts/make_emoji_set.py")
    order = np.random.default_rng([seed, 0]).permutation(styles).tolist()
    liked = {}
    for number in range(users):
        first, second = order[number % len(order)], order[(number + 1) % len(order)]
        liked[_person(number)[0]] = tuple(sorted({first, second} if number % 2 else {first}))
    return liked


def _person(number: int) -> tuple[str, str]:
    name, language = _PEOPLE[number % len(_PEOPLE)]
    again = number // len(_PEOPLE)
    return (f"{name}{again + 1}" if again else name, language)


def _words(drawing: _Drawing, language: str) -> list[str]:
    """Return what people would type for a drawing: its short texts in a language, else its emoji."""
    texts = [text for text in (*drawing.name, *drawing.tags) if len(text) <= _LONGEST_QUERY]
    return [text for text in texts if bool(_CHINESE.search(text)) == (language == "zh")] or [drawing.emoji]


def _drawings(source: Path) -> Iterator[_Drawing | Skipped]:
    listing = source / _LISTING
    try:
        content = listing.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{listing} cannot be read: {error}", "name a folder made by make_emoji_set.py") from error
    for number, line in enumerate(content.removesuffix("\n").split("\n") if content else [], start=1):
        try:
            yield _drawing(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            yield Skipped(f"{_LISTING} line {number}", f"it is no sticker: {type(error).__name__}: {error}")


def _drawing(entry: dict[str, Any]) -> _Drawing:
    file, emoji, style, pack = (_text(entry[key]) for key in ("file", "emoji", "style", "pack"))
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise ValueError(f"{file} leaves the set's folder")
    return _Drawing(file, emoji, style, pack, _texts(entry["name"]), _texts(entry["tags"]))


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(_text(phrase) for phrase in value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
