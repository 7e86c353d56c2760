"""The request language of :mod:`persrv.index.language` in ``qdrant_client.models``, and its answers back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic_core import to_json
from qdrant_client import models as m

from persrv.index.formula import defaults
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


def to_request(request: Request) -> m.QueryRequest:
    """Translate a request."""
    query, using = to_query(request.query)
    payload = request.with_payload
    return m.QueryRequest(
        query=query,
        prefetch=[to_prefetch(prefetch) for prefetch in request.prefetch] or None,
        using=using,
        limit=request.limit,
        offset=request.offset or None,
        filter=to_filter(request.filter),
        with_payload=payload if isinstance(payload, bool) else list(payload),
        with_vector=list(request.with_vectors) or False,
        params=_search_params(request.query),
    )


def to_query(query: Nearest | NearestStyles | OrderBy | Formula | None) -> tuple[m.Query | None, str | None]:
    """Translate what scores; return it and the name of the vector that it uses."""
    match query:
        case None:
            return None, None
        case Nearest(vector, using):
            return m.NearestQuery(nearest=_client_vector(vector)), using
        case NearestStyles(styles, using):
            wanted = m.RecommendInput(
                positive=[list(style) for style in styles], strategy=m.RecommendStrategy.BEST_SCORE
            )
            return m.RecommendQuery(recommend=wanted), using
        case OrderBy(key):
            return m.OrderByQuery(order_by=m.OrderBy(key=key, direction=m.Direction.DESC)), None
        case Formula(expression):
            return m.FormulaQuery(formula=_expression(expression), defaults=defaults(expression)), None


def to_prefetch(prefetch: Prefetch) -> m.Prefetch:
    """Translate a prefetch with what is inside it."""
    query, using = to_query(prefetch.query)
    return m.Prefetch(
        query=query,
        using=using,
        limit=prefetch.limit,
        prefetch=[to_prefetch(inner) for inner in prefetch.inner] or None,
        filter=to_filter(prefetch.filter),
        score_threshold=prefetch.threshold,
        params=_search_params(prefetch.query),
    )


def _search_params(query: object) -> m.SearchParams | None:
    return m.SearchParams(exact=True) if isinstance(query, Nearest) and query.exact else None


def to_filter(where: Filter | None) -> m.Filter | None:
    """Translate a filter."""
    if where is None:
        return None
    return m.Filter(must=_conditions(where.must), must_not=_conditions(where.must_not))


def encode_point(point: Point) -> bytes:
    """Return a point as JSON, without a model of it: what is copied in bulk needs no second look."""
    vectors = {
        name: {"indices": vector.indices, "values": vector.values} if isinstance(vector, SparseVector) else vector
        for name, vector in point.vectors.items()
    }
    return to_json({"id": point.id, "vector": vectors, "payload": point.payload})


def from_record(record: m.Record) -> Record:
    """Translate a stored point back."""
    return Record(str(record.id), record.payload or {}, _vectors(record.vector))


def from_scored(point: m.ScoredPoint) -> ScoredPoint:
    """Translate an answer back."""
    score = point.score if point.order_value is None else float(point.order_value)
    return ScoredPoint(str(point.id), point.payload or {}, _vectors(point.vector), score)


def _client_vector(vector: StoredVector) -> Any:
    if isinstance(vector, SparseVector):
        return m.SparseVector(indices=vector.indices, values=vector.values)
    return vector


def _vectors(vectors: object) -> Mapping[str, StoredVector]:
    if not isinstance(vectors, Mapping):
        return {}
    return {
        name: SparseVector(vector.indices, vector.values) if isinstance(vector, m.SparseVector) else vector
        for name, vector in vectors.items()
    }


def _expression(expression: Expression) -> m.Expression:
    match expression:
        case PrefetchScore(number):
            return f"$score[{number}]"
        case PayloadNumber(key):
            return key
        case Sum(parts):
            return m.SumExpression(sum=[_expression(part) for part in parts])
        case Product(factors):
            return m.MultExpression(mult=[_expression(factor) for factor in factors])
        case Division(left, right, by_zero):
            both = m.DivParams(left=_expression(left), right=_expression(right), by_zero_default=by_zero)
            return m.DivExpression(div=both)
        case AbsoluteValue(part):
            return m.AbsExpression(abs=_expression(part))
        case Power(base, exponent):
            return m.PowExpression(pow=m.PowParams(base=_expression(base), exponent=exponent))
        case _:
            return float(expression)


def _conditions(conditions: Sequence[Condition]) -> list[m.Condition] | None:
    return [_condition(condition) for condition in conditions] or None


def _condition(condition: Condition) -> m.Condition:
    match condition:
        case HasId(ids):
            return m.HasIdCondition(has_id=list(ids))
        case Matches(key, (value,)):
            return m.FieldCondition(key=key, match=m.MatchValue(value=value))
        case Matches(key, values):
            return m.FieldCondition(key=key, match=m.MatchAny(any=cast(list[str], list(values))))
