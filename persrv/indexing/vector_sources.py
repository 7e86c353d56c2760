"""Where the vectors of a collection's points come from: its encoders, and what they have seen before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import VectorCache
from persrv.images.duplicates import PerceptualHash
from persrv.images.encoder import ImageEncoder
from persrv.indexing.cached_encoder import CachedEncoder
from persrv.text.meaning.encoder import TextEncoder
from persrv.workspace import Workspace


@dataclass(frozen=True, slots=True)
class VectorSources:
    """A recipe's encoders and their caches.

    Attributes:
        encoder: Makes the vectors ``image``.
        images: Their cache.
        style: Makes the raw vectors of style; ``encoder`` itself where the recipe names no other.
        styles: Their cache.
        perceptual_hashes: The cache of perceptual hashes, by which near-duplicates are found.
        meaning: Makes the vectors ``meaning``, ``None`` where recall is by words alone.
    """

    encoder: ImageEncoder
    images: VectorCache
    style: ImageEncoder
    styles: VectorCache
    perceptual_hashes: VectorCache
    meaning: TextEncoder | None

    @property
    def looking(self) -> tuple[list[ImageEncoder], list[VectorCache]]:
        """Every encoder that looks at pictures, and their caches in the same order."""
        encoders, caches = [self.encoder, PerceptualHash()], [self.images, self.perceptual_hashes]
        if self.styles is not self.images:
            encoders.append(self.style)
            caches.append(self.styles)
        return encoders, caches


@contextmanager
def open_vectors(workspace: Workspace) -> Iterator[VectorSources]:
    """Open what the recipe asks for; models are loaded when they are first used.

    Raises:
        MissingExtraError: A package that an encoder needs is not installed.
        RecipeError: A model that is not there, or a setting that it does not know.
    """
    encoder = workspace.encoder()
    with ExitStack() as opened:
        images = opened.enter_context(workspace.vectors(encoder))
        perceptual_hashes = opened.enter_context(workspace.vectors(PerceptualHash()))
        style, styles = encoder, images
        if workspace.recipe.style.encoder:
            style = workspace.style_encoder()
            styles = opened.enter_context(workspace.vectors(style))
        meaning = workspace.text_encoder()
        if meaning is not None:
            meaning = CachedEncoder(meaning, opened.enter_context(workspace.phrases(meaning)))
        yield VectorSources(encoder, images, style, styles, perceptual_hashes, meaning)


def pictured(ids: Sequence[str], vectors: VectorCache) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Return the places in ``ids`` that have a vector, shape (k,), and the raw vectors, shape (k, d)."""
    missing = set(vectors.missing(ids))
    have = np.array([i for i, sticker_id in enumerate(ids) if sticker_id not in missing], dtype=np.int64)
    return have, vectors.stored([ids[i] for i in have]) if len(have) else np.zeros((0, vectors.dimension), np.float16)
