"""The recall part of the online request: by words, by meaning, or by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models as m

from persrv.index.schema import MEANING, TEXT
from persrv.text.meaning.fusion import Blend

NEAREST = 200
"""Most stickers that are let in by meaning alone."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Where candidates come from, and the score that they start with.

    Attributes:
        sources: Prefetches whose union are the candidates; their limits bound its size.
        scores: Prefetches that the formula reads as ``$score[0]``, ``$score[1]``, ...; together they find the same
            stickers as ``sources``.
        formula: The starting score, >= 0.
        defaults: Value of each score for candidates that its prefetch did not find.
    """

    sources: tuple[m.Prefetch, ...]
    scores: tuple[m.Prefetch, ...]
    formula: m.Expression
    defaults: Mapping[str, float]

    @property
    def size(self) -> int:
        """Most candidates that there can be."""
        return sum(source.limit or 0 for source in self.sources)


def meaning_recall(
    words: tuple[Sequence[int], Sequence[float]] | None,
    query: NDArray[np.floating[Any]],
    blend: Blend,
    pool: int,
    where: m.Filter | None,
) -> Recall:
    """Return the recall whose scores :func:`persrv.text.meaning.fusion.fused` gives.

    Each side scores the candidates of both, so that no score depends on how many candidates there are. The floor is a
    score threshold, with the floor itself as default: servers before 1.20 have no maximum in formulas.

    Args:
        words: Indices and values of the query's sparse vector; ``None`` where no sticker has any of its words, and
            meaning answers alone.
        query: Unit vector, shape (k,), see :meth:`persrv.text.meaning.space.MeaningSpace.search`.
        blend: How meaning counts.
        pool: Candidates by words, >= 1; at most :data:`NEAREST` are let in by meaning.
        where: The search's filter.
    """
    dense = [[float(x) for x in query]]
    let_in = min(pool, NEAREST)
    near = m.Prefetch(query=dense, using=MEANING, limit=let_in, filter=where, score_threshold=blend.entry)
    if words is None:
        return Recall((near,), (near,), _above_floor(0, blend), {"$score[0]": blend.floor})
    sparse = m.SparseVector(indices=list(words[0]), values=list(words[1]))
    matching = m.Prefetch(query=sparse, using=TEXT, limit=pool, filter=where)
    sources, size = [matching, near], pool + let_in
    scores = (
        m.Prefetch(prefetch=sources, query=sparse, using=TEXT, limit=size),
        m.Prefetch(prefetch=sources, query=dense, using=MEANING, limit=size, score_threshold=blend.floor),
    )
    formula = m.SumExpression(sum=["$score[0]", _above_floor(1, blend)])
    return Recall(tuple(sources), scores, formula, {"$score[0]": 0.0, "$score[1]": blend.floor})


def _above_floor(score: int, blend: Blend) -> m.Expression:
    above = m.SumExpression(sum=[f"$score[{score}]", -blend.floor])
    return m.MultExpression(mult=[blend.slope, above])
