"""How near queries are to stickers in meaning, computed once for all trials."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.view import View
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.fusion import borne_out
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
        texts = [sticker.semantics for sticker in view.material.stickers]
        self.space = learned_space(encoder, texts, dimension)
        self._rows = Stacked.of(sticker_rows(encoder, self.space, texts))
        self._encoder = encoder
        self._view = view
        self.cosines = lru_cache(maxsize=4096)(self._cosines)

    @cached_property
    def borne_out(self) -> float:
        """How far the view's picks bear meaning out, as a build learns it."""
        rows = self._view.material.rows
        found = [(rows[pick.sticker_id], self.cosines(pick.query)) for pick in self._view.latest_meant]
        near = np.array([cosine[row] for row, cosine in found if cosine[row] > -1.0])
        return borne_out(self.space.standardised(near))

    def _cosines(self, query: str) -> NDArray[np.float64]:
        """Return each sticker's likeness to a query, shape (n,)."""
        return np.asarray(self._rows.cosines(self.space.search(self._encoder.encode_query(query))[None, :])[0])
