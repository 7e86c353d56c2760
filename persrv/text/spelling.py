"""A second guess for words that no sticker has."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rapidfuzz import process
from rapidfuzz.distance import OSA

from persrv.text.tokenizer import pieces

_LATIN = re.compile(r"[a-z]{3,}\Z")
_LONGEST_SHORT_WORD = 5


class Speller:
    """Finds near words for unknown Latin ones.

    Args:
        vocabulary: Token to the number of documents that hold it; tokens that none holds are not known.
        surfaces: Token to a readable spelling, since tokens are stems; see ``CorpusStatistics.surfaces``.
    """

    def __init__(self, vocabulary: Mapping[str, int], surfaces: Mapping[str, str] = MappingProxyType({})) -> None:
        self._frequencies = {token: count for token, count in vocabulary.items() if count > 0}
        self._surfaces = surfaces
        self._sorted = sorted(filter(_LATIN.match, self._frequencies))
        self._by_length: defaultdict[int, list[str]] = defaultdict(list)
        for token in self._sorted:
            self._by_length[len(token)].append(token)

    def unknown(self, query: str) -> dict[str, str]:
        """Return the words of which no reading is known: token to the word as it was typed, in their order.

        Only what was typed is meant: that nothing is called by one of an emoji's names, or that ``loooool`` is found as
        ``lol`` but not as ``lool``, is no mistake of spelling.
        """
        found: dict[str, str] = {}
        for piece in pieces(query):
            if piece.kind == "word" and not any(token in self._frequencies for token in piece.tokens):
                found.setdefault(piece.tokens[0], piece.text)
        return found

    def correct(self, tokens: Iterable[str]) -> dict[str, str]:
        """Return, for each unknown token that something known is near to, the token that was most likely meant."""
        found = {token: self.nearest(token) for token in tokens if token not in self._frequencies}
        return {token: near for token, near in found.items() if near is not None}

    def nearest(self, token: str) -> str | None:
        """Return the known token that an unknown one was most likely meant to be, ``None`` where nothing is near.

        Only tokens of three or more letters a to z are looked at. One slip (a letter wrong, missing, too many, or two
        swapped: optimal string alignment distance) is forgiven in three to five letters, two in longer words. Fewer
        slips win, then more documents, then alphabetical order. Where nothing is that near, the token is taken for the
        beginning of a longer one.
        """
        if not _LATIN.match(token):
            return None
        limit = 1 if len(token) <= _LONGEST_SHORT_WORD else 2
        lengths = range(len(token) - limit, len(token) + limit + 1)
        candidates = [known for length in lengths for known in self._by_length.get(length, ())]
        near = process.extract(token, candidates, scorer=OSA.distance, score_cutoff=limit, limit=None)
        ranked = [(distance, -self._frequencies[known], known) for known, distance, _ in near]
        ranked = ranked or [(0, -self._frequencies[known], known) for known in self._beginning_with(token)]
        return min(ranked)[2] if ranked else None

    def readable(self, token: str) -> str:
        """Return a spelling of a token that can be shown to people, the token itself where none is known."""
        return self._surfaces.get(token, token)

    def _beginning_with(self, prefix: str) -> list[str]:
        after_z = chr(ord("z") + 1)
        return self._sorted[bisect_left(self._sorted, prefix) : bisect_left(self._sorted, prefix + after_z)]
