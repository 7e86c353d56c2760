"""What a sticker's words say about its look, learnt from the other stickers that share them.

A word's look is the weighted mean over the stickers that carry it; a sticker's predicted look is the weighted mean
over its words. Both are linear in the number of words, so that no sticker is compared with every other one.
What is known of a sticker beforehand must not come from itself, nor from its own pack: a word that only one pack uses
would predict that pack's drawing style, and taking that out would take out the style.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from persrv.ranking.style_space.words import Floats, Indices, WordTable

PRIOR = 1.0
"""Weight of the average look in every word's look, so that a rare word says little."""

_ROWS = 64
"""Rows made dense at once: few enough that they share words, enough for one matrix product."""


def predicted(
    values: Floats, table: WordTable, owners: Indices, known: tuple[Floats, NDArray[np.float64]] | None = None
) -> Floats:
    """Return the look that each sticker's words predict, shape (n, d); zero where they say nothing.

    ``sum_t a_it * m_t / sum_t a_it`` with ``m_t = sum_j a_jt * v_j / (PRIOR + sum_j a_jt)``, ``j`` over the stickers of
    other owners.

    Args:
        values: Looks with the average at zero, shape (n, d).
        table: The words of the n stickers.
        owners: Number of each sticker's owner, shape (n,), in [0, n): its pack, or one of its own.
        known: From :func:`word_sums`, where that was called before.
    """
    sums, mass = known or word_sums(values, table)
    answer = np.zeros_like(values, dtype=np.float32)
    order, sizes = np.argsort(owners, kind="stable"), np.bincount(owners)
    alone = order[sizes[owners[order]] == 1]
    for rows in _blocks(alone):
        words, block = table.dense(rows)
        others = block / (np.maximum(mass[words] - block, 0) + PRIOR)
        own = (others * block).sum(axis=1, keepdims=True)
        answer[rows] = _over(others @ sums[words] - own * values[rows], block)
    together = order[sizes[owners[order]] > 1]
    for members in np.split(together, np.flatnonzero(np.diff(owners[together])) + 1 if len(together) else []):
        _predict_pack(answer, values, table, members, sums, mass)
    return answer


def word_sums(values: Floats, table: WordTable) -> tuple[Floats, NDArray[np.float64]]:
    """Return the weighted sum of looks of each word's stickers, shape (V, d), and of the weights, shape (V,)."""
    sums, mass = np.zeros((table.size, values.shape[1]), np.float32), np.zeros(table.size)
    for rows in _blocks(np.arange(len(values))):
        words, block = table.dense(rows)
        sums[words] += block.T @ values[rows]
        mass[words] += block.sum(axis=0, dtype=np.float64)
    return sums, mass


def _predict_pack(
    answer: Floats, values: Floats, table: WordTable, members: Indices, sums: Floats, mass: NDArray[np.float64]
) -> None:
    """Write the predicted looks of one pack's stickers, learnt from all other packs."""
    blocks = [(rows, *table.dense(rows)) for rows in _blocks(members)]
    if not blocks:
        return
    vocabulary = np.unique(np.concatenate([words for _, words, _ in blocks]))
    others, weight = sums[vocabulary], mass[vocabulary]
    for rows, words, block in blocks:
        here = np.searchsorted(vocabulary, words)
        others[here] -= block.T @ values[rows]
        weight[here] -= block.sum(axis=0, dtype=np.float64)
    others /= (np.maximum(weight, 0) + PRIOR)[:, None]
    for rows, words, block in blocks:
        answer[rows] = _over(block @ others[np.searchsorted(vocabulary, words)], block)


def _over(weighted: NDArray[np.floating], block: Floats) -> Floats:
    total = block.sum(axis=1, keepdims=True)
    zero = np.zeros(weighted.shape, np.float32)
    np.divide(weighted, total, out=zero, where=total > 0, casting="same_kind")
    return zero


def _blocks(rows: Indices) -> Iterator[Indices]:
    for start in range(0, len(rows), _ROWS):
        yield rows[start : start + _ROWS]
