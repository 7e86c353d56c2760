"""The recall part of the online request: by words, by meaning, by both, by pictures, or of what is popular."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.index.language import (
    Expression,
    Filter,
    Nearest,
    OrderBy,
    Prefetch,
    PrefetchScore,
    Product,
    Sum,
)
from persrv.index.schema import IMAGE, MEANING, TEXT
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.fusion import Blend

NEAREST = 200
"""Most stickers that are let in by meaning alone."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Where candidates come from, and the score that they start with.

    Attributes:
        sources: Prefetches whose union are the candidates; their limits bound its size.
        scores: Prefetches that the formula reads by their number; together they find the same stickers as ``sources``.
        formula: The starting score, >= 0.
    """

    sources: tuple[Prefetch, ...]
    scores: tuple[Prefetch, ...]
    formula: Expression

    @property
    def size(self) -> int:
        """Most candidates that there can be."""
        return sum(source.limit for source in self.sources)


def text_recall(query: SparseVector, pool: int, where: Filter | None) -> Recall:
    """Return the recall of ``pool`` stickers by BM25F, whose score they start with."""
    matching = Prefetch(Nearest(query, TEXT), limit=pool, filter=where)
    return Recall((matching,), (matching,), PrefetchScore(0))


def picture_recall(vector: Sequence[float], pool: int, where: Filter | None) -> Recall:
    """Return the recall of ``pool`` stickers whose pictures a text fits; they start with the cosine, if above 0.

    Args:
        vector: The text's unit vector in the space of the pictures.
        pool: Largest number of candidates.
        where: The search's filter.
    """
    near = Prefetch(Nearest(list(vector), IMAGE), limit=pool, filter=where, threshold=0.0)
    return Recall((near,), (near,), PrefetchScore(0))


def popular_recall(pool: int, where: Filter | None) -> Recall:
    """Return the recall of the most useful stickers, all scored 1."""
    useful = Prefetch(OrderBy("utility"), limit=pool, filter=where)
    return Recall((useful,), (useful,), 1.0)


def meaning_recall(
    words: SparseVector | None,
    query: NDArray[np.floating[Any]],
    blend: Blend,
    pool: int,
    where: Filter | None,
) -> Recall:
    """Return the recall whose scores :func:`persrv.text.meaning.fusion.fused` gives.

    Each side scores the candidates of both, so that no score depends on how many candidates there are. The floor is a
    score threshold, with the floor itself as default, so that no formula needs a maximum.

    Args:
        words: The query's sparse vector; ``None`` where no sticker has any of its words, and meaning answers alone.
        query: Unit vector, shape (k,), see :meth:`persrv.text.meaning.space.MeaningSpace.search`.
        blend: How meaning counts.
        pool: Candidates by words, >= 1; at most :data:`NEAREST` are let in by meaning.
        where: The search's filter.
    """
    dense = Nearest([[float(x) for x in query]], MEANING)
    let_in = min(pool, NEAREST)
    near = Prefetch(dense, limit=let_in, filter=where, threshold=blend.entry)
    if words is None:
        return Recall((near,), (near,), _above_floor(0, blend))
    matching = Prefetch(Nearest(words, TEXT), limit=pool, filter=where)
    sources, size = (matching, near), pool + let_in
    scores = (
        Prefetch(Nearest(words, TEXT), limit=size, inner=sources),
        Prefetch(dense, limit=size, inner=sources, threshold=blend.floor),
    )
    return Recall(sources, scores, Sum((PrefetchScore(0), _above_floor(1, blend))))


def _above_floor(score: int, blend: Blend) -> Expression:
    return Product((blend.slope, Sum((PrefetchScore(score, default=blend.floor), -blend.floor))))
