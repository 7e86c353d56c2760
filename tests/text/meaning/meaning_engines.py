"""The online request with a recall by words and meaning, and two engines that hold multivectors."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray
from qdrant_client import QdrantClient
from qdrant_client import models as m

from persrv.index.edge_filter import to_edge_filter
from persrv.index.edge_formula import to_edge_formula
from persrv.index.edge_models import from_edge_scored
from persrv.index.engine import Request
from persrv.index.schema import IMAGE, MEANING, TEXT
from persrv.online.recall import Recall
from persrv.online.request import Taste

Answers = Callable[[Request], list[m.ScoredPoint]]


def personal_request(recall: Recall, taste: Taste, beta: float, gamma: float) -> Request:
    """:func:`persrv.online.request.personal_request` for a recall that scores with a formula."""
    first = len(recall.scores)
    near = [
        m.Prefetch(prefetch=list(recall.sources), query=row.tolist(), using=IMAGE, limit=recall.size)
        for row in taste.centroids
    ]
    factors: list[m.Expression] = [
        recall.formula,
        m.SumExpression(sum=[1.0, m.MultExpression(mult=[beta, "utility"])]),
    ]
    defaults = {"utility": 0.0, **recall.defaults}
    if near:
        pulls: list[m.Expression] = [
            m.MultExpression(mult=[float(w), f"$score[{first + c}]"]) for c, w in enumerate(taste.weights)
        ]
        defaults |= {f"$score[{first + c}]": 0.0 for c in range(len(near))}
        lean = m.MultExpression(mult=[gamma, m.MaxExpression(max=pulls)])
        factors.append(m.SumExpression(sum=[1.0, lean]))
    formula = m.FormulaQuery(formula=m.MultExpression(mult=factors), defaults=defaults)
    return Request(query=formula, prefetch=(*recall.scores, *near), limit=recall.size)


def identity(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def number_of(point: m.ScoredPoint) -> int:
    return uuid.UUID(str(point.id)).int - 1


@contextmanager
def in_memory(points: Sequence[m.PointStruct], sizes: tuple[int, int]) -> Iterator[Answers]:
    """Local mode of qdrant-client."""
    client = QdrantClient(":memory:")
    max_sim = m.MultiVectorConfig(comparator=m.MultiVectorComparator.MAX_SIM)
    client.create_collection(
        "stickers",
        vectors_config={
            IMAGE: m.VectorParams(size=sizes[0], distance=m.Distance.COSINE),
            MEANING: m.VectorParams(size=sizes[1], distance=m.Distance.COSINE, multivector_config=max_sim),
        },
        sparse_vectors_config={TEXT: m.SparseVectorParams(modifier=m.Modifier.IDF)},
    )
    client.upsert("stickers", list(points))
    yield (
        lambda r: (
            client.query_points(
                "stickers", query=r.query, prefetch=list(r.prefetch), limit=r.limit, query_filter=r.filter
            ).points
        )
    )
    client.close()


@contextmanager
def on_edge(points: Sequence[m.PointStruct], sizes: tuple[int, int], folder: Path) -> Iterator[Answers]:
    """Qdrant Edge, the server's own engine."""
    max_sim = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
    config = edge.EdgeConfig(
        vectors={
            IMAGE: edge.EdgeVectorParams(size=sizes[0], distance=edge.Distance.Cosine),
            MEANING: edge.EdgeVectorParams(size=sizes[1], distance=edge.Distance.Cosine, multivector_config=max_sim),
        },
        sparse_vectors={TEXT: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        hnsw_config=edge.HnswIndexConfig(0, 128, 10_000),
    )
    shard = edge.EdgeShard.create(str(folder), config)
    for key, kind in (("utility", edge.PayloadSchemaType.Float), ("pack", edge.PayloadSchemaType.Keyword)):
        shard.update(edge.UpdateOperation.create_field_index(key, kind))
    written = [edge.Point(str(p.id), _vectors(p), p.payload or {}) for p in points]
    shard.update(edge.UpdateOperation.upsert_points(written))
    yield lambda request: from_edge_scored(
        shard.query(
            edge.QueryRequest(
                limit=request.limit,
                query=to_edge_formula(cast(m.FormulaQuery, request.query)),
                prefetches=[_prefetch(prefetch) for prefetch in request.prefetch],
            )
        )
    )
    shard.close()


def _vectors(point: m.PointStruct) -> dict[str, edge.NamedVector]:
    vectors = cast(dict[str, object], point.vector)
    return {
        name: edge.SparseVector(vector.indices, vector.values)
        if isinstance(vector, m.SparseVector)
        else cast(list[float], vector)
        for name, vector in vectors.items()
    }


def _prefetch(prefetch: m.Prefetch) -> edge.Prefetch:
    query = prefetch.query
    vector = edge.SparseVector(query.indices, query.values) if isinstance(query, m.SparseVector) else query
    inner = prefetch.prefetch
    return edge.Prefetch(
        limit=prefetch.limit or 0,
        query=edge.Query.Nearest(cast(list[float], vector), using=prefetch.using),
        prefetches=[_prefetch(part) for part in inner] if isinstance(inner, list) else [],
        filter=to_edge_filter(prefetch.filter),
        score_threshold=prefetch.score_threshold,
    )


def sparse_scores(points: Sequence[m.PointStruct], tokens: Sequence[int]) -> NDArray[np.float64]:
    """BM25F with Lucene's IDF over the points that have words."""
    bags = [dict(zip(v.indices, v.values, strict=True)) if (v := _text(p)) else {} for p in points]
    count = sum(bool(bag) for bag in bags)
    worth = {}
    for token in tokens:
        having = sum(token in bag for bag in bags)
        worth[token] = np.log((count - having + 0.5) / (having + 0.5) + 1.0)
    return np.array([sum(worth[t] * bag[t] for t in tokens if t in bag) for bag in bags])


def _text(point: m.PointStruct) -> m.SparseVector | None:
    vector = cast(dict[str, object], point.vector).get(TEXT)
    return vector if isinstance(vector, m.SparseVector) else None
