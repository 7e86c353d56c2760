"""From cached raw vectors to what the index stores of style."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.build.looks import pictured
from persrv.catalog import Catalog, VectorCache
from persrv.images.space import Space
from persrv.recipe import Text
from persrv.styling import MeaningCentred
from persrv.text.bm25f import SparseVector, document_vector

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


def documents(catalog: Catalog, text: Text, average_lengths: Mapping[str, float]) -> Iterator[SparseVector]:
    """Yield what each sticker means, as its BM25F vector without the pack's name, in id order."""
    fields = text.fields | {TELLS_THE_HAND: text.fields[TELLS_THE_HAND].model_copy(update={"weight": 0.0})}
    settings = text.model_copy(update={"fields": fields})
    for sticker in catalog.stickers():
        yield document_vector(dict(sticker.semantics.items()), settings, average_lengths)


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
        words: What each of the n stickers means, as :func:`documents` yields it; ``None`` leaves meaning in.
    """
    have, raw = pictured(ids, raw_styles, dimension)
    owners = [packs[i] for i in have]
    vectors = np.zeros((len(ids), dimension), dtype=np.float32)
    if words is None:
        space = Space.fit(raw, owners)
        vectors[have] = space.project(raw)
        return Styles(vectors, space)
    seen = np.zeros(len(ids), dtype=bool)
    seen[have] = True
    centred = MeaningCentred.fit(
        raw, (document for document, wanted in zip(words, seen, strict=True) if wanted), owners
    )
    vectors[have] = centred.vectors
    return Styles(vectors, centred.space)
