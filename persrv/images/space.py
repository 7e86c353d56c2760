"""The space in which a collection's pictures are compared: raw vectors made comparable by cosine.

Raw descriptors are all positive and mostly alike, so their cosines say little. A space is fitted on the whole
collection: every dimension is centred, scaled and clipped; then the directions in which stickers vary most for
reasons that are not style are damped. Stickers of one pack share a drawing style, so what varies within packs is not
style: this is within-class covariance normalisation (Hatch, Kajarekar & Stolcke 2006) with packs as classes, in a
low-rank symmetric form. Without usable packs the loudest directions of the whole collection are damped, more gently.

Measurements and what else was tried: docs/decisions/0003-style-descriptor-and-space.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persrv.errors import IndexMismatchError

Vector = NDArray[np.float32]

_VERSION = 1
_CLIP = 3.0
"""Spreads from the middle beyond which a value says no more: one odd dimension must not rule a cosine."""
_SAME = 1e-3
"""Spread, relative to the largest value, below which a dimension is constant: the cache's float16 resolves no more."""
_PERCENTILES = (1.0, 10.0, 50.0, 90.0, 99.0)
_NORMAL_WIDTH = 2.5631031310892007
"""Distance between the 10th and the 90th percentile of a normal distribution, in standard deviations."""
_LEAST_SPREAD = 0.25
"""Share of the standard deviation, without the outermost hundredths, that the spread never falls below: many
features are 0 for most pictures, so their percentiles coincide."""
_WITHIN_DIRECTIONS, _WITHIN_SHRINKAGE = 48, 0.1
_TOTAL_DIRECTIONS, _TOTAL_SHRINKAGE = 8, 1.0
_ROWS = 2_048


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """How raw vectors of length d become unit vectors of length d.

    Attributes:
        centre: Median of each dimension, shape (d,).
        gain: One over each dimension's spread, shape (d,); 0 silences a dimension that was constant when fitted.
        shift: Mean of the centred, scaled and clipped values, shape (d,).
        directions: Orthonormal rows to damp, shape (k, d), k <= d.
        damping: Share of each direction to take away, shape (k,), in [0, 1).
    """

    centre: Vector
    gain: Vector
    shift: Vector
    directions: Vector
    damping: Vector

    @classmethod
    def fit(cls, raw: NDArray[np.floating[Any]], packs: Sequence[str] | None = None) -> Self:
        """Fit a space on a collection's raw vectors.

        Deterministic; the order of the rows matters to rounding only.

        Args:
            raw: Finite, shape (n, d); n may be 0, which gives a space where every vector is zero.
            packs: Each row's pack, ``""`` for none. Ignored unless two packs have two stickers each.

        Raises:
            ValueError: ``raw`` is not two-dimensional or not finite, or ``packs`` has another length.
        """
        if raw.ndim != 2 or not np.isfinite(raw).all():
            raise ValueError(f"raw vectors must be finite and of shape (n, d), not {raw.shape}")
        if packs is not None and len(packs) != len(raw):
            raise ValueError(f"{len(packs)} packs for {len(raw)} vectors")
        centre, gain = _middle_and_gain(raw)
        size = raw.shape[1]
        none = np.zeros((0, size), np.float32)
        if not len(raw):
            return cls(centre, gain, np.zeros(size, np.float32), none, np.zeros(0, np.float32))
        shift = sum((block.sum(axis=0) for block in _scaled(raw, centre, gain)), np.zeros(size)) / len(raw)
        groups = _usable_packs(packs or ())
        if len(groups) >= 2:
            covariance = _within(raw, centre, gain, groups)
            directions, damping = _loudest(covariance, _WITHIN_DIRECTIONS, _WITHIN_SHRINKAGE)
        else:
            covariance = _within(raw, centre, gain, [np.arange(len(raw))])
            directions, damping = _loudest(covariance, _TOTAL_DIRECTIONS, _TOTAL_SHRINKAGE)
        return cls(centre, gain, shift.astype(np.float32), directions, damping)

    @classmethod
    def as_it_is(cls, dimension: int) -> Self:
        """Return the space that only scales to unit length: texts stay beside the pictures that they fit.

        Args:
            dimension: Length of the vectors, whose numbers must lie in [-3, 3].
        """
        zeros = np.zeros(dimension, np.float32)
        return cls(zeros, zeros + 1, zeros, np.zeros((0, dimension), np.float32), np.zeros(0, np.float32))

    @property
    def dimension(self) -> int:
        """Length of raw and of projected vectors."""
        return len(self.centre)

    @property
    def revision(self) -> str:
        """16 hex digits that differ when projections may differ."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def project(self, raw: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return unit vectors, shape (n, d), for raw vectors of shape (n, d).

        A raw vector that equals the collection's average has no direction: its row is zero, and its cosine with
        everything counts as 0.

        Raises:
            IndexMismatchError: The vectors have another length than those that the space was fitted on.
        """
        if raw.ndim != 2 or raw.shape[1] != self.dimension:
            raise IndexMismatchError(
                f"vectors of shape {raw.shape} do not fit an image space of {self.dimension} dimensions",
                "run persrv build with the recipe's encoder",
            )
        answer = np.zeros(raw.shape, np.float32)
        start = 0
        for block in _scaled(raw, self.centre, self.gain):
            block -= self.shift
            block -= (block @ self.directions.T * self.damping) @ self.directions
            length = np.linalg.norm(block, axis=1, keepdims=True)
            unit = np.divide(block, length, out=np.zeros_like(block), where=length > 1e-6)
            answer[start : start + len(block)] = unit
            start += len(block)
        return answer

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe form of exactly this space; ``directions`` is base64 of little-endian float32."""
        return {
            "version": _VERSION,
            "centre": _numbers(self.centre),
            "gain": _numbers(self.gain),
            "shift": _numbers(self.shift),
            "damping": _numbers(self.damping),
            "directions": base64.b64encode(self.directions.astype("<f4").tobytes()).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return the space that :meth:`to_dict` wrote.

        Raises:
            IndexMismatchError: Something is missing or impossible, or another version wrote it.
        """
        try:
            if content["version"] != _VERSION:
                raise ValueError(f"it has version {content['version']}, not {_VERSION}")
            centre, gain, shift, damping = (
                np.array(content[key], np.float32) for key in ("centre", "gain", "shift", "damping")
            )
            directions = np.frombuffer(base64.b64decode(content["directions"], validate=True), "<f4")
            directions = directions.astype(np.float32).reshape(len(damping), len(centre))
            if not len(centre) == len(gain) == len(shift):
                raise ValueError("its parts have different lengths")
            if not all(np.isfinite(part).all() for part in (centre, gain, shift, damping, directions)):
                raise ValueError("it holds numbers that are not finite")
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise IndexMismatchError(
                f"the index's image space cannot be read: {type(error).__name__}: {error}", "run persrv build --rebuild"
            ) from error
        return cls(centre, gain, shift, directions, damping)


def _middle_and_gain(raw: NDArray[np.floating[Any]]) -> tuple[Vector, Vector]:
    """Return each dimension's median, and one over its spread from percentiles, shape (d,) both."""
    centre, gain = (np.zeros(raw.shape[1], np.float32) for _ in range(2))
    for dimension in range(raw.shape[1] if len(raw) else 0):
        # Sorted, so that sums do not depend on the order of the rows.
        column = np.sort(raw[:, dimension].astype(np.float64))
        least, low, middle, high, most = np.percentile(column, _PERCENTILES)
        inner = np.clip(column, least, most)
        spread = max((high - low) / _NORMAL_WIDTH, _LEAST_SPREAD * float(inner.std()))
        centre[dimension] = middle
        gain[dimension] = 1 / spread if spread > _SAME * float(np.abs(inner).max()) else 0
    return centre, gain


def _scaled(raw: NDArray[np.floating[Any]], centre: Vector, gain: Vector) -> Iterator[NDArray[np.float64]]:
    """Yield blocks of rows, centred, scaled and clipped."""
    for start in range(0, len(raw), _ROWS):
        block = raw[start : start + _ROWS].astype(np.float64)
        yield np.clip((block - centre) * gain, -_CLIP, _CLIP)


def _usable_packs(packs: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the row numbers of every named pack with at least two stickers."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, pack in enumerate(packs):
        if pack:
            rows[pack].append(row)
    return [np.array(rows[pack]) for pack in sorted(rows) if len(rows[pack]) >= 2]


def _within(
    raw: NDArray[np.floating[Any]], centre: Vector, gain: Vector, groups: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Return the covariance around each group's own mean, pooled over all rows of all groups, shape (d, d)."""
    size = raw.shape[1]
    pooled = np.zeros((size, size))
    for rows in groups:
        total, squares = np.zeros(size), np.zeros((size, size))
        for block in _scaled(raw[rows], centre, gain):
            total += block.sum(axis=0)
            squares += block.T @ block
        pooled += squares - np.outer(total, total) / len(rows)
    return pooled / sum(len(rows) for rows in groups)


def _loudest(covariance: NDArray[np.float64], count: int, shrinkage: float) -> tuple[Vector, Vector]:
    """Return the strongest principal directions, shape (k, d), and how much of each to take away, shape (k,).

    Each direction's variance is brought down to that of the first one left alone, after ``shrinkage`` times the mean
    variance has been added to all. The weakest are hardly touched, so it does not matter which of two equally
    strong directions is counted in, nor which basis the eigenvalue routine picks among them.
    """
    count = min(count, len(covariance) - 1)
    if count < 1 or not covariance.any():
        return np.zeros((0, len(covariance)), np.float32), np.zeros(0, np.float32)
    variances, vectors = np.linalg.eigh(covariance)
    shrunk = np.maximum(variances[::-1], 0) + shrinkage * variances.mean()
    damping = 1 - np.sqrt(shrunk[count] / shrunk[:count])
    return vectors[:, ::-1][:, :count].T.astype(np.float32), damping.astype(np.float32)


def _numbers(values: Vector) -> list[float]:
    """Return the shortest decimals that read back as the same float32."""
    return [float(str(value)) for value in values]
