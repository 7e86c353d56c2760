"""The request language of :mod:`persrv.index.language` in Qdrant Edge's own classes, and its answers back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast

import numpy as np
import qdrant_edge as edge

from persrv.index.formula import KNOWN_FORMULAS, defaults
from persrv.index.language import (
    AbsoluteValue,
    Condition,
    Division,
    Expression,
    Filter,
    Formula,
    HasId,
    Matches,
    Nearest,
    NearestStyles,
    OrderBy,
    PayloadNumber,
    Point,
    Power,
    Prefetch,
    PrefetchScore,
    Product,
    Record,
    Request,
    ScoredPoint,
    StoredVector,
    Sum,
)
from persrv.text.bm25f import SparseVector


def to_edge_requests(requests: Sequence[Request]) -> list[edge.QueryRequest]:
    """Translate requests that :func:`persrv.index.validate.check_request` let through."""
    parts = _Parts()
    return [
        edge.QueryRequest(
            limit=request.limit,
            offset=request.offset,
            query=None if request.query is None else parts.query(request.query),
            prefetches=[parts.prefetch(prefetch) for prefetch in request.prefetch],
            filter=parts.filter(request.filter),
            with_payload=request.with_payload if isinstance(request.with_payload, bool) else list(request.with_payload),
            with_vector=list(request.with_vectors) or False,
            params=_search_params(request.query),
        )
        for request in requests
    ]


class _Parts:
    """The parts of some requests, each translated once: every source's recall stands in the rescoring of all others."""

    def __init__(self) -> None:
        self._prefetches: dict[int, edge.Prefetch] = {}
        self._queries: dict[int, edge.ScoringQueryType] = {}
        self._filters: dict[int, edge.Filter | None] = {}

    def prefetch(self, prefetch: Prefetch) -> edge.Prefetch:
        if (known := self._prefetches.get(id(prefetch))) is not None:
            return known
        made = edge.Prefetch(
            limit=prefetch.limit,
            query=self.query(prefetch.query),
            prefetches=[self.prefetch(inner) for inner in prefetch.inner],
            params=_search_params(prefetch.query),
            filter=self.filter(prefetch.filter),
            score_threshold=prefetch.threshold,
        )
        self._prefetches[id(prefetch)] = made
        return made

    def query(self, query: Nearest | NearestStyles | OrderBy | Formula) -> edge.ScoringQueryType:
        if (known := self._queries.get(id(query))) is None:
            known = self._queries[id(query)] = _query(query)
        return known

    def filter(self, where: Filter | None) -> edge.Filter | None:
        if where is not None and id(where) not in self._filters:
            self._filters[id(where)] = to_edge_filter(where)
        return None if where is None else self._filters[id(where)]


def to_edge_filter(where: Filter | None) -> edge.Filter | None:
    """Translate a filter."""
    if where is None:
        return None
    return edge.Filter(must=_conditions(where.must), must_not=_conditions(where.must_not))


def to_edge_points(points: Sequence[Point]) -> list[edge.Point]:
    """Translate points that :func:`persrv.index.validate.check_points` let through."""
    return [
        edge.Point(point.id, {name: _edge_vector(v) for name, v in point.vectors.items()}, dict(point.payload))
        for point in points
    ]


def from_edge_scored(points: Sequence[edge.ScoredPoint], request: Request) -> list[ScoredPoint]:
    """Translate answers back; ids become text, as over REST.

    Only what was asked for is looked at: each attribute of the engine's points is made when it is read.
    """
    if not request.with_vectors and not isinstance(request.query, OrderBy):
        if request.with_payload is False:
            return [ScoredPoint(str(point.id), {}, {}, point.score) for point in points]
        return [ScoredPoint(str(point.id), point.payload or {}, {}, point.score) for point in points]
    return [ScoredPoint(str(point.id), point.payload or {}, _vectors(point.vector), _score(point)) for point in points]


def from_edge_records(records: Sequence[edge.Record]) -> list[Record]:
    """Translate stored points back; ids become text, as over REST."""
    return [Record(str(record.id), record.payload or {}, _vectors(record.vector)) for record in records]


def _score(point: edge.ScoredPoint) -> float:
    return point.score if point.order_value is None else float(point.order_value)


def _edge_vector(vector: StoredVector) -> edge.NamedVector:
    if isinstance(vector, SparseVector):
        return edge.SparseVector(vector.indices, vector.values)
    return cast(list[float], vector)


def _vectors(vectors: object) -> Mapping[str, StoredVector]:
    if vectors is None or not isinstance(vectors, Mapping):
        return {}
    return {
        name: SparseVector(vector.indices, vector.values) if isinstance(vector, edge.SparseVector) else vector
        for name, vector in vectors.items()
    }


def _search_params(query: object) -> edge.SearchParams | None:
    return edge.SearchParams(exact=True) if isinstance(query, Nearest) and query.exact else None


def _query(query: Nearest | NearestStyles | OrderBy | Formula) -> edge.ScoringQueryType:
    match query:
        case Nearest(vector, using):
            return edge.Query.Nearest(_edge_vector(vector), using=using)
        case NearestStyles(styles, using):
            rows: list[edge.NamedVector] = [list(style) for style in styles]
            return edge.Query.RecommendBestScore(edge.RecommendQuery(rows, []), using=using)
        case OrderBy(key):
            return edge.OrderBy(key, edge.Direction.Desc)
        case Formula():
            return _formula(query)


@lru_cache(maxsize=KNOWN_FORMULAS)
def _formula(formula: Formula) -> edge.Formula:
    return edge.Formula(_expression(formula.expression), defaults=defaults(formula.expression))


def _expression(expression: Expression) -> edge.Expression:
    make = edge.Expression
    match expression:
        case PrefetchScore(number):
            return make.Variable(f"$score[{number}]")
        case PayloadNumber(key):
            return make.Variable(key)
        case Sum(parts):
            return make.Sum([_expression(part) for part in parts])
        case Product(factors):
            return make.Mult([_expression(factor) for factor in factors])
        case Division(left, right, by_zero):
            return make.Div(_expression(left), _expression(right), by_zero)
        case AbsoluteValue(part):
            return make.Abs(_expression(part))
        case Power(base, exponent):
            return make.Pow(_expression(base), make.Constant(exponent))
        case _:
            return make.Constant(float(expression))


def _conditions(conditions: Sequence[Condition]) -> list[edge.ConditionType] | None:
    return [_condition(condition) for condition in conditions] or None


def _condition(condition: Condition) -> edge.ConditionType:
    match condition:
        case HasId(ids):
            return edge.HasIdCondition(set(ids))
        case Matches(key, (bool(value),)):
            # Edge 0.9 takes Python's truth values for integers, which match nothing; NumPy's arrive as they are.
            return edge.FieldCondition(key, match=edge.MatchValue(cast(bool, np.bool_(value))))
        case Matches(key, (value,)):
            return edge.FieldCondition(key, match=edge.MatchValue(value))
        case Matches(key, values):
            return edge.FieldCondition(key, match=edge.MatchAny(cast(list[str], list(values))))
