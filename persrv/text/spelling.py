"""A second guess for words that no sticker has."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

from persrv.text.pinyin import PinyinWords
from persrv.text.tokenizer import pieces

_LATIN = re.compile(r"[a-z]{3,}\Z")
_LONGEST_SHORT_WORD = 5
_SHORTEST_PART = 4


class Speller:
    """Finds near words for unknown Latin ones.

    Tokens are stems, but typos happen in words: typed words are compared with both, so that ``hapyy`` finds ``happy``
    although its token is ``happi``.

    Args:
        vocabulary: Token to the number of documents that hold it; tokens that none holds are not known.
        surfaces: Token to a readable spelling; see ``CorpusStatistics.surfaces``.
    """

    def __init__(self, vocabulary: Mapping[str, int], surfaces: Mapping[str, str] = MappingProxyType({})) -> None:
        self._frequencies = {token: count for token, count in vocabulary.items() if count > 0}
        self._surfaces = surfaces
        self._tokens = {surfaces[token]: token for token in sorted(self._frequencies) if token in surfaces}
        self._tokens |= {token: token for token in self._frequencies}
        self._sorted = sorted(filter(_LATIN.match, self._tokens))
        self._by_length: defaultdict[int, list[str]] = defaultdict(list)
        for word in self._sorted:
            self._by_length[len(word)].append(word)

    def unknown(self, query: str) -> list[str]:
        """Return the words of a query of which no reading is known, see :func:`unknown_words`."""
        return unknown_words(query, self._frequencies)

    def correct(self, words: Iterable[str]) -> dict[str, str]:
        """Return, for each word that something known is near to, the token that was most likely meant."""
        found = {word: self.nearest(word) for word in words if word not in self._frequencies}
        return {word: near for word, near in found.items() if near is not None}

    def nearest(self, word: str, *, parts: bool = False) -> str | None:
        """Return the known token that an unknown word was most likely meant to be, ``None`` where nothing is near.

        Only words of three or more letters a to z are looked at. One typo (a letter wrong, missing, too many, or two
        swapped: optimal string alignment distance) is forgiven in three to five letters, two in longer words. Fewer
        typos win, then more documents, then alphabetical order. Where nothing is that near, the word is taken for the
        beginning of a longer one, and with ``parts`` for any part of one.
        """
        if not _LATIN.match(word):
            return None
        # Imported here, since most searches have no unknown word.
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        limit = 1 if len(word) <= _LONGEST_SHORT_WORD else 2
        lengths = range(len(word) - limit, len(word) + limit + 1)
        candidates = [known for length in lengths for known in self._by_length.get(length, ())]
        near = process.extract(word, candidates, scorer=OSA.distance, score_cutoff=limit, limit=None)
        ranked = [self._rank(known, int(distance)) for known, distance, _ in near]
        ranked = ranked or [self._rank(known, 0) for known in self._beginning_with(word)]
        if parts and not ranked and len(word) >= _SHORTEST_PART:
            ranked = [self._rank(known, 0) for known in self._sorted if word in known]
        return self._tokens[min(ranked)[2]] if ranked else None

    @cached_property
    def pinyin(self) -> PinyinWords:
        """The Chinese words of the vocabulary, by how they sound."""
        return PinyinWords(self._frequencies)

    def readable(self, token: str) -> str:
        """Return a spelling of a token that can be shown to people, the token itself where none is known."""
        return self._surfaces.get(token, token)

    def _rank(self, known: str, distance: int) -> tuple[int, int, str]:
        return distance, -self._frequencies[self._tokens[known]], known

    def _beginning_with(self, prefix: str) -> list[str]:
        after_z = chr(ord("z") + 1)
        return self._sorted[bisect_left(self._sorted, prefix) : bisect_left(self._sorted, prefix + after_z)]


def unknown_words(query: str, known: Container[str]) -> list[str]:
    """Return the words of a query of which no reading is known, as they were typed, without repeats.

    Only what was typed is meant: that nothing is called by one of an emoji's names, or that ``loooool`` is found as
    ``lol`` but not as ``lool``, is no mistake of spelling.

    Args:
        query: What was typed.
        known: The tokens that some document holds.
    """
    words = (piece for piece in pieces(query) if piece.kind == "word")
    unknown = (piece.text for piece in words if not any(token in known for token in piece.tokens))
    return list(dict.fromkeys(unknown))
