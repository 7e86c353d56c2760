"""Texts cut into pieces as XLM-RoBERTa was taught: the likeliest cut under a unigram model (Kudo 2018)."""

from __future__ import annotations

import re

from persrv.text.meaning.e5.packed import Vocabulary

_SPACES = re.compile(" {2,}")
_SPACE = "▁"
_PENALTY = 10.0
"""An unknown character is this much less likely than the least likely piece."""


class Pieces:
    """Cuts texts.

    Args:
        vocabulary: The pieces.
        most: Most ids of a text, with the first and the last; what goes beyond is left out.
    """

    def __init__(self, vocabulary: Vocabulary, most: int) -> None:
        self._vocabulary, self._most = vocabulary, most
        known = enumerate(zip(vocabulary.pieces, vocabulary.scores, strict=True))
        self._known = {piece: (number, score) for number, (piece, score) in known if piece}
        self._known.pop(vocabulary.pieces[vocabulary.unknown], None)
        self._longest = max(map(len, self._known))
        self._unknown = vocabulary.unknown, min(vocabulary.scores) - _PENALTY

    def cut(self, text: str) -> list[int]:
        """Return the ids of a text's pieces, between the id that begins and the one that ends a text."""
        found: list[int] = []
        steps = self._likeliest(self._normalized(text))
        end = len(steps) - 1
        while end > 0:
            number, end = steps[end]
            found.append(number)
        return [self._vocabulary.first, *found[::-1][: self._most - 2], self._vocabulary.last]

    def _normalized(self, text: str) -> list[bytes]:
        replaced = self._vocabulary.replaced
        single = _SPACES.sub(" ", "".join(replaced.get(character, character) for character in text))
        begun = single if single.startswith(" ") else f" {single}"
        return [character.encode() for character in begun.replace(" ", _SPACE)]

    def _likeliest(self, characters: list[bytes]) -> list[tuple[int, int]]:
        """Return for each number of characters the last piece of their best cut, and where that piece begins."""
        size = len(characters)
        best, steps = [0.0] + [float("-inf")] * size, [(0, 0)] * (size + 1)
        for start in range(size):
            piece, sofar = b"", best[start]
            for end in range(start + 1, size + 1):
                piece += characters[end - 1]
                if len(piece) > self._longest:
                    break
                known = self._known.get(piece)
                if known and sofar + known[1] > best[end]:
                    best[end], steps[end] = sofar + known[1], (known[0], start)
            number, score = self._unknown
            if sofar + score > best[start + 1]:
                best[start + 1], steps[start + 1] = sofar + score, (number, start)
        return steps
