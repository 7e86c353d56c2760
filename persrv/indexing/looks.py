"""From cached raw vectors to what the index stores of looks: unit vectors, their space, and near-duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import VectorCache
from persrv.images.duplicates import duplicate_groups
from persrv.images.space import Space


@dataclass(frozen=True, slots=True)
class PictureVectors:
    """How a collection's stickers look.

    Attributes:
        images: Unit vectors, shape (n, d), float32, zero rows where there is no picture.
        space: The space that they are in.
        groups: Sticker id to its group of near-duplicates; stickers without one are left out.
    """

    images: NDArray[np.float32]
    space: Space
    groups: Mapping[str, str]


def pictured(ids: Sequence[str], vectors: VectorCache, dimension: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the places in ``ids`` that have a vector, shape (k,), and the raw vectors, shape (k, dimension)."""
    missing = set(vectors.missing(ids))
    have = np.array([i for i, sticker_id in enumerate(ids) if sticker_id not in missing], dtype=np.int64)
    return have, vectors.get([ids[i] for i in have]) if len(have) else np.zeros((0, dimension), dtype=np.float32)


def gather_looks(
    ids: Sequence[str],
    packs: Sequence[str],
    images: VectorCache,
    perceptual_hashes: VectorCache,
    dimension: int,
    aligned: bool,
) -> PictureVectors:
    """Fit the collection's space and find its near-duplicates.

    Args:
        ids: Sticker ids, n of them.
        packs: First pack of each, ``""`` for none.
        images: Raw image vectors.
        perceptual_hashes: From :class:`~persrv.images.duplicates.PerceptualHash`.
        dimension: Length of a raw image vector.
        aligned: Whether texts have vectors beside the pictures; such vectors must not be moved.
    """
    have, raw = pictured(ids, images, dimension)
    space = Space.as_it_is(dimension) if aligned else Space.fit(raw, [packs[i] for i in have])
    projected = space.project(raw)
    rows = np.zeros((len(ids), projected.shape[1]), dtype=np.float32)
    rows[have] = projected
    printed = [sticker_id for sticker_id in ids if sticker_id in perceptual_hashes]
    groups = duplicate_groups(printed, perceptual_hashes.get)
    return PictureVectors(rows, space, groups)
