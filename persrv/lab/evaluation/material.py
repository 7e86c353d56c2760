"""What a built collection knows of its stickers before anybody picks one: texts and raw image vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.errors import NotFoundError
from persrv.images.encoder import ImageEncoder
from persrv.indexing.style_fit import StyleFit, meaning_words
from persrv.recipe import Recipe
from persrv.records import Sticker
from persrv.text import CorpusStatistics, SparseVector, Terms
from persrv.workspace import Workspace

Vectors = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class RawVectors:
    """Raw vectors of one image encoder.

    Attributes:
        encoder: ``name@revision``.
        rows: Which stickers have one, shape (m,), ascending.
        raw: Shape (m, d), float32.
    """

    encoder: str
    rows: NDArray[np.int64]
    raw: NDArray[np.float32]


@dataclass(frozen=True)
class Material:
    """A collection without its users.

    Attributes:
        stickers: In ascending id; their ``queries`` are the source's own, nothing that users typed.
        recipe: What the collection was built with.
        looks: Role to raw vectors: ``"style"``, the recipe's encoder of style, and ``"content"`` where one was read.
    """

    stickers: tuple[Sticker, ...]
    recipe: Recipe
    looks: Mapping[str, RawVectors]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Every sticker's id."""
        return tuple(sticker.id for sticker in self.stickers)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Id to row."""
        return {sticker_id: row for row, sticker_id in enumerate(self.ids)}

    @cached_property
    def style_vectors(self) -> NDArray[np.float64]:
        """Unit vectors that say how stickers are drawn, shape (n, d), as the build makes them; zero without a picture.

        This is the one place where the evaluation decides what style is.
        """
        looks = self._looks("style")
        seen = [self.stickers[row] for row in looks.rows]
        packs = [sticker.packs[0] if sticker.packs else "" for sticker in seen]
        ids = [sticker.id for sticker in seen]
        fit = StyleFit.fit(ids, looks.raw, packs, self._meant(seen) if self.recipe.style.apart else None, {})
        return self._spread(looks, fit.vectors)

    @cached_property
    def content_vectors(self) -> NDArray[np.float64]:
        """Raw vectors of a content encoder at unit length, shape (n, d), as the published method compares pictures.

        Raises:
            NotFoundError: No content encoder was read.
        """
        looks = self._looks("content")
        length = np.linalg.norm(looks.raw, axis=1, keepdims=True)
        return self._spread(looks, np.divide(looks.raw, length, out=np.zeros_like(looks.raw), where=length > 0))

    def _meant(self, seen: Sequence[Sticker]) -> list[SparseVector]:
        statistics = CorpusStatistics(self.recipe.text)
        for sticker in self.stickers:
            statistics.add(dict(sticker.semantics.items()))
        lengths, text = statistics.average_lengths, self.recipe.text
        return [meaning_words(Terms.of(dict(sticker.semantics.items())), text, lengths) for sticker in seen]

    def _looks(self, role: str) -> RawVectors:
        if role not in self.looks:
            raise NotFoundError(f"no {role} vectors were read", "build the collection with such an encoder first")
        return self.looks[role]

    def _spread(self, looks: RawVectors, vectors: Vectors) -> NDArray[np.float64]:
        spread = np.zeros((len(self.stickers), vectors.shape[1]))
        spread[looks.rows] = vectors
        return spread


def read_material(workspace: Workspace, catalog: Catalog, content: ImageEncoder | None = None) -> Material:
    """Read a collection's stickers and their cached image vectors; no picture is opened.

    Args:
        workspace: The collection's.
        catalog: Its open catalog.
        content: A content encoder whose vectors are in the cache too, ``None`` for none.

    Raises:
        NotFoundError: The collection has no sticker.
        CatalogError: The catalog or a cache cannot be read.
    """
    stickers = tuple(catalog.stickers(typed=0))
    if not stickers:
        raise NotFoundError(f"{workspace.recipe.name} has no sticker", f"run persrv build -c {workspace.recipe.name}")
    looks = {"style": _read(workspace, workspace.style_encoder(), stickers)}
    if content is not None:
        looks["content"] = _read(workspace, content, stickers)
    return Material(stickers, workspace.recipe, looks)


def _read(workspace: Workspace, encoder: ImageEncoder, stickers: Sequence[Sticker]) -> RawVectors:
    with workspace.vectors(encoder) as cache:
        rows = [row for row, sticker in enumerate(stickers) if sticker.id in cache]
        raw = cache.get([stickers[row].id for row in rows]) if rows else np.zeros((0, encoder.dimension), np.float32)
    return RawVectors(f"{encoder.name}@{encoder.revision}", np.array(rows, dtype=np.int64), raw)
