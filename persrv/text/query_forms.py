"""What people write into a search box beside plain words: words taken away, and words glued together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from persrv.text.tokenizer import pieces
from persrv.text.words import forms

_TAKEN_AWAY = re.compile(r"(?:(?<=\s)|^)[-−](?=[^\s\d\W])(\S+)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GLUED = re.compile(r"[a-z]{6,}\Z")

SHORTEST_PART = 3
"""Letters of the shorter part of a word that is taken apart."""


class Typed(NamedTuple):
    """A query taken apart.

    Attributes:
        wanted: What is searched; ``pepeHands`` is two words.
        unwanted: What must not be in an answer.
    """

    wanted: str
    unwanted: str


def take_apart(query: str) -> Typed:
    """Return a query without its ``-words``, and these; a dash within a word or before a number is no sign."""
    unwanted = " ".join(match[1] for match in _TAKEN_AWAY.finditer(query))
    wanted = _TAKEN_AWAY.sub(" ", query) if unwanted else query
    return Typed(_HUMP.sub(" ", wanted), unwanted)


def unwanted_tokens(unwanted: str) -> tuple[str, ...]:
    """Return the tokens by which unwanted stickers are known: what was typed, none of an emoji's names."""
    found: dict[str, None] = {}
    for piece in pieces(unwanted):
        pairs = [token for token in piece.tokens if len(token) > 1]
        found |= dict.fromkeys(pairs or piece.tokens if piece.kind == "unspaced" else piece.tokens[:1])
    return tuple(found)


def joined_tokens(wanted: str) -> dict[str, None]:
    """Return the tokens of neighbouring words written as one: ``pepe hands`` may stand as ``pepehands`` in a name."""
    words = [piece.text for piece in pieces(wanted) if piece.kind == "word"]
    return dict.fromkeys(form for left, right in pairwise(words) for form in forms(left + right))


def halves(word: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to take a word of Latin letters for two, the most even ones first."""
    if not _GLUED.match(word):
        return
    middle = len(word) / 2
    for cut in sorted(range(SHORTEST_PART, len(word) - SHORTEST_PART + 1), key=lambda at: (abs(at - middle), at)):
        yield word[:cut], word[cut:]
