"""From ranked stickers to hits: the payload of the shown ones, their files, and the parts of their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.own_picks import OwnPick
from persrv.index.columns.store import columns_of
from persrv.index.engine import Collection
from persrv.index.language import Record
from persrv.index.schema import GROUP, PICKED, TEXT, point_id, sticker_id_of
from persrv.online.page import Ranked
from persrv.online.parsed_query import ParsedQuery
from persrv.online.request import Taste
from persrv.ranking.affinity import agreement
from persrv.ranking.formula import style_factor, style_similarity, utility_factor
from persrv.ranking.stored import stored_factor
from persrv.recipe import Ranking
from persrv.records import Explanation, Hit
from persrv.text.bm25f import SparseVector, token_id

NO_GROUPS: Mapping[str, int] = MappingProxyType({})
"""For hits that say nothing of near-duplicates."""

_NOISE = 1e-4
"""Share of a text score that rounding may leave over; engines compute in float32."""


@dataclass(frozen=True, slots=True)
class HitMaker:
    """Makes the hits of one page.

    Attributes:
        collection: Where payloads and vectors are read, those of the shown stickers alone.
        taste: The user's styles.
        weights: Of the ranking; 0 for what took no part.
        parsed: The query, where hits say which words matched; else ``None``.
        most: The largest text score that the query could give, ``None`` where nothing was typed.
        own: Sticker id to what it is to the user who asks.
        own_factors: Sticker id to what that multiplied its score by.
    """

    collection: Collection
    taste: Taste
    weights: Ranking
    parsed: ParsedQuery | None = None
    most: float | None = None
    own: Mapping[str, OwnPick] = field(default_factory=dict)
    own_factors: Mapping[str, float] = field(default_factory=dict)

    def hits(
        self, ranked: Ranked, before: int, paths: Mapping[str, Path | None], together: Mapping[str, int] = NO_GROUPS
    ) -> tuple[Hit, ...]:
        """Return the page's hits; a sticker that was removed a moment ago is left out.

        Args:
            ranked: The page's stickers.
            before: Hits before the page.
            paths: Sticker id to its picture's file.
            together: Group of near-duplicates to the number of its stickers.
        """
        scores = dict(zip(ranked.ids, ranked.scores.tolist(), strict=True))
        records, styles = self._stored(ranked.ids)
        similarity, nearest = style_similarity(styles, self.taste.centroids, self.taste.weights)
        utilities = [float(record.payload.get("utility", 0.0)) for record in records]
        by_utilities = utility_factor(np.array(utilities), self.weights.beta).tolist()
        by_styles = style_factor(similarity, self.weights.gamma).tolist()
        agreements, likeness, places = agreement(similarity).tolist(), similarity.tolist(), nearest.tolist()
        hits: list[Hit] = []
        for row, record in enumerate(records):
            sticker_id = sticker_id_of(record.id)
            score, utility, by_utility, by_style = scores[sticker_id], utilities[row], by_utilities[row], by_styles[row]
            by_own, own = self.own_factors.get(sticker_id, 1.0), self.own.get(sticker_id, OwnPick())
            text = score / (by_utility * by_style * by_own) if by_style > 1e-6 else 0.0
            factor = 1.0 if self.parsed is None else stored_factor(utility, self.collection.manifest.beta, sticker_id)
            agreed = agreements[row] if len(self.taste) else 1.0
            exact = self._exact(record)
            by_picks = 1.0 + self.weights.delta * agreed * exact
            text /= by_picks
            matched, picks = self._matched(record, factor), agreed * self._picks(record, factor)
            rest = text - sum(matched.values()) - picks
            by_meaning = self.parsed is not None and self.collection.manifest.meaning and rest > _NOISE * text
            explanation = Explanation(
                text=text,
                matched=matched,
                meaning=rest if by_meaning else 0.0,
                utility=utility,
                utility_factor=by_utility,
                style=likeness[row],
                style_factor=by_style,
                centroid=places[row] if places[row] >= 0 else None,
                picks=picks,
                pick_factor=by_picks,
                people=round(math.expm1(exact)),
                own_factor=by_own,
                own_picks=own.times,
                own_last=own.last.isoformat(timespec="seconds") if own.last else "",
                mark=own.mark if own.mark != "hidden" else "",
            )
            hits.append(
                Hit(
                    rank=before + 1 + len(hits),
                    sticker_id=sticker_id,
                    score=score,
                    path=paths.get(sticker_id),
                    payload=record.payload,
                    explanation=explanation,
                    relevance=1.0 if self.most is None else min(1.0, text / self.most),
                    copies=max(together.get(str(record.payload.get(GROUP, "")), 1) - 1, 0),
                )
            )
        return tuple(hits)

    def _stored(self, sticker_ids: Sequence[str]) -> tuple[list[Record], NDArray[np.float64]]:
        """Return the stickers' points, and their vectors in the space of style, shape (n, d), zero rows for none."""
        collection, columns = self.collection, columns_of(self.collection)
        using = collection.manifest.taste_vector
        vectors = (TEXT, PICKED) if self.parsed is not None else ()
        if len(self.taste) and columns is None:
            vectors = (*vectors, using)
        records = collection.retrieve([point_id(sticker_id) for sticker_id in sticker_ids], with_vectors=vectors)
        if not len(self.taste):
            return records, np.zeros((len(records), self.taste.centroids.shape[1]))
        if columns is None:
            return records, _styles(records, using, self.taste)
        return records, columns.styles_of([sticker_id_of(record.id) for record in records]).astype(np.float64)

    def _matched(self, record: Record, factor: float) -> dict[str, float]:
        """Return what each query token gave to the text score, the largest first; stored values have a factor."""
        if self.parsed is None:
            return {}
        parts = _shares(record.sparse(TEXT), self.parsed.token_weights, factor)
        return dict(sorted(((t, v) for t, v in parts.items() if v > 0), key=lambda part: (-part[1], part[0])))

    def _picks(self, record: Record, factor: float) -> float:
        """Return what picks for the query's words gave to the text score."""
        if self.parsed is None:
            return 0.0
        return self.weights.omega * sum(_shares(record.sparse(PICKED), self.parsed.picked_words, factor).values())

    def _exact(self, record: Record) -> float:
        """Return the affinity of just this query, ``ln(1 + people)``."""
        vector = record.sparse(PICKED)
        if self.parsed is None or self.parsed.picked_query is None or vector is None:
            return 0.0
        return dict(zip(vector.indices, vector.values, strict=True)).get(self.parsed.picked_query, 0.0)


def _shares(vector: SparseVector | None, weights: Mapping[str, float], factor: float) -> dict[str, float]:
    stored = dict(zip(vector.indices, vector.values, strict=True)) if vector is not None else {}
    return {token: weight * stored.get(token_id(token), 0.0) / factor for token, weight in weights.items()}


def _styles(records: list[Record], using: str, taste: Taste) -> NDArray[np.float64]:
    """Return the records' vectors, shape (n, d), zero rows where there is none."""
    dimension = taste.centroids.shape[1]
    rows = [record.dense(using) or [0.0] * dimension for record in records]
    return np.array(rows, dtype=np.float64).reshape(-1, dimension)
