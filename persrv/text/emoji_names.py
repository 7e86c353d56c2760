"""What an emoji is called, in English and Chinese, and which plainer emoji it stands for."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from persrv.text import characters
from persrv.text.folding import normalise

_JOINER = "\u200d"
_EMOJI = re.compile(f"[{characters.EMOJI}{characters.FLAG_LETTER}]")
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_GENDER = re.compile("\u200d[♀♂]")
_SIGNED = re.compile(":[+-]")
_NO_WORD = re.compile(r"[\W_]+")
_FILLERS = frozenset(("and", "at", "for", "in", "of", "on", "the", "to", "with"))
_PERSON = re.compile("^[👨👩](?=\u200d)")
# Two people of different skin tones are spelt out, two of the same are one character: without tones both are the same.
_SAME_AS = {
    "♡": "❤",
    "☆": "⭐",
    "★": "⭐",
    "♪": "🎵",
    "🫱\u200d🫲": "🤝",
    "🧑\u200d❤\u200d🧑": "💑",
    "🧑\u200d❤\u200d💋\u200d🧑": "💏",
    "👨\u200d🤝\u200d👨": "👬",
    "👩\u200d🤝\u200d👩": "👭",
    "👩\u200d🤝\u200d👨": "👫",
    "🧑\u200d🐰\u200d🧑": "👯",
    "👨\u200d🐰\u200d👨": "👯\u200d♂",
    "👩\u200d🐰\u200d👩": "👯\u200d♀",
    "🧑\u200d🫯\u200d🧑": "🤼",
    "👨\u200d🫯\u200d👨": "🤼\u200d♂",
    "👩\u200d🫯\u200d👩": "🤼\u200d♀",
}


@lru_cache(maxsize=1 << 13)
def resolve(sequence: str) -> tuple[str, ...]:
    """Return the emoji of one normalised sequence, each followed by the gender-neutral one that it is a kind of.

    A joined sequence that has no name of its own, ``😂`` joined to ``❤``, is taken apart.
    """
    sequence = _SAME_AS.get(sequence, sequence)
    if _JOINER not in sequence:
        return (sequence,)
    if sequence not in _known():
        return tuple(dict.fromkeys(emoji for part in sequence.split(_JOINER) for emoji in resolve(part)))
    neutral = _PERSON.sub("🧑", _GENDER.sub("", sequence))
    return (sequence, neutral) if neutral != sequence and neutral in _known() else (sequence,)


def names(emoji: str) -> tuple[str, ...]:
    """Return the normalised words of an emoji's English and Chinese names without repeats, none where unknown."""
    data = _known().get(emoji, {})
    found = [data.get("en", ""), *data.get("alias", ()), data.get("zh", "")]
    # 👍 is also called "+1": a sign, no word.
    words = (word for name in found if not _SIGNED.match(name) for word in _NO_WORD.split(normalise(name)))
    return tuple(dict.fromkeys(word for word in words if word and word not in _FILLERS))


def titles(emoji: str) -> tuple[str, ...]:
    """Return an emoji's English and Chinese name as phrases, ``cat face``, none where unknown."""
    data = _known().get(emoji, {})
    found = (_NO_WORD.sub(" ", data.get(language, "")).strip() for language in ("en", "zh"))
    return tuple(title for title in found if title)


def spoken(text: str) -> str:
    """Return a text with its emoji as their English names: text encoders know words better."""
    if text.isascii() or not _EMOJI.search(text):
        return text
    import emoji

    return emoji.replace_emoji(text, lambda found, data: f" {data['en'].strip(':').replace('_', ' ')} ")


@cache
def _known() -> dict[str, dict[str, Any]]:
    """Return what the package ``emoji`` knows, by emoji without variation selectors and skin tones."""
    # Reading the tables takes some 40 ms, which searches without emoji need not pay.
    import emoji

    emoji.config.load_language(["zh"])
    known: dict[str, dict[str, Any]] = {}
    for sequence, data in emoji.EMOJI_DATA.items():
        if not _SKIN_TONE.search(sequence):
            known.setdefault(sequence.replace("\ufe0f", ""), data)
    return known
