"""What somebody may be about to type: names, tags, and queries that several people typed, found by their beginnings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from persrv.text.folding import normalise

LONGEST = 60
"""Characters of a phrase that is suggested; whole sentences are descriptions."""

WORD_STARTS = 4
"""Words of a phrase at which what is typed may begin."""

_KEYS = 2 * WORD_STARTS + 1
"""Most beginnings of one phrase: of its words, of its characters, and its pinyin in full and in initials."""

_NEAR = 4
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile(r"[a-z]+\Z")
_LAST = "\U0010ffff"


class Suggestions:
    """Phrases by their beginnings, kept in a few arrays: no Python object a phrase.

    A phrase is found by the beginning of any of its first words, and a Chinese one also by its pinyin and by the
    initials of its pinyin.

    Args:
        phrases: Phrase and its weight; those of a phrase that comes several times are added.
    """

    def __init__(self, phrases: Iterable[tuple[str, float]]) -> None:
        weights: defaultdict[str, float] = defaultdict(float)
        shown: dict[str, str] = {}
        for phrase, weight in phrases:
            if len(phrase) <= LONGEST and (folded := normalise(phrase)):
                weights[folded] += weight
                shown.setdefault(folded, phrase)
        known = sorted(weights)
        keys = sorted({(key, number) for number, phrase in enumerate(known) for key in _keys(phrase)})
        self._phrases = _Texts(shown[phrase] for phrase in known)
        self._keys = _Texts(key for key, _ in keys)
        self._numbers = np.array([number for _, number in keys], dtype=np.int32)
        self._weights: NDArray[np.float32] = np.array([weights[phrase] for phrase in known], dtype=np.float32)
        words = {word for phrase in known for word in phrase.split() if _LATIN.match(word)}
        self._words: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(words):
            self._words[word[0]].append(word)

    def __len__(self) -> int:
        return len(self._phrases)

    def complete(self, typed: str, limit: int = 8) -> list[str]:
        """Return phrases that begin as what was typed does, those of the most stickers and people first.

        Where no phrase does, the last word is taken for a typo: one letter wrong, missing, too many, or two swapped.

        Args:
            typed: Any text.
            limit: Most phrases, >= 1.
        """
        prefix = normalise(typed)
        if not prefix:
            return []
        found = self._beginning(prefix, limit)
        if not found:
            head, _, last = prefix.rpartition(" ")
            for word in self._near(last):
                found += self._beginning(f"{head} {word}".strip(), limit)
        return list(dict.fromkeys(found))[:limit]

    def whole(self, typed: str) -> bool:
        """Return whether what was typed ends with a whole word of some phrase, rather than with half of one."""
        prefix = normalise(typed)
        return any(
            self._keys.position(end) < self._keys.position(end + last)
            for end, last in ((prefix, "\0"), (prefix + " ", _LAST))
        )

    def most(self, limit: int) -> list[str]:
        """Return the phrases of the most stickers and people, the most first, ties by the phrase."""
        ranked = np.lexsort((np.arange(len(self._weights)), -self._weights))[:limit]
        return [self._phrases[number] for number in ranked.tolist()]

    def _beginning(self, prefix: str, limit: int) -> list[str]:
        first = self._keys.position(prefix)
        numbers = self._numbers[first : self._keys.position(prefix + _LAST)]
        numbers = np.unique(self._heaviest(numbers, limit * _KEYS))  # a phrase is there once for each of its beginnings
        numbers = self._heaviest(numbers, limit)
        ranked = sorted(zip((-self._weights[numbers]).tolist(), numbers.tolist(), strict=True))
        return [self._phrases[number] for _, number in ranked[:limit]]

    def _heaviest(self, numbers: NDArray[np.int32], most: int) -> NDArray[np.int32]:
        """Return the phrases of the ``most`` largest weights, and all that tie with the last of them."""
        if len(numbers) <= most:
            return numbers
        weights = self._weights[numbers]
        heaviest: NDArray[np.int32] = numbers[weights >= np.partition(weights, -most)[-most]]
        return heaviest

    def _near(self, word: str) -> list[str]:
        if len(word) < 3 or not _LATIN.match(word):
            return []
        known = self._words.get(word[0], [])
        near: list[str] = []
        for length in (None, len(word), len(word) + 1):
            heads = [other[:length] for other in known]
            found = process.extract(word, heads, scorer=OSA.distance, score_cutoff=1, limit=_NEAR)
            near += [known[at] for _, _, at in found]
        return list(dict.fromkeys(near))[:_NEAR]


class _Texts:
    """Texts in one block of bytes, of which any can be read."""

    def __init__(self, texts: Iterable[str]) -> None:
        encoded = [text.encode("utf-8", "replace") for text in texts]
        self._block = b"".join(encoded)
        self._ends = np.fromiter(accumulate(map(len, encoded), initial=0), dtype=np.int64, count=len(encoded) + 1)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self._bytes(number).decode("utf-8")

    def position(self, text: str) -> int:
        """Return how many of the texts, which must be sorted, come before this one."""
        # UTF-8 sorts as code points do.
        return bisect_left(range(len(self)), text.encode("utf-8", "replace"), key=self._bytes)

    def _bytes(self, number: int) -> bytes:
        return self._block[self._ends[number] : self._ends[number + 1]]


def _keys(phrase: str) -> Iterator[str]:
    words = phrase.split()
    for start in range(min(len(words), WORD_STARTS)):
        yield " ".join(words[start:])
    if _HAN.search(phrase):
        from pypinyin import Style, lazy_pinyin

        yield "".join(lazy_pinyin(phrase)).replace(" ", "").lower()
        yield "".join(lazy_pinyin(phrase, style=Style.FIRST_LETTER)).replace(" ", "").lower()
        for start in range(1, min(len(phrase), WORD_STARTS)):
            yield phrase[start:]
