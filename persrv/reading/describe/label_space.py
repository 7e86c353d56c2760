"""A space in which pictures lie together that carry the same labels, fitted in closed form.

Ridge regression predicts every label from the content vector, and the directions that its weights use most are the
space: a form of reduced-rank ridge regression (Mukherjee & Zhu 2011). Nothing is trained by steps, so the same input
gives the same space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating[Any]]

_CLIP = 3.0
"""Standard deviations beyond which a value says no more."""
_ROWS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class LabelSpace:
    """The map from content vectors of length d to r directions, and from these to scores of L labels.

    Attributes:
        centre: Mean of each dimension, shape (d,), float32.
        gain: One over its standard deviation, 0 where it does not vary, shape (d,), float32.
        projection: Shape (d, r), float32.
        readout: Shape (r, L), float32.
        prior: Each label's share of the stickers, shape (L,), float32.
    """

    centre: NDArray[np.float32]
    gain: NDArray[np.float32]
    projection: NDArray[np.float32]
    readout: NDArray[np.float32]
    prior: NDArray[np.float32]

    @classmethod
    def fit(
        cls, vectors: Vectors, labels: Sequence[NDArray[np.int64]], n_labels: int, ridge: float = 1.0, rank: int = 256
    ) -> Self:
        """Fit on stickers whose labels are known.

        Args:
            vectors: Content vectors, finite, shape (n, d), n >= 1.
            labels: Each row's label numbers below ``n_labels``, without repeats.
            n_labels: L.
            ridge: Weight of the penalty, > 0. Rows have length 1: it weighs like that many stickers in each direction.
            rank: Largest r.
        """
        centre = vectors.mean(axis=0, dtype=np.float64)
        spread = vectors.std(axis=0, dtype=np.float64)
        gain = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-6 * (np.abs(centre) + 1e-6))
        size = vectors.shape[1]
        scaled = cls(
            centre.astype(np.float32),
            gain.astype(np.float32),
            np.eye(size, dtype=np.float32),
            np.zeros((size, 0), np.float32),
            np.zeros(0, np.float32),
        )
        gram, total = np.zeros((size, size)), np.zeros(size)
        sums, counts = np.zeros((n_labels, size)), np.zeros(n_labels)
        for start in range(0, len(vectors), _ROWS):
            block = scaled.unit(vectors[start : start + _ROWS]).astype(np.float64)
            gram += block.T @ block
            total += block.sum(axis=0)
            _add_by_label(sums, counts, block, labels[start : start + _ROWS])
        prior = counts / len(vectors)
        weights = np.linalg.solve(gram + ridge * np.eye(size), (sums - prior[:, None] * total).T)
        variances, directions = np.linalg.eigh(weights @ weights.T)
        strength = np.sqrt(np.maximum(variances[::-1], 0.0))
        kept = min(rank, int(np.count_nonzero(strength > 1e-6 * max(strength[0], 1e-12))))
        strength, directions = strength[:kept], _one_sign(directions[:, ::-1][:, :kept])
        return cls(
            scaled.centre,
            scaled.gain,
            (directions * np.sqrt(strength)).astype(np.float32),
            ((directions.T @ weights) / np.sqrt(strength)[:, None]).astype(np.float32),
            prior.astype(np.float32),
        )

    def unit(self, vectors: Vectors) -> NDArray[np.float32]:
        """Return the vectors centred, scaled, clipped at three standard deviations, and of length 1; zeros stay."""
        scaled = np.clip((vectors.astype(np.float32) - self.centre) * self.gain, -_CLIP, _CLIP)
        return _unit(scaled)

    def embed(self, vectors: Vectors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the unit vectors in this space, shape (n, r), and the regression's scores, shape (n, L)."""
        projected = self.unit(vectors) @ self.projection
        return _unit(projected), (projected @ self.readout + self.prior).astype(np.float32)


def _add_by_label(
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    block: NDArray[np.float64],
    labels: Sequence[NDArray[np.int64]],
) -> None:
    """Add each row to the sums of its labels; sorting first is many times faster than adding one by one."""
    owners = np.repeat(np.arange(len(block)), [len(numbers) for numbers in labels])
    if not owners.size:
        return
    numbers = np.concatenate(labels)
    order = np.argsort(numbers, kind="stable")
    present, starts = np.unique(numbers[order], return_index=True)
    sums[present] += np.add.reduceat(block[owners[order]], starts, axis=0)
    counts[present] += np.diff(np.append(starts, len(numbers)))


def _one_sign(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the columns with their largest entry positive: eigenvalue routines differ in the sign."""
    largest = np.abs(directions).argmax(axis=0)
    signs = np.where(directions[largest, np.arange(directions.shape[1])] < 0, -1.0, 1.0)
    return directions * signs


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length > 1e-9, length, np.inf)).astype(np.float32)
