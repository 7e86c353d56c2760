"""The online stage as one Qdrant request: recall, lift by utility, lean towards the user's styles.

Every request has the same shape. Prefetch 0 is the recall; prefetch 1 to k scores the recalled stickers against the
user's k style centroids; the root formula multiplies. It is a *root* formula on purpose: scores replaced in a nested
stage would make answers depend on the number of shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models as m

from persrv.errors import QueryError
from persrv.index.engine import Request
from persrv.index.schema import FILTERS, IMAGE, TEXT, point_id
from persrv.online.arguments import check_text
from persrv.online.recall import Recall

LONGEST_VALUE = 1000
"""Characters of one value of a filter."""

FilterValue = str | bool | list[str] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taste:
    """The part of a style profile that ranking reads.

    Attributes:
        centroids: Shape (k, d), unit rows, float64; k may be 0.
        weights: Shape (k,), in (0, 1].
    """

    centroids: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights)


NO_TASTE = Taste(np.zeros((0, 1)), np.zeros(0))


def parse_filters(filters: Mapping[str, FilterValue] | None) -> m.Filter | None:
    """Return the Qdrant filter for ``{field: value or values}``; several values mean any of them.

    Args:
        filters: Fields of :data:`persrv.index.schema.FILTERS`; ``animated`` takes a bool, the others text.

    Raises:
        QueryError: An unknown field, or a value of the wrong type.
    """
    must: list[m.Condition] = []
    if filters is not None and not isinstance(filters, Mapping):
        raise QueryError(f"filters {filters!r:.60} are no mapping", "give {field: value}, such as {'pack': 'noto'}")
    for field, value in (filters or {}).items():
        if field not in FILTERS:
            raise QueryError(f"unknown filter field {field!r:.60}", f"filter by one of {', '.join(FILTERS)}")
        must.append(m.FieldCondition(key=field, match=_match(field, value)))
    return m.Filter(must=must) if must else None


def narrowed(where: m.Filter | None, *, without: Sequence[str] = (), only: Sequence[str] = ()) -> m.Filter | None:
    """Return a filter of :func:`parse_filters` that leaves stickers out, or everything but some.

    Args:
        where: The filter so far.
        without: Sticker ids that must not come back.
        only: Sticker ids outside which nothing comes back; empty for no such bound.
    """
    must = list(where.must) if where is not None and isinstance(where.must, list) else []
    if only:
        must.append(m.HasIdCondition(has_id=[point_id(sticker_id) for sticker_id in only]))
    must_not: list[m.Condition] = []
    if without:
        must_not.append(m.HasIdCondition(has_id=[point_id(sticker_id) for sticker_id in without]))
    return m.Filter(must=must or None, must_not=must_not or None) if must or must_not else None


def _match(field: str, value: FilterValue) -> m.MatchValue | m.MatchAny:
    if field == "animated":
        if not isinstance(value, bool):
            raise QueryError(f"filter animated={value!r:.60} is not a truth value", "use true or false")
        return m.MatchValue(value=value)
    if isinstance(value, str):
        return m.MatchValue(value=check_text(f"filter {field}", value, LONGEST_VALUE))
    if not isinstance(value, list | tuple):
        raise QueryError(f"filter {field}={value!r:.60} is not text", "give one text or a list of texts")
    return m.MatchAny(any=[check_text(f"filter {field}", each, LONGEST_VALUE) for each in value])


def text_recall(indices: Sequence[int], values: Sequence[float], pool: int, where: m.Filter | None) -> Recall:
    """Return the recall of ``pool`` stickers by BM25F, whose score they start with."""
    sparse = m.SparseVector(indices=list(indices), values=list(values))
    matching = m.Prefetch(query=sparse, using=TEXT, limit=pool, filter=where)
    return Recall((matching,), (matching,), "$score[0]", {"$score[0]": 0.0})


def picture_recall(vector: Sequence[float], pool: int, where: m.Filter | None) -> Recall:
    """Return the recall of ``pool`` stickers whose pictures a text fits; they start with the cosine, if above 0.

    Args:
        vector: The text's unit vector in the space of the pictures.
        pool: Largest number of candidates.
        where: The search's filter.
    """
    near = m.Prefetch(query=list(vector), using=IMAGE, limit=pool, filter=where, score_threshold=0.0)
    return Recall((near,), (near,), "$score[0]", {"$score[0]": 0.0})


def trending_recall(pool: int, taste: Taste, where: m.Filter | None, using: str) -> Recall:
    """Return the recall for an empty query: the most useful stickers and those nearest to each style, all scored 1.

    Args:
        pool: Candidates from each side.
        taste: The user's styles.
        where: The search's filter.
        using: Name of the vector in whose space the styles lie.
    """
    useful = m.Prefetch(
        query=m.OrderByQuery(order_by=m.OrderBy(key="utility", direction=m.Direction.DESC)), limit=pool, filter=where
    )
    near = [m.Prefetch(query=row.tolist(), using=using, limit=pool, filter=where) for row in taste.centroids]
    return Recall((useful, *near), (useful, *near), 1.0, {})


def personal_request(
    recall: Recall,
    taste: Taste,
    *,
    beta: float,
    gamma: float,
    using: str,
    vectors: Sequence[str] = (),
) -> Request:
    """Return the whole online stage as one request.

    Args:
        recall: Where candidates come from, filtered, and the score that they start with.
        taste: The user's styles.
        beta: Weight of utility.
        gamma: Weight of style.
        using: Name of the vector in whose space the styles lie.
        vectors: Names of the vectors that points carry.
    """
    size, sources, first = recall.size, list(recall.sources), len(recall.scores)
    near = [m.Prefetch(prefetch=sources, query=row.tolist(), using=using, limit=size) for row in taste.centroids]
    prefetch = [*recall.scores, *near]
    lift = m.SumExpression(sum=[1.0, m.MultExpression(mult=[beta, "utility"])])
    factors: list[m.Expression] = [recall.formula, lift]
    defaults: dict[str, float] = {"utility": 0.0, **recall.defaults}
    if len(taste):
        pulls: list[m.Expression] = [
            m.MultExpression(mult=[float(weight), f"$score[{first + c}]"]) for c, weight in enumerate(taste.weights)
        ]
        defaults |= {f"$score[{first + c}]": 0.0 for c in range(len(taste))}
        pull = pulls[0] if len(pulls) == 1 else m.MaxExpression(max=pulls)
        factors.append(m.SumExpression(sum=[1.0, m.MultExpression(mult=[gamma, pull])]))
    formula = m.FormulaQuery(formula=m.MultExpression(mult=factors), defaults=defaults)
    return Request(
        query=formula,
        prefetch=tuple(prefetch),
        limit=size,
        with_payload=True,
        with_vectors=tuple(vectors),
    )


def similar_request(
    image: Sequence[float] | None, text: m.SparseVector | None, self_score: float, pool: int, where: m.Filter | None
) -> Request | None:
    """Return the request for stickers like a given one; ``None`` where there is nothing to compare.

    With both vectors the score is ``text / self_score + cos``: each part is 1 for the sticker itself.

    Args:
        image: The look, a unit vector; ``None`` leaves it out.
        text: The sticker's own document vector as the query; ``None`` leaves it out.
        self_score: What ``text`` scores against its own sticker, > 0.
        pool: Candidates from each side.
        where: Filter, with the sticker itself left out.
    """
    sides: list[tuple[str, list[float] | m.SparseVector]] = []
    if text is not None and text.indices:
        sides.append((TEXT, text))
    if image is not None:
        sides.append((IMAGE, list(image)))
    if not sides:
        return None
    recall = [m.Prefetch(query=query, using=using, limit=pool, filter=where) for using, query in sides]
    if len(sides) == 1:
        using, query = sides[0]
        return Request(query=_nearest(query), using=using, limit=pool, filter=where, with_payload=True)
    rescored = [m.Prefetch(prefetch=recall, query=query, using=using, limit=2 * pool) for using, query in sides]
    formula = m.FormulaQuery(
        formula=m.SumExpression(sum=[m.MultExpression(mult=[1.0 / self_score, "$score[0]"]), "$score[1]"]),
        defaults={"$score[0]": 0.0, "$score[1]": 0.0},
    )
    return Request(query=formula, prefetch=tuple(rescored), limit=2 * pool, with_payload=True)


def _nearest(query: list[float] | m.SparseVector) -> m.NearestQuery:
    return m.NearestQuery(nearest=query)
