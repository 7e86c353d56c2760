"""How near queries are to stickers in meaning, computed once for all trials."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.view import View
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.learn import learned_space, sticker_rows
from persrv.text.meaning.rows import Stacked


class QueryLikeness:
    """Compares queries with the stickers of a view, as a build from it would.

    Args:
        view: What was learnt.
        encoder: A text encoder.
        dimension: Most dimensions that are kept.
    """

    def __init__(self, view: View, encoder: TextEncoder, dimension: int) -> None:
        texts = [
            replace(sticker.semantics, queries=tuple(texts.get("queries", ())))
            for sticker, texts in zip(view.material.stickers, view.documents, strict=True)
        ]
        self.space = learned_space(encoder, texts, dimension)
        self._rows = Stacked.of(sticker_rows(encoder, self.space, texts))
        self._encoder = encoder
        self.cosines = lru_cache(maxsize=4096)(self._cosines)

    def _cosines(self, query: str) -> NDArray[np.float64]:
        """Return each sticker's likeness to a query, shape (n,)."""
        return np.asarray(self._rows.cosines(self.space.search(self._encoder.encode_query(query))[None, :])[0])
