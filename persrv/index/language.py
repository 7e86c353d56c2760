"""The request language: the few things that an index is asked for and answers with, whatever engine holds it.

:mod:`persrv.index.edge_translator` says them to Qdrant Edge, :mod:`persrv.index.client_translator` to a server. What
is not written here is asked of no engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from persrv.text.bm25f import SparseVector

Dense = Sequence[float]
"""One number for each dimension."""

Rows = Sequence[Sequence[float]]
"""The rows of a multivector, or several dense vectors."""

StoredVector = SparseVector | Dense | Rows

Payload = Mapping[str, Any]


class Value:
    """What the language consists of. Pickled by its fields: dataclasses' own way takes three times as long."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Return the class and the arguments that make an equal one."""
        return type(self), tuple([getattr(self, name) for name in self.__match_args__])


@dataclass(frozen=True, slots=True)
class Matches(Value):
    """Keeps points whose payload ``key`` is, or where it is a list contains, one of the values.

    One value of any type, or several texts or whole numbers.
    """

    key: str
    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class HasId(Value):
    """Keeps the points of these ids."""

    ids: tuple[str, ...]


Condition = Matches | HasId


@dataclass(frozen=True, slots=True)
class Filter(Value):
    """Keeps points that meet every condition of ``must`` and none of ``must_not``."""

    must: tuple[Condition, ...] = ()
    must_not: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class PrefetchScore(Value):
    """In a formula: the score that prefetch ``number``, from 0, gave the point; ``default`` where it gave none."""

    number: int
    default: float = 0.0


@dataclass(frozen=True, slots=True)
class PayloadNumber(Value):
    """In a formula: the number in the point's payload; ``default`` where there is none."""

    key: str
    default: float = 0.0


@dataclass(frozen=True, slots=True)
class Sum(Value):
    """In a formula: what the parts add up to."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Product(Value):
    """In a formula: the factors multiplied."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Division(Value):
    """In a formula: ``left / right``, and ``by_zero`` where ``right`` is 0."""

    left: Expression
    right: Expression
    by_zero: float


@dataclass(frozen=True, slots=True)
class AbsoluteValue(Value):
    """In a formula: the part without its sign."""

    part: Expression


@dataclass(frozen=True, slots=True)
class Power(Value):
    """In a formula: a part >= 0 raised to a number > 0."""

    base: Expression
    exponent: float


Expression = float | PrefetchScore | PayloadNumber | Sum | Product | Division | AbsoluteValue | Power


@dataclass(frozen=True, slots=True)
class Nearest(Value):
    """Scores by a vector: the inner product, or for a multivector the best row's cosine.

    Attributes:
        vector: Sparse, dense, or the rows of a multivector.
        using: Name of the stored vector.
        exact: Whether all points are compared, where the vector has a graph too: that one misses some of the nearest.
    """

    vector: StoredVector
    using: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class NearestStyles(Value):
    """Scores by the nearest of several styles, in one pass over the points.

    The score is ``(s / (1 + |s|) + 1) / 2`` with ``s`` the largest inner product; :func:`nearest_style` undoes that.

    Attributes:
        styles: k of them, k >= 1; a style that counts less is shorter.
        using: Name of the stored vector.
    """

    styles: Rows
    using: str


@dataclass(frozen=True, slots=True)
class OrderBy(Value):
    """Scores by a number in the payload, largest first; points without it are left out."""

    key: str


@dataclass(frozen=True, slots=True)
class Formula(Value):
    """Scores by an expression; only at the root of a request, so that no answer depends on the number of shards."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Prefetch(Value):
    """A recall inside a request.

    Attributes:
        query: What scores.
        limit: Largest number of points, >= 1.
        inner: Recalls whose union is scored; empty for all points.
        filter: What is kept.
        threshold: Smallest score that comes back.
    """

    query: Nearest | NearestStyles | OrderBy
    limit: int
    inner: tuple[Prefetch, ...] = ()
    filter: Filter | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Request(Value):
    """One query.

    Attributes:
        query: What scores; ``None`` goes by id.
        limit: Largest number of points that come back, >= 1.
        prefetch: Recalls, in the order of the formula's :class:`PrefetchScore` numbers.
        offset: Points left out at the top, >= 0.
        filter: Applies to the root, and is repeated in each prefetch by the caller.
        with_payload: Whether points carry their payload, or which of its keys.
        with_vectors: Names of the vectors that points carry.
    """

    query: Nearest | NearestStyles | OrderBy | Formula | None
    limit: int
    prefetch: tuple[Prefetch, ...] = ()
    offset: int = 0
    filter: Filter | None = None
    with_payload: bool | tuple[str, ...] = False
    with_vectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point(Value):
    """What is written.

    Attributes:
        id: Text of a UUID, see :func:`persrv.index.schema.point_id`.
        vectors: Vectors by name; the dense ones have length 1.
        payload: JSON values.
    """

    id: str
    vectors: Mapping[str, StoredVector]
    payload: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record(Value):
    """What is stored.

    Attributes:
        id: Text of a UUID.
        payload: JSON values; empty where it was not asked for.
        vectors: Those that were asked for and are there.
    """

    id: str
    payload: Payload
    vectors: Mapping[str, StoredVector]

    def dense(self, name: str) -> list[float] | None:
        """Return the dense vector of that name, ``None`` where there is none."""
        found = self.vectors.get(name)
        return found if isinstance(found, list) else None

    def sparse(self, name: str) -> SparseVector | None:
        """Return the sparse vector of that name, ``None`` where there is none."""
        found = self.vectors.get(name)
        return found if isinstance(found, SparseVector) else None


@dataclass(frozen=True, slots=True)
class ScoredPoint(Record):
    """What a request finds.

    Attributes:
        score: Higher is better; of :class:`OrderBy` the number itself.
    """

    score: float


def nearest_style(score: Expression) -> Expression:
    """Return the inner product with the nearest style, given the score of :class:`NearestStyles`.

    With ``y = 2 · score - 1 = s / (1 + |s|)`` it is ``s = y / (1 - |y|)``. A score of 0, which is no sticker's, stands
    for one that has none, as 0.5 does: its ``s`` is 0, so that a sticker without a picture is neither raised nor
    lowered.
    """
    scaled = Sum((Product((2.0, score)), -1.0))
    return Division(scaled, Sum((1.0, Product((-1.0, AbsoluteValue(scaled))))), 0.0)
