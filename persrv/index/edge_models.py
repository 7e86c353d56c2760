"""Requests, points and answers between ``qdrant_client.models`` and Qdrant Edge.

Edge has its own classes, which mirror the REST model one to one. What is not translated is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import qdrant_edge as edge
from qdrant_client import models as m

from persrv.errors import QueryError
from persrv.index.edge_filter import refuse_others, to_edge_filter, untranslatable
from persrv.index.edge_formula import to_edge_formula
from persrv.index.engine import Request
from persrv.index.validate import nested

_RRF_K = 2
"""Qdrant's constant for reciprocal rank fusion where none is given (60 elsewhere)."""


def to_edge_request(request: Request) -> edge.QueryRequest:
    """Translate a request that :func:`persrv.index.validate.check_request` let through.

    Raises:
        QueryError: Naming the query type, condition or option that this engine is not asked for.
    """
    return edge.QueryRequest(
        limit=request.limit,
        offset=request.offset,
        query=_query(request.query, request.using),
        prefetches=[_prefetch(prefetch) for prefetch in request.prefetch],
        filter=to_edge_filter(request.filter),
        with_payload=request.with_payload,
        with_vector=list(request.with_vectors) or False,
    )


def to_edge_points(points: Sequence[m.PointStruct]) -> list[edge.Point]:
    """Translate points that :func:`persrv.index.validate.check_points` let through."""
    return [edge.Point(point.id, _edge_vectors(point.vector), point.payload or {}) for point in points]


def from_edge_scored(points: Sequence[edge.ScoredPoint]) -> list[m.ScoredPoint]:
    """Translate answers back; ids become text, as over REST."""
    return [
        m.ScoredPoint(
            id=str(point.id),
            version=point.version,
            score=point.score,
            payload=point.payload,
            vector=_vectors(point.vector),
            order_value=point.order_value,
        )
        for point in points
    ]


def from_edge_records(records: Sequence[edge.Record]) -> list[m.Record]:
    """Translate stored points back; ids become text, as over REST."""
    return [m.Record(id=str(r.id), payload=r.payload, vector=_vectors(r.vector)) for r in records]


def _edge_vectors(vectors: object) -> dict[str, edge.NamedVector]:
    if not isinstance(vectors, Mapping):
        raise untranslatable(vectors)
    return {
        name: edge.SparseVector(vector.indices, vector.values) if isinstance(vector, m.SparseVector) else vector
        for name, vector in vectors.items()
    }


def _vectors(vectors: object) -> dict[str, m.VectorOutput] | None:
    if not isinstance(vectors, Mapping):
        return None
    return {
        name: m.SparseVector(indices=vector.indices, values=vector.values)
        if isinstance(vector, edge.SparseVector)
        else vector
        for name, vector in vectors.items()
    }


def _prefetch(prefetch: m.Prefetch) -> edge.Prefetch:
    refuse_others(prefetch, {"prefetch", "query", "using", "filter", "params", "score_threshold", "limit"})
    if prefetch.limit is None:
        raise QueryError("a prefetch has no limit", "give each prefetch a limit of at least 1")
    return edge.Prefetch(
        limit=prefetch.limit,
        query=_query(prefetch.query, prefetch.using),
        prefetches=[_prefetch(inner) for inner in nested(prefetch)],
        params=_params(prefetch.params),
        filter=to_edge_filter(prefetch.filter),
        score_threshold=prefetch.score_threshold,
    )


def _params(params: m.SearchParams | None) -> edge.SearchParams | None:
    if params is None:
        return None
    refuse_others(params, {"hnsw_ef", "exact", "indexed_only"})
    return edge.SearchParams(hnsw_ef=params.hnsw_ef, exact=bool(params.exact), indexed_only=bool(params.indexed_only))


# The stub of Edge does not say that the two kinds of fusion are a ``Fusion``, hence the casts.
def _query(query: m.QueryInterface | None, using: str | None) -> edge.ScoringQueryType | None:
    match query:
        case None:
            return None
        case m.NearestQuery():
            refuse_others(query, {"nearest"})
            return _query(query.nearest, using)
        case m.SparseVector():
            return edge.Query.Nearest(edge.SparseVector(query.indices, query.values), using=using)
        case [float() | int(), *_] | [[float() | int(), *_], *_]:
            return edge.Query.Nearest(query, using=using)
        case m.FormulaQuery():
            return to_edge_formula(query)
        case m.OrderByQuery(order_by=order):
            return _order(order)
        case m.FusionQuery(fusion=m.Fusion.RRF):
            return cast(edge.Fusion, edge.Fusion.Rrf(_RRF_K))
        case m.FusionQuery(fusion=m.Fusion.DBSF):
            return cast(edge.Fusion, edge.Fusion.Dbsf())
        case m.RrfQuery(rrf=rrf):
            return cast(edge.Fusion, edge.Fusion.Rrf(_RRF_K if rrf.k is None else rrf.k, rrf.weights))
        case _:
            raise untranslatable(query)


def _order(order: str | m.OrderBy) -> edge.OrderBy:
    if isinstance(order, str):
        return edge.OrderBy(order)
    descending = order.direction is m.Direction.DESC
    start = order.start_from
    return edge.OrderBy(
        order.key,
        edge.Direction.Desc if descending else edge.Direction.Asc,
        start if start is None or isinstance(start, float | int) else start.isoformat(),
    )
