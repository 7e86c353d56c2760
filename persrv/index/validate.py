"""Checks that every engine makes before it is asked, so that all of them refuse the same things with the same words.

Qdrant Edge accepts repeated sparse indices and numbers that are not finite, panics on sparse vectors of unequal
lengths, and writes the first half of a batch whose second half is wrong; a server refuses some of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from persrv.errors import QueryError, VectorIndexError
from persrv.index.formula import check_formula
from persrv.index.language import Formula, Nearest, NearestStyles, Point, Prefetch, Request
from persrv.index.schema import MEANING, PayloadType, Schema
from persrv.text.bm25f import SparseVector

_MAX_INDEX = 2**32 - 1

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_LENGTH_SLACK = 1e-3
"""How far a dense vector's length may be from 1: the engines compare by inner product, which is then the cosine."""


def check_request(request: Request) -> None:
    """Refuse a request that no engine can answer.

    Raises:
        QueryError: A limit below 1, an offset below 0, a sparse vector whose indices repeat or are not sorted, a number
            that is not finite, or a formula as :func:`persrv.index.formula.check_formula` describes.
    """
    if request.limit < 1:
        raise QueryError(f"limit is {request.limit}", "ask for at least one point")
    if request.offset < 0:
        raise QueryError(f"offset is {request.offset}", "count from 0")
    # Sources stand inside one another many times; each part is looked at once.
    checked: set[int] = set()
    _check_query(request.query, len(request.prefetch))
    for prefetch in request.prefetch:
        _check_prefetch(prefetch, checked)


def _check_prefetch(prefetch: Prefetch, checked: set[int]) -> None:
    if id(prefetch) in checked:
        return
    checked.add(id(prefetch))
    if prefetch.limit < 1:
        raise QueryError(f"a prefetch's limit is {prefetch.limit}", "give each prefetch a limit of at least 1")
    if id(prefetch.query) not in checked:
        checked.add(id(prefetch.query))
        _check_query(prefetch.query, len(prefetch.inner))
    for part in prefetch.inner:
        _check_prefetch(part, checked)


def _check_query(query: object, prefetches: int) -> None:
    match query:
        case Formula():
            check_formula(query, prefetches)
        case Nearest(vector):
            _check_query_vector(vector)
        case NearestStyles(styles):
            if not len(styles):
                raise QueryError("no style to be near to", "give at least one")
            for style in styles:
                _check_query_vector(style)


def _check_query_vector(vector: object) -> None:
    if problem := _vector_problem(vector):
        raise QueryError(f"the query vector {problem}", "correct the vector")


def check_points(points: Sequence[Point], schema: Schema) -> None:
    """Refuse a batch in which a point does not fit the schema, before any of it is written.

    Raises:
        VectorIndexError: Naming the point and what is wrong with it.
    """
    check_ids([point.id for point in points])
    for point in points:
        problem = _vectors_problem(point.vectors, schema) or payload_problem(point.payload, schema)
        if problem:
            raise VectorIndexError(f"point {point.id}: {problem}", "correct the point and write the batch again")


def check_payloads(payloads: Sequence[tuple[str, Mapping[str, object]]], schema: Schema) -> None:
    """Refuse changes of payloads that do not fit the schema, before any of them is made.

    Raises:
        VectorIndexError: Naming the point and the value.
    """
    check_ids([point for point, _ in payloads])
    for point, payload in payloads:
        if problem := payload_problem(payload, schema):
            raise VectorIndexError(f"point {point}: {problem}", "correct the value")


def check_ids(ids: Sequence[object]) -> None:
    """Refuse point ids that are not the text of a UUID.

    Raises:
        VectorIndexError: Naming the first such id.
    """
    for point in ids:
        if not _is_uuid(point):
            raise VectorIndexError(f"{point!r} is no point id", "make it with point_id() or centroid_id()")


def _is_uuid(point: object) -> bool:
    return isinstance(point, str) and _UUID.fullmatch(point) is not None


def payload_problem(payload: Mapping[str, object], schema: Schema) -> str | None:
    """Say which value in a payload an index cannot hold or JSON cannot carry, ``None`` where all is well."""
    for key, value in payload.items():
        kind = schema.payload.get(key)
        if kind is not None and value is not None and not _fits(value, kind):
            return f"payload {key}={value!r} does not fit its {kind} index"
        if not _is_json(value):
            return f"payload {key}={value!r} is no JSON value"
    return None


def _fits(value: object, kind: PayloadType) -> bool:
    if isinstance(value, list):
        return all(_fits(part, kind) for part in value)
    match kind:
        case "float":
            return isinstance(value, float | int) and not isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _is_json(value: object) -> bool:
    match value:
        case None | bool() | int() | str():
            return True
        case float():
            return math.isfinite(value)
        case list():
            return all(_is_json(part) for part in value)
        case dict():
            return all(isinstance(key, str) and _is_json(part) for key, part in value.items())
        case _:
            return False


def _vectors_problem(vectors: object, schema: Schema) -> str | None:
    if not isinstance(vectors, Mapping):
        return f"its vectors are {type(vectors).__name__}, not a dictionary by name"
    for name, vector in vectors.items():
        if name in schema.dense and isinstance(vector, list):
            if len(vector) != schema.dense[name]:
                return f"vector {name} has {len(vector)} numbers, not {schema.dense[name]}"
        elif name == MEANING and schema.meaning and isinstance(vector, list) and vector:
            if any(not isinstance(row, list) or len(row) != schema.meaning for row in vector):
                return f"vector {name} has a row that is no list of {schema.meaning} numbers"
        elif not (name in schema.sparse_vectors and isinstance(vector, SparseVector)):
            return f"vector {name!r} of type {type(vector).__name__} is not in the schema"
        if problem := _vector_problem(vector):
            return f"vector {name} {problem}"
        if name in schema.dense and abs((length := math.hypot(*vector)) - 1) > _LENGTH_SLACK:
            return f"vector {name} has length {length:.4g}, not 1"
    return None


def _vector_problem(vector: object) -> str | None:
    if isinstance(vector, SparseVector):
        if len(vector.indices) != len(vector.values):
            return f"has {len(vector.indices)} indices for {len(vector.values)} values"
        if any(left >= right for left, right in pairwise(vector.indices)):
            return "has indices that repeat or are not in ascending order"
        if vector.indices and not 0 <= vector.indices[0] <= vector.indices[-1] <= _MAX_INDEX:
            return "has indices outside of 32 bits"
        vector = vector.values
    try:
        return None if _is_finite(vector) else "has a number that is not finite"
    except (TypeError, ValueError, OverflowError):
        return "is no list of numbers"


def _is_finite(vector: object) -> bool:
    if isinstance(vector, list) and vector and not isinstance(vector[0], list):
        # NumPy would take longer for some hundred numbers.
        return all(map(math.isfinite, vector))
    return bool(np.isfinite(np.asarray(vector, dtype=np.float64)).all())
