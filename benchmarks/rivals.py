"""What one would use in place of persrv's index: bm25s with NumPy, and qdrant-client without a server."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import bm25s
import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient
from qdrant_client import models as m

from benchmarks.synthetic import Stickers
from persrv.index.client_translator import encode_point, from_scored, to_filter, to_prefetch, to_query
from persrv.index.language import Point, Request, ScoredPoint
from persrv.index.schema import PICKED, TEXT, Schema
from persrv.ranking.formula import final_scores, order
from persrv.recipe import Text

HAS_NUMBA = importlib.util.find_spec("numba") is not None
BM25S = "bm25s with numba" if HAS_NUMBA else "bm25s"

Scored = list[tuple[str, float]]


class InMemory:
    """The whole collection in memory: bm25s recalls, NumPy re-ranks by the same formula.

    Args:
        stickers: What it holds.
        text: ``k1``, and ``b`` of the field ``tags``.
        beta: Weight of utility.
        gamma: Weight of style.
    """

    def __init__(self, stickers: Stickers, text: Text, beta: float, gamma: float) -> None:
        self._stickers = stickers
        self._images = stickers.images.astype(np.float64)
        self._beta, self._gamma = beta, gamma
        backend = "numba" if HAS_NUMBA else "numpy"
        self._bm25 = bm25s.BM25(method="lucene", k1=text.k1, b=text.fields["tags"].b, backend=backend)
        self._bm25.index(stickers.tokens, show_progress=False)

    def recall(self, query: Sequence[str], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the rows and BM25 scores of the best stickers, best first, only those that match."""
        rows, scores = self._bm25.retrieve(
            [list(query)], k=min(most, len(self._stickers.ids)), show_progress=False, return_as="tuple"
        )
        found = int((scores[0] > 0).sum())
        return rows[0][:found].astype(np.int64), scores[0][:found].astype(np.float64)

    def personal(self, query: Sequence[str], pool: int, limit: int) -> Scored:
        """Return the best stickers for the user, best first, as (id, score)."""
        rows, text = self.recall(query, pool)
        scores = self._final(rows, text)
        ids = [self._stickers.ids[row] for row in rows]
        return [(ids[i], float(scores[i])) for i in order(scores, ids)[:limit]]

    def every_score(self, query: Sequence[str]) -> dict[str, float]:
        """Return the final score of each sticker that matches, whatever a pool would let through."""
        rows, text = self.recall(query, len(self._stickers.ids))
        scores = self._final(rows, text)
        return {self._stickers.ids[row]: score for row, score in zip(rows, scores.tolist(), strict=True)}

    def _final(self, rows: NDArray[np.int64], text: NDArray[np.float64]) -> NDArray[np.float64]:
        held, taste = self._stickers, self._stickers.taste
        return final_scores(
            text, held.utility[rows], self._images[rows], taste.centroids, taste.weights, self._beta, self._gamma
        )


class LocalClient:
    """qdrant-client's local mode: Qdrant's requests computed by NumPy in this process; no server, no files.

    Args:
        points: What it holds.
        schema: Their layout.
    """

    _NAME = "rival"

    def __init__(self, points: Sequence[Point], schema: Schema) -> None:
        self._client = QdrantClient(":memory:")
        self._client.create_collection(
            self._NAME,
            vectors_config={
                name: m.VectorParams(size=size, distance=m.Distance.DOT) for name, size in schema.dense.items()
            },
            sparse_vectors_config={name: m.SparseVectorParams() for name in (TEXT, PICKED)},
        )
        self._client.upsert(self._NAME, [m.PointStruct.model_validate_json(encode_point(point)) for point in points])

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        """Answer several requests."""
        return [self.query(request) for request in requests]

    def query(self, request: Request) -> list[ScoredPoint]:
        """Answer one request."""
        query, using = to_query(request.query)
        payload = request.with_payload
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            found = self._client.query_points(
                self._NAME,
                query=query,
                prefetch=[to_prefetch(prefetch) for prefetch in request.prefetch],
                using=using,
                query_filter=to_filter(request.filter),
                limit=request.limit,
                with_payload=payload if isinstance(payload, bool) else list(payload),
                with_vectors=list(request.with_vectors),
            )
        return [from_scored(point) for point in found.points]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()
