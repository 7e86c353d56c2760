"""What a sticker's stored text vector holds beyond BM25F: its utility, and a trace of its id.

With ``1 + beta * utility`` in its values the inner product with a query is the recall score, so that an index cuts its
candidates by what the ranking means. Of two stickers with equal texts the trace makes the score of the smaller id the
larger one, by less than 1e-5 of it, so that an index cuts a run of equal texts in the order of their ids, in every
build and in any number of shards.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.text.bm25f import SparseVector

TRACE = 2.0**-17
"""Largest share of a score that its id adds."""

_TRENDING_TRACE = 1e-7
"""Largest utility that an id adds: payloads are kept in double precision."""


def stored_text(words: SparseVector, utility: float, beta: float, sticker_id: str) -> SparseVector:
    """Return the vector ``text`` of a sticker's point.

    Args:
        words: Its BM25F vector.
        utility: In [0, 1].
        beta: Weight of utility, >= 0.
        sticker_id: 32 hex digits.
    """
    factor = stored_factor(utility, beta, sticker_id)
    return SparseVector(words.indices, [value * factor for value in words.values])


def stored_factor(utility: float, beta: float, sticker_id: str) -> float:
    """Return what the values of a sticker's BM25F vector are multiplied by, see :func:`stored_text`."""
    return (1.0 + beta * utility) * float(trace_factors([sticker_id])[0])


def trace_factors(sticker_ids: Sequence[str]) -> NDArray[np.float64]:
    """Return what the ids multiply scores by, shape (n,), in (1, 1 + :data:`TRACE`], falling from id to id."""
    leading = np.array([int(sticker_id[:8], 16) for sticker_id in sticker_ids], dtype=np.float64)
    return 1.0 + TRACE * (1.0 - leading / 2.0**32)


def trending(utility: float, sticker_id: str) -> float:
    """Return the number by which popular stickers are ordered: utility, equal ones in the order of their ids."""
    return utility + _TRENDING_TRACE * (float(trace_factors([sticker_id])[0]) - 1.0) / TRACE
