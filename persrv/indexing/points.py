"""From a sticker to its point: vectors, and a flat payload that a person can read in the Qdrant dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.catalog.affinity import PickedFor
from persrv.images.web import web_name
from persrv.index.language import Point, StoredVector
from persrv.index.schema import IMAGE, MEANING, PICKED, REGIONAL, STYLE, STYLE_CLUSTER, TEXT, TRENDING, point_id
from persrv.ranking.affinity import picked_vector
from persrv.ranking.regional import regional_text
from persrv.ranking.stored import stored_factor, stored_text, trending
from persrv.recipe import Text
from persrv.records import Sticker, Utility
from persrv.text import Terms, terms_vector

SHOWN = 400
"""Characters of the payload's ``semantics``, which is for people; the index holds all words."""

BUCKETS = 100


@dataclass(frozen=True, slots=True)
class PointMaker:
    """Makes points of one build.

    Attributes:
        text: The recipe's ``[text]``.
        beta: Weight of utility.
        average_lengths: Field to its average length in tokens.
        image_base_url: Public URL of the folder that serves pictures, ``""`` for none.
        regional_words: Of the fit, see :mod:`persrv.ranking.regional`.
    """

    text: Text
    beta: float
    average_lengths: Mapping[str, float]
    image_base_url: str
    regional_words: Set[int] = frozenset()

    def point(
        self,
        sticker: Sticker,
        terms: Terms,
        utility: Utility,
        picks: int,
        image: NDArray[np.float32] | None,
        style: NDArray[np.float32] | None,
        group: str,
        meaning: NDArray[np.float32] | None,
        picked_for: PickedFor,
        cluster: int | None,
    ) -> Point:
        """Return a sticker's point.

        Args:
            sticker: What it is.
            terms: Its texts' counted tokens.
            utility: How good.
            picks: How often it was picked.
            image: Unit vector in the collection's space, shape (d,), ``None`` or all zero without a picture.
            style: The same in the space of style, ``None`` where ``image`` says the style as well.
            group: Id of its group of near-duplicates, ``""`` for none.
            meaning: Rows of the multivector ``meaning``, shape (r, k), ``None`` or r = 0 for none.
            picked_for: What people picked it for.
            cluster: Number of its region of the space of style, ``None`` for none.
        """
        words = terms_vector(terms, self.text, self.average_lengths)
        vectors: dict[str, StoredVector] = {}
        if words.indices:
            vectors[TEXT] = text = stored_text(words, utility.total, self.beta, sticker.id)
            if cluster is not None and (regional := regional_text(text, cluster, self.regional_words)).indices:
                vectors[REGIONAL] = regional
        if picked_for.queries:
            factor = stored_factor(utility.total, self.beta, sticker.id)
            vectors[PICKED] = picked_vector(picked_for.queries, picked_for.words, factor)
        if image is not None and image.any():
            vectors[IMAGE] = image.tolist()
        if style is not None and style.any():
            vectors[STYLE] = style.tolist()
        if meaning is not None and len(meaning):
            vectors[MEANING] = meaning.tolist()
        return Point(
            id=point_id(sticker.id),
            vectors=vectors,
            payload=self._payload(sticker, utility, picks, group, cluster, picked_for),
        )

    def image_url(self, sticker: Sticker) -> str:
        """Return the picture's public URL, ``""`` where there is none; the dashboard draws it.

        Of a video, a vector animation and other kinds that it does not draw, a still picture stands there.
        """
        if not self.image_base_url or sticker.path is None:
            return ""
        return f"{self.image_base_url.rstrip('/')}/{web_name(sticker.id, sticker.format)}"

    def _payload(
        self,
        sticker: Sticker,
        utility: Utility,
        picks: int,
        group: str,
        cluster: int | None,
        picked_for: PickedFor,
    ) -> dict[str, Any]:
        """Return the payload in the order in which a person reads it in the dashboard."""
        texts = sticker.semantics
        shown = " · ".join(phrase for _, phrases in texts.items() for phrase in phrases)
        payload = {
            "image_url": self.image_url(sticker),
            "title": sticker.title,
            "emoji": list(texts.emoji),
            "pack": list(sticker.packs),
            "style": sticker.style,
            "utility": utility.total,
            "picked_for": list(picked_for.shown(self.text.min_users)),
            "semantics": shown[:SHOWN],
            "emotion": list(texts.emotions),
            "language": sticker.language,
            "animated": sticker.animated,
            "rating": sticker.rating,
            "picks": picks,
            "utility_popularity": utility.popularity,
            "utility_cross_user": utility.cross_user,
            "utility_query": utility.query,
            STYLE_CLUSTER: cluster,
            TRENDING: trending(utility.total, sticker.id),
            "sticker_id": sticker.id,
            "group": group,
            "bucket": int(sticker.id[:8], 16) % BUCKETS,
            # Twenty of them push what stands below out of sight.
            "tags": list(texts.tags),
        }
        return {key: value for key, value in payload.items() if value not in ("", [], None)}
