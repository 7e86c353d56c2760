"""From a collection's texts to the vectors ``meaning``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.indexing.progress import Progress
from persrv.recipe import Meaning
from persrv.records import Sticker
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.learn import learned_space, sticker_rows
from persrv.text.meaning.space import MeaningSpace


@dataclass(frozen=True, slots=True)
class Meanings:
    """How a collection's meanings are written down.

    Attributes:
        encoder: The text encoder.
        space: The collection's meaning space.
    """

    encoder: TextEncoder
    space: MeaningSpace

    @property
    def name(self) -> str:
        """``name@revision`` of the encoder, as manifests have it."""
        return f"{self.encoder.name}@{self.encoder.revision}"

    def rows(self, stickers: Sequence[Sticker]) -> list[NDArray[np.float32]]:
        """Return each sticker's rows, shape (r, k), r = 0 for a sticker without texts."""
        return sticker_rows(self.encoder, self.space, [sticker.semantics for sticker in stickers])


def learn_meanings(
    catalog: Catalog, encoder: TextEncoder | None, settings: Meaning, progress: Progress
) -> Meanings | None:
    """Fit the collection's meaning space; ``None`` without an encoder.

    Args:
        catalog: Has the texts.
        encoder: The recipe's.
        settings: The recipe's ``[meaning]``.
        progress: Shows that it is at work.
    """
    if encoder is None:
        return None
    with progress.stage("learning meanings", None) as advance:
        collection = [sticker.semantics for sticker in catalog.stickers()]
        space = learned_space(encoder, collection, settings.dimension)
        advance(len(collection))
    return Meanings(encoder, space)
