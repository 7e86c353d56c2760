"""The style vectors of a collection: what its stickers mean taken out of how they look.

1. Looks are made comparable as in :class:`~persrv.images.space.Space`: centred, scaled, clipped.
2. What a sticker's words predict of its look, learnt from other packs, is what it shows; that is subtracted.
3. What still varies within packs is not style either, since stickers of a pack share a drawing style: those directions
   are damped (within-class covariance normalisation; Hatch, Kajarekar & Stolcke 2006).

Both steps assume that a pack has one drawing style. So it is checked first whether stickers of a pack are alike beyond
what their words explain; packs that hold a theme in many drawing styles are not. Where packs say nothing of style,
nothing is subtracted, since words may then predict the drawing style as well as the meaning, and the loudest directions
of the whole collection are damped, gently.

Nobody has to say which stickers mean the same. Figures, and what else was tried: docs/decisions/0010-style-apart.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persrv.images.space import Space
from persrv.ranking.style_space.packs import covariance_within, intraclass_correlation, pack_numbers, usable
from persrv.ranking.style_space.predict import predicted
from persrv.ranking.style_space.word_looks import WordLooks
from persrv.ranking.style_space.words import Floats, Indices, WordTable
from persrv.text.bm25f import SparseVector

ONE_STYLE = 0.16
"""Likeness from which on each pack is taken to have one drawing style. Packs of one style reached 0.20 to 0.51,
of two styles 0.16 to 0.20, packs that hold some meanings in every style 0.02 to 0.11, and a single one 0.07 to 0.15."""
_KEPT = 0.75
"""Share of the packs' likeness that must survive: words that predict the drawing style, as an artist's name does, take
more."""
_WITHIN_DIRECTIONS, _WITHIN_SHRINKAGE = 144, 0.1
_TOTAL_DIRECTIONS, _TOTAL_SHRINKAGE = 32, 3.0
_CLIP = 3.0
"""As in :mod:`persrv.images.space`."""
_NOTHING = 1e-6
"""Length below which a vector has no direction."""
_ROWS = 2_048


@dataclass(frozen=True, slots=True, eq=False)
class MeaningCentred:
    """A collection's style vectors, and how a picture from outside gets one.

    Attributes:
        vectors: One unit vector a sticker, shape (n, d), float32; zero for a sticker that looks just as predicted.
        space: Projects pictures that have no words here: the same as a sticker whose words predict nothing. This is
            what an index has to keep.
        removed: Share of the predicted look that was subtracted, in [0, 1]; near 0 where words do not tell looks.
        word_looks: What words predict, ``None`` where nothing was subtracted.
        likeness: How alike a pack's stickers are beyond what words explain, see
            :func:`~persrv.ranking.style_space.packs.intraclass_correlation`.
    """

    vectors: Floats
    space: Space
    removed: float
    likeness: float
    word_looks: WordLooks | None = None

    @classmethod
    def fit(cls, raw: NDArray[np.floating[Any]], documents: Iterable[SparseVector], packs: Sequence[str]) -> Self:
        """Centre a collection's raw style vectors.

        Deterministic; the order of the rows matters to rounding only.

        Args:
            raw: Finite, shape (n, d); n may be 0.
            documents: Each sticker's BM25F vector, empty without text; leave out words that name its pack or author.
                Read once, and not at all where packs cannot be used.
            packs: Each sticker's pack, ``""`` for none.

        Raises:
            ValueError: ``raw`` is not two-dimensional or not finite, or the others have other lengths.
        """
        if len(packs) != len(raw):
            raise ValueError(f"{len(packs)} packs for {len(raw)} vectors")
        space = _undamped(Space.fit(raw))
        looks, owners = centred_looks(space, raw), pack_numbers(packs)
        rows = usable(owners)
        found, removed, word_looks = 0.0, 0.0, None
        if len(rows):
            table = _table(documents, len(raw))
            found = _beyond_words(looks, table, owners, rows)
            if found >= ONE_STYLE:
                removed, word_looks = _subtract(looks, table, owners, rows)
        if found >= ONE_STYLE:
            covariance = covariance_within(_chosen(looks, rows), owners[rows])
            space = _damped(space, covariance, _WITHIN_DIRECTIONS, _WITHIN_SHRINKAGE)
        elif len(looks):
            covariance = covariance_within(looks, np.zeros(len(looks), np.int64))
            space = _damped(space, covariance, _TOTAL_DIRECTIONS, _TOTAL_SHRINKAGE)
        _finish(looks, space)
        return cls(looks, space, removed, found, word_looks)


def _undamped(space: Space) -> Space:
    return replace(space, directions=space.directions[:0], damping=space.damping[:0])


def later_style(space: Space, looks: Floats, predicted: Floats, removed: float) -> Floats:
    """Return the style vectors of stickers that came after the fit, shape (m, d): unit, or zero as the fitted ones.

    Args:
        space: Of :class:`MeaningCentred`.
        looks: From :func:`centred_looks`, shape (m, d).
        predicted: What their words predict, shape (m, d).
        removed: Of :class:`MeaningCentred`.
    """
    style = looks - np.float32(removed) * predicted
    _finish(style, space)
    return style


def centred_looks(space: Space, raw: NDArray[np.floating[Any]]) -> Floats:
    """Return raw vectors centred, scaled and clipped, shape (n, d), the average at zero."""
    looks = np.empty(raw.shape, np.float32)
    for start in range(0, len(raw), _ROWS):
        block = (raw[start : start + _ROWS] - space.centre) * space.gain
        looks[start : start + _ROWS] = np.clip(block, -_CLIP, _CLIP) - space.shift
    return looks


def _chosen(looks: Floats, rows: Indices) -> Floats:
    """Return some rows; all of them without a copy, which is most collections' case and most of a fit's memory."""
    return looks if len(rows) == len(looks) else looks[rows]


def _table(documents: Iterable[SparseVector], stickers: int) -> WordTable:
    table = WordTable.of(documents)
    if len(table) != stickers:
        raise ValueError(f"{len(table)} documents for {stickers} vectors")
    return table


def _beyond_words(looks: Floats, table: WordTable, owners: Indices, rows: Indices) -> float:
    """Return how alike the stickers of a pack are beyond what words explain that several packs use."""
    meaning = predicted(looks, table.shared(owners), np.arange(len(looks), dtype=np.int64))
    meaning *= np.float32(-_slope(looks, meaning))
    meaning += looks
    return intraclass_correlation(_chosen(meaning, rows), owners[rows])


def _subtract(looks: Floats, table: WordTable, owners: Indices, rows: Indices) -> tuple[float, WordLooks | None]:
    """Take out what words predict, in place, and return which share of it and what predicted it.

    The share is 0 where that would take out the drawing style.
    """
    learnt = WordLooks.learn(looks, table)
    meaning = predicted(looks, table, owners, (learnt.sums, learnt.mass))
    removed = _slope(looks, meaning)
    meaning *= np.float32(-removed)
    meaning += looks
    if intraclass_correlation(_chosen(meaning, rows), owners[rows]) < _KEPT * intraclass_correlation(
        _chosen(looks, rows), owners[rows]
    ):
        return 0.0, None
    looks[...] = meaning
    return removed, learnt


def _slope(looks: Floats, meaning: Floats) -> float:
    """Return the least-squares share of the predicted looks in the looks, held to [0, 1]."""
    squares = float(np.einsum("ij,ij->", meaning, meaning, dtype=np.float64))
    products = float(np.einsum("ij,ij->", looks, meaning, dtype=np.float64))
    return min(max(products / squares, 0.0), 1.0) if squares > 0 else 0.0


def _damped(space: Space, covariance: NDArray[np.float64], count: int, shrinkage: float) -> Space:
    """Return the space with its strongest directions damped, each to the variance of the first one left alone.

    ``shrinkage`` times the mean variance is added to all beforehand.
    """
    count = min(count, len(covariance) - 1)
    if count < 1 or not covariance.any():
        return space
    variances, vectors = np.linalg.eigh(covariance)
    shrunk = np.maximum(variances[::-1], 0) + shrinkage * variances.mean()
    damping = 1 - np.sqrt(shrunk[count] / shrunk[:count])
    directions = vectors[:, ::-1][:, :count].T
    return replace(space, directions=directions.astype(np.float32), damping=damping.astype(np.float32))


def _finish(looks: Floats, space: Space) -> None:
    """Damp and scale to unit length, in place."""
    for start in range(0, len(looks), _ROWS):
        block = looks[start : start + _ROWS]
        block -= (block @ space.directions.T * space.damping) @ space.directions
        length = np.linalg.norm(block, axis=1, keepdims=True)
        block[...] = np.divide(block, length, out=np.zeros_like(block), where=length > _NOTHING)
