"""Reading vectors off points."""

from __future__ import annotations

from typing import cast

from qdrant_client import models as m

from persrv.index.schema import TEXT


def vector_of(point: m.Record | m.ScoredPoint, name: str) -> list[float] | None:
    """Return a point's dense vector of that name, ``None`` where it has none or was not asked for."""
    found = point.vector.get(name) if isinstance(point.vector, dict) else None
    return cast(list[float], found) if isinstance(found, list) else None


def sparse_of(point: m.Record | m.ScoredPoint) -> m.SparseVector | None:
    """Return a point's sparse vector ``text``, ``None`` where it has none or was not asked for."""
    found = point.vector.get(TEXT) if isinstance(point.vector, dict) else None
    return found if isinstance(found, m.SparseVector) else None
