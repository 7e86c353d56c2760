"""Filters of ``qdrant_client.models`` as those of Qdrant Edge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

import numpy as np
import qdrant_edge as edge
from pydantic import BaseModel
from qdrant_client import models as m

from persrv.errors import QueryError

_GEO = {"geo_bounding_box", "geo_radius", "geo_polygon"}


def to_edge_filter(where: m.Filter | None) -> edge.Filter | None:
    """Translate a filter.

    Raises:
        QueryError: A condition that this engine is not asked for (geography, full text, slices), by name.
    """
    return None if where is None else _filter(where)


def to_edge_condition(condition: m.Condition) -> edge.ConditionType:
    """Translate one condition, as it stands in a filter or in a formula.

    Raises:
        QueryError: As :func:`to_edge_filter`.
    """
    match condition:
        case m.FieldCondition():
            return _field(condition)
        case m.IsEmptyCondition(is_empty=field):
            return edge.IsEmptyCondition(field.key)
        case m.IsNullCondition(is_null=field):
            return edge.IsNullCondition(field.key)
        case m.HasIdCondition(has_id=ids):
            return _has_id(ids)
        case m.HasVectorCondition(has_vector=name):
            return edge.HasVectorCondition(name)
        case m.NestedCondition(nested=nested):
            return edge.NestedCondition(nested.key, _filter(nested.filter))
        case m.Filter():
            return _filter(condition)
        case _:
            raise untranslatable(condition)


def untranslatable(part: object) -> QueryError:
    """Return the error for something that the embedded engine is not asked for."""
    return QueryError(f"the embedded index does not know {type(part).__name__}", "leave it out, or use a Qdrant server")


def refuse_others(model: BaseModel, known: set[str]) -> None:
    """Refuse a request that sets a field which is not translated, so that nothing is dropped silently.

    Raises:
        QueryError: Naming the type and the field.
    """
    for name in type(model).model_fields:
        if name not in known and getattr(model, name) not in (None, False):
            raise QueryError(
                f"the embedded index does not know {type(model).__name__}.{name}",
                "leave it out, or use a Qdrant server",
            )


def _filter(where: m.Filter) -> edge.Filter:
    # A min_should that stands in a query and in its prefetch is counted twice by the engine: better none.
    refuse_others(where, {"must", "should", "must_not"})
    return edge.Filter(
        must=_conditions(where.must), should=_conditions(where.should), must_not=_conditions(where.must_not)
    )


def _conditions(conditions: Sequence[m.Condition] | m.Condition | None) -> list[edge.ConditionType] | None:
    if conditions is None:
        return None
    several = conditions if isinstance(conditions, Sequence) else [conditions]
    return [to_edge_condition(condition) for condition in several]


def _has_id(ids: Sequence[m.ExtendedPointId]) -> edge.HasIdCondition:
    try:
        return edge.HasIdCondition(set(ids))
    except (ValueError, TypeError, OverflowError) as error:
        raise QueryError(f"the filter names a point id that is none: {error}", "make ids with point_id()") from error


def _field(condition: m.FieldCondition) -> edge.FieldCondition:
    refuse_others(condition, set(m.FieldCondition.model_fields) - _GEO)
    return edge.FieldCondition(
        condition.key,
        match=_match(condition.match),
        range=_range(condition.range),
        values_count=_values_count(condition.values_count),
        is_empty=condition.is_empty,
        is_null=condition.is_null,
    )


def _values_count(count: m.ValuesCount | None) -> edge.ValuesCount | None:
    return None if count is None else edge.ValuesCount(lt=count.lt, gt=count.gt, lte=count.lte, gte=count.gte)


def _match(wanted: m.Match | None) -> edge.MatchType | None:
    match wanted:
        case None:
            return None
        case m.MatchValue(value=bool(value)):
            # Edge 0.9 takes Python's truth values for integers, which match nothing; NumPy's arrive as they are.
            return edge.MatchValue(cast(bool, np.bool_(value)))
        case m.MatchValue(value=value):
            return edge.MatchValue(value)
        case m.MatchAny(any=values):
            return edge.MatchAny(values)
        case m.MatchExcept(except_=values):
            return edge.MatchExcept(values)
        case _:
            raise untranslatable(wanted)


def _range(bounds: m.Range | m.DatetimeRange | None) -> edge.RangeType | None:
    match bounds:
        case None:
            return None
        case m.Range():
            return edge.RangeFloat(gte=bounds.gte, gt=bounds.gt, lte=bounds.lte, lt=bounds.lt)
        case m.DatetimeRange():
            return edge.RangeDateTime(
                gte=_iso(bounds.gte), gt=_iso(bounds.gt), lte=_iso(bounds.lte), lt=_iso(bounds.lt)
            )


def _iso(time: date | None) -> str | None:
    return None if time is None else time.isoformat()
