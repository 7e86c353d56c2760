"""From cached raw vectors to what the index stores of style."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import VectorCache
from persrv.images.space import Space
from persrv.indexing.looks import pictured
from persrv.ranking.style_space import MeaningCentred
from persrv.recipe import Text
from persrv.records import Sticker
from persrv.text.bm25f import CorpusStatistics, SparseVector, document_vector

TELLS_THE_HAND = "pack"
"""The field whose words are left out of a sticker's meaning: they name the hand that drew it."""


@dataclass(frozen=True, slots=True)
class Styles:
    """How a collection's stickers are drawn.

    Attributes:
        vectors: Unit vectors, shape (n, d), float32; zero rows where there is no picture, or nothing to tell.
        space: Projects the raw vector of a picture that has no words here.
    """

    vectors: NDArray[np.float32]
    space: Space


def sticker_words(stickers: Callable[[], Iterable[Sticker]], text: Text) -> Iterator[SparseVector]:
    """Yield what each sticker means: its BM25F vector, without the pack's name.

    Args:
        stickers: Gives the same stickers whenever it is called. What users typed for them is better left out: then a
            pick changes nobody's space of style.
        text: The recipe's ``[text]``.
    """
    fields = text.fields | {TELLS_THE_HAND: text.fields[TELLS_THE_HAND].model_copy(update={"weight": 0.0})}
    statistics = CorpusStatistics(text.model_copy(update={"fields": fields}))
    for sticker in stickers():
        statistics.add(dict(sticker.semantics.items()))
    lengths = statistics.average_lengths
    for sticker in stickers():
        yield document_vector(dict(sticker.semantics.items()), statistics.text_settings, lengths)


def gather_styles(
    ids: Sequence[str],
    packs: Sequence[str],
    raw_styles: VectorCache,
    dimension: int,
    words: Iterable[SparseVector] | None,
) -> Styles:
    """Fit the collection's space of style.

    Args:
        ids: Sticker ids, n of them.
        packs: First pack of each, ``""`` for none.
        raw_styles: Raw style vectors.
        dimension: Length of a raw style vector.
        words: What each of the n stickers means, as :func:`sticker_words` yields it; ``None`` leaves meaning in.
    """
    have, raw = pictured(ids, raw_styles, dimension)
    return fit_styles(have, raw, packs, words)


def fit_styles(
    have: NDArray[np.int64], raw: NDArray[np.float32], packs: Sequence[str], words: Iterable[SparseVector] | None
) -> Styles:
    """Fit the space of style of n stickers, m of which have a picture.

    Args:
        have: Which, ascending, shape (m,).
        raw: Their raw style vectors, shape (m, d).
        packs: First pack of each of the n, ``""`` for none.
        words: As for :func:`gather_styles`.
    """
    owners = [packs[i] for i in have]
    vectors = np.zeros((len(packs), raw.shape[1]), dtype=np.float32)
    if words is None:
        space = Space.fit(raw, owners)
        vectors[have] = space.project(raw)
        return Styles(vectors, space)
    seen = np.zeros(len(packs), dtype=bool)
    seen[have] = True
    kept = (document for document, wanted in zip(words, seen, strict=True) if wanted)
    centred = MeaningCentred.fit(raw, kept, owners)
    vectors[have] = centred.vectors
    return Styles(vectors, centred.space)
