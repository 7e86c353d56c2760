"""Likeness in meaning to a collection from which any one phrase is missing.

A meaning space is fitted on the whole collection, so a phrase that is left out must not have taken part in the fit. To
fit one for each phrase would take hours; instead the stickers are dealt into a few folds by a hash of their keys, and
each fold is asked in a space that was fitted and calibrated on the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.indexing.progress import Progress
from persrv.lab.stickerqueries.dataset import Dataset, Search
from persrv.records import Semantics
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.learn import learned_space
from persrv.text.meaning.phrases import phrases
from persrv.text.meaning.rows import cosines
from persrv.text.meaning.space import MeaningSpace

FOLDS = 5
"""Each sticker is asked in a space that four fifths of the collection were fitted in."""


def fold_of(key: str, folds: int = FOLDS) -> int:
    """Return the fold of a sticker, in [0, ``folds``): the same in every file and on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big") % folds


def fitted_spaces(
    dataset: Dataset, encoder: TextEncoder, dimension: int, wanted: Sequence[int], progress: Progress
) -> dict[int, MeaningSpace]:
    """Return for each wanted fold a space that none of its stickers took part in.

    Args:
        dataset: All stickers.
        encoder: Gives the vectors.
        dimension: Most dimensions that are kept.
        wanted: Numbers of folds.
        progress: Shows how many are fitted.
    """
    spaces = {}
    with progress.stage("learning meanings", len(wanted)) as advance:
        for fold in wanted:
            others = [_said(sticker.queries) for sticker in dataset.stickers if fold_of(sticker.key) != fold]
            spaces[fold] = learned_space(encoder, others, dimension)
            advance(1)
    return spaces


class HeldOutMeanings:
    """The collection's phrases in each fold's space.

    Args:
        dataset: All stickers.
        encoder: The one that the spaces were fitted with.
        spaces: Fold to its space; folds without one cannot be asked.
    """

    def __init__(self, dataset: Dataset, encoder: TextEncoder, spaces: Mapping[int, MeaningSpace]) -> None:
        self._dataset, self._encoder, self._spaces = dataset, encoder, spaces
        texts = [phrases(_said(sticker.queries)) for sticker in dataset.stickers]
        distinct = sorted({phrase for one in texts for phrase in one})
        self._vectors = dict(zip(distinct, encoder.encode_documents(distinct), strict=True))
        self._rows = {fold: [space.sticker(self._encoded(one)) for one in texts] for fold, space in spaces.items()}

    def space(self, search: Search) -> MeaningSpace:
        """Return the space in which a search is asked."""
        return self._spaces[self._fold(search)]

    def cosines(self, wanted: Sequence[Search]) -> NDArray[np.float64]:
        """Return every sticker's likeness to each search, shape (q, n), in [-1, 1].

        Each search's own sticker has only the phrases that are kept.
        """
        found = np.zeros((len(wanted), len(self._dataset.stickers)))
        for fold, space in self._spaces.items():
            numbers = [number for number, search in enumerate(wanted) if self._fold(search) == fold]
            if not numbers:
                continue
            vectors = np.array([space.search(self._encoder.encode_query(wanted[number].query)) for number in numbers])
            found[numbers] = cosines(vectors, self._rows[fold])
            for number, vector in zip(numbers, vectors, strict=True):
                kept = self._encoded(phrases(_said(wanted[number].kept)))
                found[number, wanted[number].sticker] = cosines(vector[None, :], [space.sticker(kept)])[0, 0]
        return found

    def _fold(self, search: Search) -> int:
        return fold_of(self._dataset.stickers[search.sticker].key)

    def _encoded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        missing = [phrase for phrase in texts if phrase not in self._vectors]
        self._vectors |= dict(zip(missing, self._encoder.encode_documents(missing), strict=True))
        found = np.zeros((len(texts), self._encoder.dimension), np.float32)
        for row, phrase in enumerate(texts):
            found[row] = self._vectors[phrase]
        return found


def _said(queries: Sequence[str]) -> Semantics:
    return Semantics(queries=tuple(queries))
