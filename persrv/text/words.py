"""From a word as it was typed to the forms that it is indexed by."""

from __future__ import annotations

import re

import Stemmer

MAX_LENGTH = 64
"""Characters of the longest token; longer words are cut."""

_RUN = re.compile(r"([^\W\d])\1{2,}")
_PAIRS = re.compile(r"([^\W\d]{2})\1{2,}")
_ONE_CHARACTER = re.compile(r"(\w)\1{2,}\Z")
_LAUGHING_NUMBER = re.compile(r"23{3,}\Z")
_ENGLISH = re.compile(r"[a-z]{3,}\Z")
_STEMMER = Stemmer.Stemmer("english")


def forms(word: str) -> tuple[str, ...]:
    """Return the tokens of one normalised word, at least one, best guess first, each at most 64 characters long.

    Stretched words are folded: ``loooool`` may be ``lol`` or ``lool``, ``goooood`` may be ``god`` or ``good``, so both
    are given. A word of one character keeps three of them (``zzzzz`` is ``zzz``, ``6666`` is ``666``), ``233333`` is
    ``233``, and a repeated pair is kept twice (``hahahaha`` is ``haha``). Other numbers stay as they are. English
    words are stemmed (Snowball's English stemmer) until the stem is its own stem, so that forms of forms are forms.
    """
    if len(word) > MAX_LENGTH:
        word = _PAIRS.sub(r"\1\1\1", _RUN.sub(r"\1\1\1", word))[:MAX_LENGTH]
    found: dict[str, None] = {}
    pending = [word]
    while pending:
        form = pending.pop(0)
        simpler = _simpler(form)
        pending += simpler
        if not simpler:
            found[form] = None
    return tuple(found)


def _simpler(word: str) -> list[str]:
    """Return what the word reduces to in one step, nothing where it is in its final form."""
    if _ONE_CHARACTER.match(word):
        return [word[:3]] if len(word) > 3 else []
    if _LAUGHING_NUMBER.match(word):
        return ["233"]
    if _RUN.search(word):
        return [_RUN.sub(r"\1", word), _RUN.sub(r"\1\1", word)]
    if _PAIRS.search(word):
        return [_PAIRS.sub(r"\1\1", word)]
    stem = _STEMMER.stemWord(word) if _ENGLISH.match(word) else word
    return [stem] if stem != word else []
