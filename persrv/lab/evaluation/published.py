"""The published formula with its published constants, as a reference to compare with.

"PerSRV: Personalized Sticker Retrieval with Vision-Language Model" (WWW 2025)::

    recall(q, s) = Σ_f boost_f · BM25_f(q, s.f) + sqrt(0.3 · query_adaptability(s))            pool = 5 · k
    score(q, s, u) = max(recall, max_c recall · (1 + 0.3 · cos(image(s), centre_c)))
                     over the clusters c with |image(s) - centre_c| <= radius_c

Adaptability is the number of different queries, 1.05 for stickers that nobody picked. Centres are those of k-means with
five clusters over a content encoder's vectors of the stickers that the user picked; the radius reaches the farthest
member. Where the authors' program fails or contradicts itself, the evident intention counts: centres and stickers are
in one space, users with fewer than five picks get as many clusters, users without picks get the recall, and only
stickers that share a word with the query are recalled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.postings import Postings, one_field, plain_bm25
from persrv.lab.evaluation.systems import Scored, Scores
from persrv.lab.evaluation.view import View, seen
from persrv.ranking.clustering import spherical_kmeans

Floats = NDArray[np.float64]

BOOSTS: Mapping[str, float] = {"ocr": 1.0, "queries": 0.5, "description": 1.0, "emotions": 0.3, "keywords": 0.0}
"""The published weights of the five fields."""

LABELS = ("name", "tags", "emoji")
"""Fields that the published method does not have; they stand in for its description where a sticker has none."""

CLUSTERS, STYLE_WEIGHT = 5, 0.3
ADAPTABILITY, UNKNOWN = 0.3, 1.05
POOL = 5
"""Recalled stickers for each one asked for."""


@dataclass(frozen=True, slots=True)
class Centres:
    """A user's clusters.

    Attributes:
        centres: Shape (c, d).
        radii: Shape (c,): distance of the farthest member.
    """

    centres: Floats
    radii: Floats

    def factor(self, images: Floats) -> Floats:
        """Return ``max(1, max_c 1 + 0.3 · cos)`` over the clusters whose radius reaches a sticker, shape (n,)."""
        if not len(self.centres):
            return np.ones(len(images))
        squares = (images**2).sum(axis=1)[:, None] + (self.centres**2).sum(axis=1) - 2 * images @ self.centres.T
        lengths = np.linalg.norm(images, axis=1)[:, None] * np.linalg.norm(self.centres, axis=1)
        cosines = np.divide(images @ self.centres.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        inside = np.sqrt(np.maximum(squares, 0.0)) <= self.radii + 1e-6
        raised = np.where(inside & (lengths > 0), 1.0 + STYLE_WEIGHT * cosines, 1.0).max(axis=1)
        return np.asarray(np.maximum(1.0, raised))


def centres(vectors: Floats, seed: int = 0) -> Centres:
    """Cluster the vectors of a user's picks.

    Args:
        vectors: Unit rows, shape (m, d); m may be 0.
        seed: Of the k-means starts.
    """
    if not len(vectors):
        return Centres(np.zeros((0, vectors.shape[1])), np.zeros(0))
    labels, _ = spherical_kmeans(vectors, np.ones(len(vectors)), min(CLUSTERS, len(vectors)), seed)
    groups = [vectors[labels == label] for label in np.unique(labels)]
    middles = np.stack([group.mean(axis=0) for group in groups])
    radii = [np.linalg.norm(group - middle, axis=1).max() for group, middle in zip(groups, middles, strict=True)]
    return Centres(middles, np.array(radii))


def published_recall(view: View) -> Scored:
    """The published formula without its personal part."""
    return Scored("published, not personal", view.material.ids, _recall(view))


def published(view: View, recall: Scored | None = None) -> Scored:
    """The published formula, whole.

    Args:
        view: What was learnt.
        recall: What :func:`published_recall` gave for the same view, so that it is not indexed twice.
    """
    start = recall.scores if recall else _recall(view)
    return Scored("published", view.material.ids, with_styles(view, start, pooled=True))


def with_styles(view: View, recall: Scores, *, pooled: bool = False) -> Scores:
    """Return a recall's scores with the published personal part on top.

    Args:
        view: Knows what users picked, and the content vectors.
        recall: What it starts from.
        pooled: Whether only the ``5 · k`` best for k = 50 are ranked by it, as published.

    Raises:
        NotFoundError: No content vectors were read.
    """
    images = view.material.content_vectors
    known = {user: centres(seen(view.material, images, picks)[0]) for user, picks in view.history.items()}
    factors: dict[str, Floats] = {}

    def scores(query: str, user: str) -> Floats:
        start = recall(query, user)
        if user not in known:
            return start
        if user not in factors:
            factors[user] = known[user].factor(images)
        raised = start * factors[user]
        return _within_pool(start, raised) if pooled else raised

    return scores


def _within_pool(start: Floats, raised: Floats, k: int = 50) -> Floats:
    """Return the raised scores of the pool's stickers, 0 for all others."""
    if np.count_nonzero(start > 0) <= POOL * k:
        return raised
    kept = np.zeros_like(raised)
    pool = np.argsort(-start, kind="stable")[: POOL * k]
    kept[pool] = raised[pool]
    return kept


def _recall(view: View) -> Scores:
    fields = {field: boost for field, boost in BOOSTS.items() if boost > 0}
    indexed = {
        field: Postings.of([one_field(texts.get(field, ())) for texts in _described(view)], plain_bm25())
        for field in fields
    }
    queries = view.counts[:, 2].astype(np.float64)
    adaptable = np.sqrt(ADAPTABILITY * np.where(view.counts[:, 0] > 0, queries, UNKNOWN))

    def scores(query: str, user: str) -> Floats:
        text = sum((boost * indexed[field].scores(query) for field, boost in fields.items()), np.zeros(len(queries)))
        return np.where(text > 0, text + adaptable, 0.0)

    return scores


def _described(view: View) -> list[dict[str, tuple[str, ...]]]:
    found = []
    for texts in view.documents:
        fields = {field: tuple(phrases) for field, phrases in texts.items()}
        if "description" not in fields:
            fields["description"] = tuple(phrase for label in LABELS for phrase in fields.get(label, ()))
        found.append(fields)
    return found
