"""What the emoji mean: CLDR labels and tags in English and Chinese, and which meanings the small set has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .packages import Package

EMOJIBASE = ("emojibase-data", "17.0.0")
"""The package of the texts (MIT, by Miles Johnson, from Unicode CLDR)."""

_COMPONENTS = 2
"""Emojibase's group of skin tones and hair styles, which mean nothing alone."""


_EMOJI_BY_DEFAULT = 1
"""Emojibase's type of characters that are drawn as emoji where no variation selector follows."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One emoji and its texts.

    Attributes:
        emoji: As people type it.
        code: Code points, see :func:`code_points`.
        label: Its CLDR short name in English.
        name: Labels, English then Chinese.
        tags: Tags and shortcodes, English then Chinese, without repetitions.
    """

    emoji: str
    code: str
    label: str
    name: tuple[str, ...]
    tags: tuple[str, ...]


def code_points(code: str) -> str:
    """Return hexadecimal code points joined by ``-`` in lower case, without U+FE0F, which packages write or not."""
    return "-".join(part for part in code.lower().split("-") if part != "fe0f")


def hexcode(emoji: str) -> str:
    """Return an emoji's code points as :func:`code_points` writes them."""
    return code_points("-".join(f"{ord(char):04x}" for char in emoji))


def read_meanings(package: Package) -> list[Meaning]:
    """Return every emoji without its skin-tone variants, in the order of Unicode's chart.

    Args:
        package: The fetched ``emojibase-data``.
    """
    english, chinese, github, emojibase = package.read_json(
        "en/data.json", "zh/data.json", "en/shortcodes/github.json", "en/shortcodes/emojibase.json"
    )
    chinese_of = {entry["hexcode"]: entry for entry in chinese}
    meanings = []
    for entry in sorted(english, key=lambda entry: int(entry.get("order", 0))):
        if entry.get("group", _COMPONENTS) == _COMPONENTS:
            continue
        code = entry["hexcode"]
        other = chinese_of[code]
        name = _distinct([entry["label"], other["label"]])
        shortcodes = [
            spelling.replace("_", " ") for table in (github, emojibase) for spelling in _listed(table.get(code))
        ]
        tags = _distinct([*entry.get("tags", ()), *shortcodes, *other.get("tags", ())])
        meanings.append(
            Meaning(
                emoji=_typed(entry),
                code=code_points(code),
                label=entry["label"],
                name=name,
                tags=tuple(tag for tag in tags if tag not in name),
            )
        )
    return meanings


def everyday(meanings: Iterable[Meaning]) -> list[Meaning]:
    """Return the meanings of ``everyday.txt``, in the order of Unicode's chart.

    Raises:
        ValueError: The list names something that is no emoji, or names one twice.
    """
    listed = [
        hexcode(emoji)
        for line in (Path(__file__).parent / "everyday.txt").read_text(encoding="utf-8").splitlines()
        for emoji in line.partition(":")[2].split()
    ]
    known = {meaning.code: meaning for meaning in meanings}
    strange = [code for code in listed if code not in known] or [code for code in listed if listed.count(code) > 1]
    if strange:
        raise ValueError(f"everyday.txt lists {strange[0]}, which is no emoji or stands there twice; correct the list")
    return [meaning for code, meaning in known.items() if code in set(listed)]


def _typed(entry: dict[str, Any]) -> str:
    """Drop the variation selector that emojibase adds to single characters which are emoji without it."""
    emoji: str = entry["emoji"]
    character = emoji.removesuffix("\ufe0f")
    return character if len(character) == 1 and entry["type"] == _EMOJI_BY_DEFAULT else emoji


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
