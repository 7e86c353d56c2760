"""The online stage as one request: recall, times the utility factor, times the style factor.

Prefetch 0 is the recall; one more prefetch, however many styles the user has, scores the recalled stickers by their
nearest style; the root formula multiplies. It is a *root* formula on purpose: scores replaced in a nested stage would
make answers depend on the number of shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.errors import QueryError
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
    Power,
    Prefetch,
    PrefetchScore,
    Product,
    Request,
    Sum,
    nearest_style,
)
from persrv.index.schema import FILTERS, IMAGE, TEXT, TRENDING, point_id
from persrv.online.arguments import check_text
from persrv.online.candidate_source import within
from persrv.online.recall import Recall
from persrv.ranking.affinity import AGREEMENT_POWER
from persrv.text.bm25f import SparseVector

STRONGEST = 10
"""Words of a sticker by which stickers like it are recalled."""

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

    @property
    def rows(self) -> list[list[float]]:
        """Each centroid times its weight, as :class:`persrv.index.language.NearestStyles` takes them."""
        scaled: list[list[float]] = (self.centroids * self.weights[:, None]).tolist()
        return scaled


NO_TASTE = Taste(np.zeros((0, 1)), np.zeros(0))


NO_UNSAFE = Filter(must_not=(Matches("rating", ("unsafe",)),))
"""Leaves out what somebody called unsafe; what nobody rated stays."""

ANY = "any"
"""The rating that asks for stickers of every rating."""


def parse_filters(filters: Mapping[str, FilterValue] | None, *, unsafe: bool = True) -> Filter | None:
    """Return the filter for ``{field: value or values}``; several values mean any of them.

    A value that begins with ``!`` leaves stickers out: ``{"rating": "!unsafe"}`` keeps those without a rating.

    Args:
        filters: Fields of :data:`persrv.index.schema.FILTERS`; ``animated`` takes a bool, the others text. The rating
            ``"any"`` asks for all ratings.
        unsafe: Whether unsafe stickers come where ``filters`` says nothing of the rating.

    Raises:
        QueryError: An unknown field, or a value of the wrong type.
    """
    must: list[Condition] = []
    must_not: list[Condition] = []
    if filters is not None and not isinstance(filters, Mapping):
        raise QueryError(f"filters {filters!r:.60} are no mapping", "give {field: value}, such as {'pack': 'noto'}")
    for field, value in (filters or {}).items():
        if field not in FILTERS:
            raise QueryError(f"unknown filter field {field!r:.60}", f"filter by one of {', '.join(FILTERS)}")
        values = _values(field, value)
        if field == "rating" and ANY in values:
            continue
        wanted = tuple(each for each in values if not _negated(each))
        unwanted = tuple(str(each)[1:] for each in values if _negated(each))
        if wanted or not unwanted:
            must.append(Matches(field, wanted))
        if unwanted:
            must_not.append(Matches(field, unwanted))
    if not unsafe and "rating" not in (filters or {}):
        must_not += NO_UNSAFE.must_not
    return Filter(tuple(must), tuple(must_not)) if must or must_not else None


def _negated(value: str | bool) -> bool:
    return isinstance(value, str) and len(value) > 1 and value.startswith("!")


def narrowed(where: Filter | None, *, without: Sequence[str] = (), only: Sequence[str] = ()) -> Filter | None:
    """Return a filter of :func:`parse_filters` that leaves stickers out, or everything but some.

    Args:
        where: The filter so far.
        without: Sticker ids that must not come back.
        only: Sticker ids outside which nothing comes back; empty for no such bound.
    """
    must = where.must if where is not None else ()
    if only:
        must = (*must, HasId(tuple(map(point_id, only))))
    must_not = where.must_not if where is not None else ()
    if without:
        must_not = (*must_not, HasId(tuple(map(point_id, without))))
    return Filter(must, must_not) if must or must_not else None


def _values(field: str, value: FilterValue) -> tuple[str | bool, ...]:
    if field == "animated":
        if not isinstance(value, bool):
            raise QueryError(f"filter animated={value!r:.60} is not a truth value", "use true or false")
        return (value,)
    if isinstance(value, str):
        return (check_text(f"filter {field}", value, LONGEST_VALUE),)
    if not isinstance(value, list | tuple):
        raise QueryError(f"filter {field}={value!r:.60} is not text", "give one text or a list of texts")
    return tuple(check_text(f"filter {field}", each, LONGEST_VALUE) for each in value)


@dataclass(frozen=True, slots=True)
class Weights:
    """How utility and style count.

    Attributes:
        beta: Weight of utility, >= 0.
        gamma: Weight of style, in [0, 1].
        stored_beta: Weight of the utility that stands in the stored text vectors.
        using: Name of the vector in whose space styles lie.
    """

    beta: float
    gamma: float
    stored_beta: float
    using: str

    @property
    def utility_factor(self) -> Expression:
        """``1 + beta * utility``."""
        return _one_plus(self.beta, PayloadNumber("utility"))

    @property
    def correction(self) -> Expression:
        """What scores with utility in them are multiplied by; 1 where it is the utility that is asked for."""
        if self.beta == self.stored_beta:
            return 1.0
        return Division(self.utility_factor, _one_plus(self.stored_beta, PayloadNumber("utility")), by_zero=1.0)

    @property
    def largest_correction(self) -> float:
        """The largest value of :attr:`correction`."""
        return max(1.0, (1.0 + self.beta) / (1.0 + self.stored_beta))

    def largest_style(self, taste: Taste) -> float:
        """Return the largest style factor that a sticker can have."""
        return 1.0 + self.gamma * float(taste.weights.max()) if len(taste) else 1.0


def personal_request(recall: Recall, taste: Taste, weights: Weights, pool: int) -> Request:
    """Return the whole online stage as one request.

    Args:
        recall: Where candidates come from, filtered, and the score that they start with.
        taste: The user's styles.
        weights: How utility and style count.
        pool: Candidates from each source.
    """
    prefetch = recall.scores(pool)
    if not len(taste):
        score = recall.formula(weights.utility_factor, weights.correction)
        return Request(Formula(score), limit=recall.size(pool), prefetch=prefetch)
    near = Prefetch(NearestStyles(taste.rows, weights.using), limit=recall.size(pool), inner=recall.prefetches(pool))
    style = PrefetchScore(len(prefetch), default=0.5)
    score = recall.formula(weights.utility_factor, weights.correction, _agreement(style))
    score = Product((score, _one_plus(weights.gamma, nearest_style(style))))
    return Request(Formula(score), limit=recall.size(pool), prefetch=(*prefetch, near))


def _agreement(style: PrefetchScore) -> Expression:
    """Return :func:`persrv.ranking.affinity.agreement`, whose ``1 + y`` is twice the score of the nearest style."""
    return Power(Product((2.0 / 1.5, style)), AGREEMENT_POWER)


def trending_request(
    taste: Taste, weights: Weights, pool: int, where: Filter | None, clusters: tuple[int, ...] = ()
) -> Request:
    """Return the request for an empty query: the most useful stickers and those nearest to the user's styles.

    All start with 1. The vectors are gone through once: near stickers bring their score along, and the useful ones
    are scored apart; of a sticker that is both, the two scores are equal, so that their maximum is its score.

    Args:
        taste: The user's styles, at least one.
        weights: How utility and style count.
        pool: Candidates from each side.
        where: The search's filter.
        clusters: Regions of the space of style in which near stickers are looked for; none for all of it.
    """
    styles = NearestStyles(taste.rows, weights.using)
    useful = Prefetch(OrderBy(TRENDING), limit=pool, filter=where)
    near = Prefetch(styles, limit=pool, filter=within(where, clusters))
    useful_near = Prefetch(styles, limit=pool, inner=(useful,))
    a, b = PrefetchScore(1), PrefetchScore(2)
    larger = Product((0.5, Sum((a, b, AbsoluteValue(Sum((a, Product((-1.0, b)))))))))
    formula = Product((weights.utility_factor, _one_plus(weights.gamma, nearest_style(larger))))
    return Request(Formula(formula), limit=2 * pool, prefetch=(useful, near, useful_near))


def similar_request(
    image: Sequence[float] | None,
    text: SparseVector | None,
    self_score: float,
    stored_beta: float,
    pool: int,
    where: Filter | None,
    clusters: tuple[int, ...] = (),
) -> Request | None:
    """Return the request for stickers like a given one; ``None`` where there is nothing to compare.

    With both vectors the score is ``text / self_score + cos``: each part is 1 for the sticker itself. Utility, which
    stands in the stored texts, is taken out of the score. A sticker has dozens of words, most of them frequent ones:
    candidates come by its :data:`STRONGEST` ones and are scored by all.

    Args:
        image: The look, a unit vector; ``None`` leaves it out.
        text: The sticker's own document vector as the query; ``None`` leaves it out.
        self_score: What ``text`` scores against its own sticker, > 0.
        stored_beta: Weight of the utility that stands in the stored text vectors.
        pool: Candidates from each side.
        where: Filter, with the sticker itself left out.
        clusters: Regions of the space of style in which like looks are sought; none for all of it.
    """
    sides: list[Nearest] = []
    recall: list[Prefetch] = []
    parts: list[Expression] = []
    if text is not None and text.indices:
        utility = _one_plus(stored_beta, PayloadNumber("utility"))
        parts.append(Product((1.0 / self_score, Division(PrefetchScore(0), utility, by_zero=0.0))))
        sides.append(Nearest(text, TEXT))
        recall.append(Prefetch(Nearest(_strongest(text), TEXT), limit=pool, filter=where))
    if image is not None:
        parts.append(PrefetchScore(len(sides)))
        sides.append(Nearest(image, IMAGE))
        recall.append(Prefetch(sides[-1], limit=pool, filter=within(where, clusters)))
    if not sides:
        return None
    rescored = tuple(Prefetch(side, limit=len(sides) * pool, inner=tuple(recall)) for side in sides)
    score = parts[0] if len(parts) == 1 else Sum(tuple(parts))
    return Request(Formula(score), limit=len(sides) * pool, prefetch=rescored)


def _strongest(text: SparseVector) -> SparseVector:
    """Return the part of a query that weighs most, in the order of its indices."""
    weights = list(zip(text.indices, text.values, strict=True))
    kept = sorted(sorted(weights, key=lambda part: -part[1])[:STRONGEST])
    return SparseVector([index for index, _ in kept], [value for _, value in kept])


def _one_plus(weight: float, value: Expression) -> Expression:
    return Sum((1.0, Product((weight, value))))
