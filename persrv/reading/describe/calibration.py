"""From scores to confidences: how often a label with such a score was right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A map from scores to confidences that never falls: isotonic regression (Zadrozny & Elkan 2002).

    Attributes:
        scores: Ascending, shape (k,), k >= 1, float32.
        confidences: Not descending, in [0, 1], shape (k,), float32.
    """

    scores: NDArray[np.float32]
    confidences: NDArray[np.float32]

    @classmethod
    def fit(cls, scores: NDArray[np.float32], right: NDArray[np.bool_]) -> Self:
        """Fit on guesses of known outcome by pooling adjacent violators (Ayer et al. 1955).

        Each pooled block counts half a right and half a wrong guess more than it holds, so that no confidence is
        exactly 0 or 1.

        Args:
            scores: Finite, shape (n,).
            right: Whether each guess was right, shape (n,). Without guesses every confidence is 0.
        """
        if not scores.size:
            return cls(np.zeros(1, np.float32), np.zeros(1, np.float32))
        values, place = np.unique(scores, return_inverse=True)
        counts = np.bincount(place).astype(np.float64)
        hits = np.bincount(place, weights=right)
        blocks: list[tuple[float, float, int]] = []
        for hit, count in zip(hits, counts, strict=True):
            blocks.append((hit, count, 1))
            while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
                upper, lower = blocks.pop(), blocks.pop()
                blocks.append((lower[0] + upper[0], lower[1] + upper[1], lower[2] + upper[2]))
        ends = np.cumsum([size for _, _, size in blocks])
        starts = ends - [size for _, _, size in blocks]
        middle = [values[start:end].mean() for start, end in zip(starts, ends, strict=True)]
        # Smoothing may bend small blocks back; the running maximum straightens them.
        share = np.maximum.accumulate([(hit + 0.5) / (count + 1) for hit, count, _ in blocks])
        return cls(np.array(middle, np.float32), np.array(share, np.float32))

    def __call__(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return confidences in [0, 1] of the shape of ``scores``, linear between the fitted scores."""
        return np.interp(scores, self.scores, self.confidences).astype(np.float32)
