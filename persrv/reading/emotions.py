"""A fixed vocabulary of emotions, and what people call them.

36 English labels, each with its words in English, Chinese, Japanese and Spanish and its emoji; the words stand in
``data/emotions.toml``, docs/reference/emotions.md lists the labels. They take in the 27 of GoEmotions (Demszky et al.
2020) and what stickers add to them: shyness, mischief, helplessness, tiredness, sickness and their like.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from persrv.text.emoji_names import resolve
from persrv.text.tokenizer import Piece, pieces

_DATA = files("persrv.reading") / "data" / "emotions.toml"
_NEGATIONS = frozenset(["no", "not", "never", "without", "dont", "isnt", "sin", "ni"])
_UNSPACED_NEGATIONS = ("不", "没", "没有", "别", "无", "未", "非", "勿")
_LONGEST_STRESSED = 24
"""Characters up to which words of degree are looked for: trying where they end takes quadratic time."""
_STRESS = re.compile(
    "^(?:我|好|很|太|真|超级|超|非常|有点|有些|十分|特别|最|感到|感觉|心情)*"
    "(.+?)(?:死了|了|啊|啦|呀|哦|哟|吧|的|地|着|感|脸|です|だ|な)*$"
)
_REPEATED = re.compile(r"(.)\1{2,}")


def labels() -> tuple[str, ...]:
    """Return the canonical labels in the order of the data file."""
    return tuple(_words())


def chinese_names() -> Mapping[str, str]:
    """Return each label's Chinese name."""
    return MappingProxyType({label: words["zh"][0] for label, words in _words().items()})


@cache
def emotions_revision() -> str:
    """Return 8 hex digits that change with the vocabulary."""
    return hashlib.sha256(_DATA.read_bytes()).hexdigest()[:8]


def canonical(words: Iterable[str]) -> tuple[str, ...]:
    """Return the labels that free words stand for, in the order in which they first occur, without repeats.

    A phrase is looked up as a whole, with and without Chinese words of degree (``好累了``); if it is not known, then
    its parts, unless one is a negation. Spelling is compared as the search does: case, accents, English endings,
    traditional characters, katakana and stretched words (``loooool``) make no difference, and emoticons count as
    their emoji. Words that name no emotion give nothing.
    """
    return tuple(dict.fromkeys(label for word in words for label in _labels_of(word)))


def _labels_of(phrase: str) -> Iterator[str]:
    known, found = _index(), list(pieces(phrase))
    for spelling in _whole(found):
        if label := known.get(spelling):
            yield label
            return
    if any(piece.kind == "word" and piece.text.replace("'", "") in _NEGATIONS for piece in found):
        return
    for piece in found:
        if piece.kind == "unspaced":
            yield from _within(piece.text)
        else:
            yield from [known[form] for form in _forms(piece) if form in known][:1]


def _whole(found: list[Piece]) -> Iterator[str]:
    """Yield the spellings under which the whole phrase may be known."""
    if len(found) == 1:
        yield from _forms(found[0])
    else:
        yield " ".join(_forms(piece)[0] for piece in found)


def _forms(piece: Piece) -> tuple[str, ...]:
    if piece.kind == "word":
        return piece.tokens
    if piece.kind == "emoji":
        # The first token is the emoji itself, also where an emoticon was typed.
        return resolve(piece.tokens[0])
    text = _REPEATED.sub(r"\1\1", piece.text)
    bare = _STRESS.match(text) if len(text) <= _LONGEST_STRESSED else None
    return (text, bare[1]) if bare else (text,)


def _within(text: str) -> Iterator[str]:
    """Yield the labels of the longest known words of two characters or more, from left to right."""
    known, longest = _index(), _longest()
    position = 0
    while position < len(text):
        for length in range(min(longest, len(text) - position), 1, -1):
            label = known.get(text[position : position + length])
            if label:
                if not text.endswith(_UNSPACED_NEGATIONS, 0, position):
                    yield label
                position += length
                break
        else:
            position += 1


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))


@cache
def _index() -> dict[str, str]:
    """Return every spelling with its label."""
    return {
        " ".join(_forms(piece)[0] for piece in pieces(word)): label
        for label, groups in _words().items()
        for words in groups.values()
        for word in words
    }


@cache
def _longest() -> int:
    return max(len(spelling) for spelling in _index())
