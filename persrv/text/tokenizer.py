"""From text, as people type it at stickers, to tokens.

The rules, with examples, stand in docs/reference/tokenizer.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from persrv.text import characters, emoji_names, emoticons, words
from persrv.text.folding import normalise

TOKENIZER = "2"
"""Revision of the rules. An index built under another revision must be rebuilt."""

SILENCE = "..."
"""The token of an ellipsis, however long: in a chat ``……`` says as much as a face."""

_UNSPACED = re.compile(f"[{characters.UNSPACED}]+")
_UNSPACED_OR_WORD = re.compile(f"[{characters.UNSPACED}]+|[^{characters.UNSPACED}]+")
_UNSPACED_RUN = re.compile(r"(.)\1{2,}")
_LONG_VOWEL = re.compile("ー{2,}")


class Piece(NamedTuple):
    """A stretch of text and the tokens that it gives.

    Attributes:
        text: The stretch, normalised.
        kind: ``"word"``, ``"unspaced"`` (Chinese, Japanese, Korean), ``"emoji"`` or ``"silence"``.
        tokens: The tokens, never empty. Of a word or an emoji the first is what was typed, the others what it may
            also mean.
    """

    text: str
    kind: Literal["word", "unspaced", "emoji", "silence"]
    tokens: tuple[str, ...]


PART = 0.25
"""Weight in a query of a character of a longer run of Chinese, Japanese or Korean: 加 says little of 加班."""


def tokenize(text: str) -> list[str]:
    """Return the tokens of a text in their order, with repeats.

    Tokens hold no white space, are at most 64 characters long, and give themselves: tokenizing the tokens, joined by
    spaces, gives the same set of tokens. Any text is allowed; the time is linear in its length.
    """
    return [token for piece in pieces(text) for token in piece.tokens]


def query_tokens(text: str) -> dict[str, float]:
    """Return the distinct tokens of a query with their weights in (0, 1].

    What was typed weighs 1. What we add to it (the names of an emoji, another reading of a stretched word) shares one
    further 1, so that an emoji counts for at most two words however many names it has. Of a run of Chinese, Japanese
    or Korean the pairs weigh 1 and the single characters :data:`PART`, unless the run is one character. Where a token
    has several sources the largest weight holds.
    """
    weights: dict[str, float] = {}
    for piece in pieces(text):
        for token, weight in zip(piece.tokens, _weights(piece), strict=True):
            weights[token] = max(weight, weights.get(token, 0.0))
    return weights


def _weights(piece: Piece) -> list[float]:
    number = len(piece.tokens)
    if piece.kind == "unspaced":
        return [1.0 if number == 1 or len(token) > 1 else PART for token in piece.tokens]
    return [1.0, *(1.0 / (number - 1) for _ in range(number - 1))]


def pieces(text: str) -> Iterator[Piece]:
    """Take a text apart, leaving out punctuation, stray marks, and the ``https://www.`` of an address."""
    text = normalise(text)
    scan = _ASCII if text.isascii() else _any_script()
    emoji_before, end_before = "", -1
    for match in scan.finditer(text):
        found, kind = match[0], match.lastgroup
        if kind == "word":
            yield Piece(found, "word", _word(found.replace("'", "")))
        elif kind == "unspaced":
            yield Piece(found, "unspaced", _unspaced(found))
        elif kind == "silence":
            yield Piece(found, "silence", (SILENCE,))
        elif kind in ("emoji", "emoticon"):
            emoji = found if kind == "emoji" else emoticons.emoji_for(found)
            if (emoji, match.start()) != (emoji_before, end_before):
                yield Piece(found, "emoji", _emoji(emoji))
            emoji_before, end_before = emoji, match.end()


_ADDRESS = r"(?P<address>https?://(?:www\.)?|(?<![a-z0-9])www\.(?=[a-z0-9]))"
_EMOTICON = f"(?P<emoticon>{emoticons.PATTERN})"
_SILENCE = r"(?P<silence>\.{3,}|。{2,})"
_ASCII = re.compile(f"{_ADDRESS}|{_EMOTICON}|(?P<word>[a-z0-9]+(?:'[a-z0-9]+)*)|{_SILENCE}")


@cache
def _any_script() -> re.Pattern[str]:
    """Return the expression for text beyond ASCII, compiled on first use: it needs the table of combining marks."""
    one = f"[{characters.EMOJI}]"
    emoji = f"[{characters.FLAG_LETTER}]{{2}}|[0-9#*]\u20e3|{one}(?:[{characters.TAG}]+\U000e007f)?(?:\u200d{one})*"
    letter = rf"[^\W_{characters.UNSPACED}{characters.EMOJI}]"
    part = f"(?:{letter}|[{characters.NEWER}])(?:{letter}|[{characters.combining_marks()}{characters.NEWER}])*"
    unspaced = f"[{characters.UNSPACED}]+"
    return re.compile(
        f"{_ADDRESS}|{_EMOTICON}|(?P<emoji>{emoji})|(?P<unspaced>{unspaced})|(?P<word>{part}(?:'{part})*)|{_SILENCE}"
    )


@lru_cache(maxsize=1 << 16)
def _word(word: str) -> tuple[str, ...]:
    found = dict.fromkeys(words.forms(word))
    for form in tuple(found):
        if form in emoticons.WORDS:
            found |= dict.fromkeys(_emoji(emoticons.WORDS[form]))
    return tuple(found)


def _unspaced(run: str) -> tuple[str, ...]:
    """Return each character, and each pair after its first character."""
    run = _LONG_VOWEL.sub("ー", _UNSPACED_RUN.sub(r"\1\1", run))
    tokens = [token for i in range(len(run) - 1) for token in (run[i], run[i : i + 2])]
    return (*tokens, run[-1])


@lru_cache(maxsize=1 << 13)
def _emoji(sequence: str) -> tuple[str, ...]:
    """Return the emoji, what it is a kind of, and the tokens of their names."""
    emoji = emoji_names.resolve(sequence)
    found = dict.fromkeys(emoji)
    for one in emoji:
        for word in emoji_names.names(one):
            for part in _UNSPACED_OR_WORD.findall(word):
                found |= dict.fromkeys(_unspaced(part) if _UNSPACED.match(part) else words.forms(part))
    return tuple(found)
