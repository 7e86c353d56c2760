"""Chinese words by how they sound: ``jiaban`` and its initials ``jb`` are what people type for 加班."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise, product

_PAIR = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2}\\Z")
_LATIN = re.compile(r"[a-z]+\Z")
_CONSONANTS = re.compile(r"[b-df-hj-np-tw-z]{2,4}\Z")

LONGEST = 24
"""Letters of the longest text that is read as pinyin."""

GUESSES = 3
"""Words that initials stand for, at most: two letters are the initials of many."""

_BEAM = 16
"""Beginnings of a word that are gone on with."""

_SPLITS = 64
"""Ways to cut a text into syllables that are tried."""


class PinyinWords:
    """A collection's Chinese words by their pinyin without tones (``lv`` for lü), and by its initials.

    A word is known by its pairs of characters, as an index has them: of a longer one each pair of neighbours.

    Args:
        vocabulary: Token to the number of documents that hold it.
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._documents = {token: count for token, count in vocabulary.items() if _PAIR.match(token)}
        self._pairs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._initials: defaultdict[str, list[str]] = defaultdict(list)
        self._syllables: set[str] = set()
        if not self._documents:
            return
        readings = _readings({character for pair in self._documents for character in pair})
        for pair in sorted(self._documents, key=self._rank):
            first, second = readings[pair[0]], readings[pair[1]]
            self._syllables.update(first, second)
            for sounds in product(first, second):
                self._pairs[sounds].append(pair)
            self._initials[first[0][0] + second[0][0]].append(pair)

    def spelt(self, typed: str) -> str | None:
        """Return the word of two or more characters whose whole pinyin was typed, ``None`` where there is none.

        Of several the one whose rarest pair most documents hold; ties in the order of the characters.
        """
        if not _LATIN.match(typed) or len(typed) > LONGEST or not self._documents:
            return None
        from pypinyin import lazy_pinyin

        found: list[str] = []
        for _, syllables in zip(range(_SPLITS), self._splits(typed), strict=False):
            words = self._chains([self._pairs.get(two, []) for two in pairwise(syllables)])
            # In a word a character has one reading: 乐 is yue in 音乐, le in 快乐.
            found += [word for word in words if tuple(lazy_pinyin(word)) == syllables]
        return min(found, key=self._rank, default=None)

    def abbreviated(self, typed: str) -> tuple[str, ...]:
        """Return words whose initials were typed, at most :data:`GUESSES`, those of the most documents first.

        Only two to four consonants are read so: what has a vowel is more often a word.
        """
        if not _CONSONANTS.match(typed):
            return ()
        found = self._chains([self._initials.get(one + other, []) for one, other in pairwise(typed)])
        return tuple(sorted(found, key=self._rank)[:GUESSES])

    def _chains(self, steps: list[list[str]]) -> list[str]:
        """Return the words whose first pair is among the first step's, the next among the next step's, and so on."""
        if not steps:
            return []
        words = steps[0][:_BEAM]
        for pairs in steps[1:]:
            words = sorted((word + pair[1] for word in words for pair in pairs if pair[0] == word[-1]), key=self._rank)
            words = words[:_BEAM]
        return words

    def _rank(self, word: str) -> tuple[int, str]:
        return -min(self._documents[word[at : at + 2]] for at in range(len(word) - 1)), word

    def _splits(self, typed: str) -> Iterator[tuple[str, ...]]:
        """Yield the ways to cut a text into two or more syllables."""
        pending: list[tuple[tuple[str, ...], str]] = [((), typed)]
        while pending:
            syllables, rest = pending.pop()
            if not rest:
                if len(syllables) > 1:
                    yield syllables
                continue
            lengths = range(1, min(len(rest), 6) + 1)
            pending += [((*syllables, rest[:n]), rest[n:]) for n in lengths if rest[:n] in self._syllables]


def _readings(characters: set[str]) -> dict[str, tuple[str, ...]]:
    """Return each character's ways to be read, the most usual first."""
    # The tables take 0.1 s and 20 MB, which a collection without Chinese need not pay.
    from pypinyin import Style, pinyin

    return {
        character: tuple(dict.fromkeys(pinyin(character, heteronym=True, style=Style.NORMAL)[0]))
        for character in characters
    }
