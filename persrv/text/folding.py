"""One spelling for texts that people regard as the same."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import opencc

from persrv.text import characters

_PASSES = 8
_LONGEST_MARK_RUN = 8
_NOT_TEXT = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001f3fb-\U0001f3ff\U000e0000-\U000e001f\U000e0100-\U000e0fff]"
)
_KEPT = re.compile(f"[{characters.EMOJI}{characters.JAMO}]")
_NOT_KEPT = re.compile(f"[^{characters.EMOJI}{characters.JAMO}]+")
# The breve stays on и: Cyrillic й is a letter of its own. Dakuten and the vowel signs of Thai or Devanagari stay too.
_STRIPPED_MARKS = re.compile(
    "(?<!и)\u0306|[\u0300-\u0305\u0307-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20dc\u20e1\u20e5-\u20f0\ufe20-\ufe2f]"
)
_NEWER = re.compile(f"([{characters.NEWER}]+)")
_LOOSE_JOINER = re.compile(f"(?<![{characters.EMOJI}])\u200d|\u200d(?![{characters.EMOJI}])")
_HAN = re.compile(f"[{characters.HAN}]")
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ς": "σ"}
    | dict.fromkeys("‘’ʼʻ′", "'")
    | {chr(code): chr(code - 0x60) for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
)


def normalise(text: str) -> str:
    """Fold away what does not change the meaning of a short text.

    Compatibility forms (Unicode NFKC), case, accents, vowel points, skin tones, variation selectors, invisible and
    control characters, katakana against hiragana, traditional against simplified Chinese, and the amount of space.
    Emoji, single Korean letters, and characters that not every Python knows are left as they are.

    Args:
        text: Anything, lone surrogates included.

    Returns:
        Text that ``normalise`` leaves unchanged and that can be encoded as UTF-8. Takes time linear in ``len(text)``.
    """
    for _ in range(_PASSES):
        folded = _fold_ascii(text) if text.isascii() else _fold(text)
        if folded == text:
            break
        text = folded
    return text


def _fold_ascii(text: str) -> str:
    lowered = text.lower()
    return " ".join((lowered if lowered.isprintable() else _NOT_TEXT.sub(" ", lowered)).split())


def _fold(text: str) -> str:
    parts = _NEWER.split(text)  # every second one is newer
    parts[::2] = map(_fold_known, parts[::2])
    return " ".join("".join(parts).split())


def _fold_known(text: str) -> str:
    text = _INVISIBLE.sub("", _NOT_TEXT.sub(" ", text))
    text = _mark_run().sub(r"\1", text)
    text = _NOT_KEPT.sub(lambda match: _compatible(match[0]), text) if _KEPT.search(text) else _compatible(text)
    text = unicodedata.normalize("NFC", _STRIPPED_MARKS.sub("", unicodedata.normalize("NFD", text)))
    text = text.translate(_letters_and_han() if _HAN.search(text) else _LETTERS)
    return _LOOSE_JOINER.sub("", text)


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@cache
def _mark_run() -> re.Pattern[str]:
    """Match too many marks in a row: sorting them, as Unicode normalisation must, takes quadratic time."""
    marks = characters.combining_marks()
    return re.compile(f"([{marks}]{{{_LONGEST_MARK_RUN}}})[{marks}]+")


@cache
def _letters_and_han() -> dict[int, str | int]:
    """Return the letters' table and OpenCC's traditional-to-simplified one, character by character.

    Only the Basic Multilingual Plane is asked for: rarer characters are not in use. Chains (薴 to 苧 to 苎) are
    followed to their end, so that folding twice changes nothing.
    """
    han = [chr(code) for first, last in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(first, last)]
    simplified = dict(zip(han, opencc.OpenCC("t2s").convert("\n".join(han)).split("\n"), strict=True))
    table: dict[int, str | int] = dict(_LETTERS)
    for character, simple in simplified.items():
        while simplified.get(simple, simple) != simple:
            simple = simplified[simple]
        if simple != character:
            table[ord(character)] = simple
    return table
