"""From an engine's scored points to a page of hits in a stable order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models as m

from persrv.errors import QueryError
from persrv.index.engine import Collection, Request
from persrv.index.schema import TEXT, point_id, sticker_id_of
from persrv.index.vectors import sparse_of, vector_of
from persrv.online.arguments import check_number
from persrv.online.request import Taste
from persrv.ranking.formula import order, rounded, style_factor, style_pull, utility_factor
from persrv.records import Explanation, Hit
from persrv.text.bm25f import idf, token_id

LARGEST_PAGE = 1000

_NOISE = 1e-4
"""Share of a text score that rounding may leave over; engines compute in float32."""

SLACK = 40
"""Points fetched beyond the page, so that a run of equal scores at its end can be ordered by id."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the answer is wanted: ``limit`` hits after the first ``offset``."""

    offset: int
    limit: int

    @classmethod
    def asked(cls, offset: object, limit: object) -> Self:
        """Return the page that somebody asked for.

        Raises:
            QueryError: ``limit`` is not between 1 and 1000, ``offset`` is negative, or one is no whole number.
        """
        limit, offset = check_number("limit", limit), check_number("offset", offset)
        if not 1 <= limit <= LARGEST_PAGE:
            raise QueryError(
                f"limit {limit} is not between 1 and {LARGEST_PAGE}", "page through the answer with offset"
            )
        if offset < 0:
            raise QueryError(f"offset {offset} is negative", "use 0 for the first page")
        return cls(offset, limit)

    @property
    def end(self) -> int:
        """Position behind the last wanted hit."""
        return self.offset + self.limit


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scored points in their final order; at least the page, when there are that many.

    Attributes:
        ids: Sticker ids, n of them.
        scores: Shape (n,).
        payloads: n of them.
        styles: Shape (n, d), zero rows where a point has no or was asked for no vector; d may be 0.
    """

    ids: list[str]
    scores: NDArray[np.float64]
    payloads: list[Mapping[str, Any]]
    styles: NDArray[np.float64]

    @classmethod
    def nothing(cls, dimension: int) -> Self:
        """Return no points, with vectors of length ``dimension``."""
        return cls([], np.zeros(0), [], np.zeros((0, dimension)))

    @property
    def total(self) -> int:
        """How many points there are, counted up to a little beyond the page."""
        return len(self.ids)

    def arranged(self, ids: Sequence[str]) -> Self:
        """Return these of the points, in this order."""
        at = [self.ids.index(sticker_id) for sticker_id in ids]
        return type(self)(list(ids), self.scores[at], [self.payloads[i] for i in at], self.styles[at])

    def then(self, other: Self) -> Self:
        """Return these points followed by the other ones."""
        return type(self)(
            self.ids + other.ids,
            np.concatenate([self.scores, other.scores]),
            self.payloads + other.payloads,
            np.concatenate([self.styles, other.styles]),
        )


def best_first(collection: Collection, request: Request, page: Page) -> Ranked:
    """Ask for the page and order it by score, then id.

    When a run of equal scores crosses the end of what came back, twice as much is asked for, up to ``request.limit``,
    so that the order never depends on how the engine breaks ties.
    """
    using, dimension = collection.manifest.taste_vector, collection.manifest.taste_dimension
    most = request.limit
    size = min(most, page.end + SLACK)
    while True:
        points = collection.query(replace(request, limit=size))
        ranked = ordered(points, [point.score for point in points], using, dimension)
        if len(points) < size or size >= most or _settled(points, ranked, page):
            return ranked
        size = min(most, size * 2)


def _settled(points: Sequence[m.ScoredPoint], ranked: Ranked, page: Page) -> bool:
    """Return whether nothing that was not fetched can belong to the page."""
    if ranked.total <= page.end:
        return False
    worst = min(point.score for point in points)
    last, behind = rounded(np.array([ranked.scores[page.end - 1], worst])).tolist()
    return bool(behind < last)


def ordered(points: Sequence[m.ScoredPoint], scores: Sequence[float], using: str, dimension: int) -> Ranked:
    """Return points with the given scores in their final order; of near-duplicates only the best stays.

    Args:
        points: n of them.
        scores: One for each.
        using: Name of the vector in whose space styles lie.
        dimension: Its length.
    """
    ids = [sticker_id_of(point.id) for point in points]
    values = np.array(scores, dtype=np.float64)
    positions = _once_each(order(values, ids), points)
    return Ranked(
        [ids[i] for i in positions],
        values[positions],
        [points[i].payload or {} for i in positions],
        styles_of([points[i] for i in positions], using, dimension),
    )


def _once_each(positions: Sequence[int], points: Sequence[m.ScoredPoint]) -> list[int]:
    seen: set[str] = set()
    kept = []
    for i in positions:
        group = str((points[i].payload or {}).get("group", ""))
        if group not in seen or not group:
            kept.append(i)
            seen.add(group)
    return kept


def styles_of(points: Sequence[m.ScoredPoint], using: str, dimension: int) -> NDArray[np.float64]:
    """Return the points' unit vectors of that name, shape (n, dimension), zero rows where there is none."""
    nothing = [0.0] * dimension
    return np.array([vector_of(point, using) or nothing for point in points], dtype=np.float64).reshape(-1, dimension)


def to_hits(
    ranked: Ranked,
    page: Page,
    taste: Taste,
    paths: Mapping[str, Path | None],
    beta: float,
    gamma: float,
) -> tuple[Hit, ...]:
    """Return the page's hits with the parts of their scores.

    Args:
        ranked: From :func:`best_first`.
        page: Which of them.
        taste: The user's styles.
        paths: Sticker id to its picture's file.
        beta: Weight of utility; 0 where utility took no part.
        gamma: Weight of style; 0 where style took no part.
    """
    window = slice(page.offset, page.end)
    payloads = ranked.payloads[window]
    utility = np.array([float(payload.get("utility", 0.0)) for payload in payloads])
    lift = utility_factor(utility, beta)
    pull, nearest = style_pull(ranked.styles[window], taste.centroids, taste.weights)
    lean = style_factor(pull, gamma)
    scores = ranked.scores[window]
    text = np.divide(scores, lift * lean, out=np.zeros_like(scores), where=lean > 1e-6)
    return tuple(
        Hit(
            rank=page.offset + 1 + i,
            sticker_id=sticker_id,
            score=float(scores[i]),
            path=paths.get(sticker_id),
            payload=payloads[i],
            explanation=Explanation(
                text=float(text[i]),
                utility=float(utility[i]),
                utility_factor=float(lift[i]),
                style=float(pull[i]),
                style_factor=float(lean[i]),
                centroid=int(nearest[i]) if nearest[i] >= 0 else None,
            ),
        )
        for i, sticker_id in enumerate(ranked.ids[window])
    )


def explain_text(
    hits: Sequence[Hit], tokens: Mapping[str, float], collection: Collection, frequencies: Mapping[str, int]
) -> tuple[Hit, ...]:
    """Return the hits with ``explanation.matched`` filled: what each query token gave to the text score.

    What the tokens leave of it, where recall is by meaning too, is ``explanation.meaning``.

    Args:
        hits: Hits of a text search.
        tokens: Query token to its weight.
        collection: Where they came from.
        frequencies: Token to its document frequency.
    """
    records = collection.retrieve([point_id(hit.sticker_id) for hit in hits], with_vectors=(TEXT,))
    count = collection.manifest.stickers
    worth = {token: weight * idf(count, frequencies.get(token, 0)) for token, weight in tokens.items()}
    stored = {sticker_id_of(record.id): _weights(sparse_of(record)) for record in records}
    explained = []
    for hit in hits:
        weights = stored.get(hit.sticker_id, {})
        parts = {token: value * weights.get(token_id(token), 0.0) for token, value in worth.items()}
        matched = dict(sorted(((t, v) for t, v in parts.items() if v > 0), key=lambda part: (-part[1], part[0])))
        rest = hit.explanation.text - sum(matched.values())
        meaning = rest if collection.manifest.meaning and rest > _NOISE * hit.explanation.text else 0.0
        explained.append(replace(hit, explanation=replace(hit.explanation, matched=matched, meaning=meaning)))
    return tuple(explained)


def _weights(vector: m.SparseVector | None) -> dict[int, float]:
    return dict(zip(vector.indices, vector.values, strict=True)) if vector else {}
