"""The space in which searches and phrases are compared: a text encoder's vectors, made comparable by cosine.

A text encoder puts all short texts of one kind near each other, and tells apart what does not matter here. A space is
fitted on the collection's own stickers. Each side is centred. What varies among the phrases of *one* sticker is not its
meaning, so that variation is made equal in all directions: within-class covariance normalisation (Hatch, Kajarekar &
Stolcke 2006) with stickers as classes. Then the directions in which phrases vary most are kept.

Measurements and what else was tried: docs/decisions/0009-meaning-vectors.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persrv.errors import IndexMismatchError
from persrv.text.meaning.rows import cosines, indexed_rows, unit_rows
from persrv.text.meaning.scatter import Scatter

DIMENSION = 256
"""Most dimensions that are kept."""

_VERSION = 1
_SHRINKAGE = 0.5
_COMPARED = 2000
"""Stickers that are compared with the sample of searches, to learn how alike things are by chance."""
_USUAL_SPREAD = 0.1
"""Standard deviation of likeness by chance in the collections that were measured: 0.08 to 0.11."""
_STICKERS_OF_PRIOR = 20
"""How many stickers' weight that has beside what is measured, which is no guide where there are three."""
_LEAST_SPREAD = 1e-3
_TOGETHER = 4096
"""Phrases that are projected at once."""


@dataclass(frozen=True, eq=False)
class MeaningSpace:
    """How an encoder's vectors of length d become unit vectors of length k, and what their cosines are worth.

    Attributes:
        phrase_mean: Mean of phrases, shape (d,).
        query_mean: Mean of searches, shape (d,).
        turn: What centred vectors are multiplied by, shape (d, k), values that float16 can hold.
        floor: Mean cosine of a search and a sticker that have nothing to do with each other.
        spread: Standard deviation of that cosine, above 0.
    """

    phrase_mean: NDArray[np.float32]
    query_mean: NDArray[np.float32]
    turn: NDArray[np.float32]
    floor: float
    spread: float

    @classmethod
    def fit(
        cls,
        stickers: Sequence[NDArray[np.floating[Any]]],
        searches: NDArray[np.floating[Any]],
        owners: Sequence[int],
        dimension: int = DIMENSION,
    ) -> Self:
        """Fit a space on a collection, or on a sample of some ten thousand stickers.

        Args:
            stickers: For each sticker its phrases' vectors as the encoder gives them, shape (m, d), m >= 0.
            searches: Vectors of some hundred phrases encoded as searches, shape (q, d).
            owners: For each search the number of the sticker whose phrase it is, which it is not compared with.
            dimension: Most dimensions that are kept.

        Raises:
            ValueError: The shapes do not fit together.
        """
        if searches.ndim != 2 or len(owners) != len(searches):
            raise ValueError(f"{len(owners)} owners do not fit searches of shape {searches.shape}")
        size = searches.shape[1]
        if any(phrases.ndim != 2 or phrases.shape[1] != size for phrases in stickers):
            raise ValueError(f"each sticker's phrases must have the shape (m, {size})")
        scatter = Scatter.of([phrases for phrases in stickers if len(phrases)], size)
        mean = scatter.mean
        query_mean = np.asarray(searches, np.float64).mean(axis=0) if len(searches) else np.zeros(size)
        whitening = _whitening(scatter)
        turn = whitening @ _strongest(whitening @ scatter.total @ whitening, dimension)
        means = mean.astype(np.float32), query_mean.astype(np.float32)
        # Its scale changes no cosine; with 1 as the largest value, half precision loses nothing that matters.
        turn = (turn / np.abs(turn).max()).astype(np.float16).astype(np.float32)
        bare = cls(*means, turn, 0.0, 1.0)
        return cls(*means, bare.turn, *bare._by_chance(stickers, searches, owners))

    @property
    def dimension(self) -> int:
        """Length of a projected vector."""
        return int(self.turn.shape[1])

    @property
    def revision(self) -> str:
        """16 hex digits that differ when projections may differ."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def sticker(self, vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the unit rows that a sticker is indexed by, see :func:`persrv.text.meaning.rows.indexed_rows`.

        Args:
            vectors: Its phrases' vectors as the encoder gives them, shape (m, d).

        Returns:
            Shape (r, k), r = 0 for a sticker without phrases.

        Raises:
            IndexMismatchError: The vectors have another length than those that the space was fitted on.
        """
        return self.stickers([vectors])[0]

    def stickers(self, batch: Sequence[NDArray[np.floating[Any]]]) -> list[NDArray[np.float32]]:
        """Return the rows of many stickers, each as :meth:`sticker` does, in a tenth of the time.

        Args:
            batch: The vectors of each sticker's phrases, shape (m, d).

        Raises:
            IndexMismatchError: As :meth:`sticker`.
        """
        if not batch:
            return []
        # A product with few rows takes as long as reading the matrix, and keeps idle threads waiting for each other.
        every = np.concatenate(batch)
        parts = [every[start : start + _TOGETHER] for start in range(0, max(len(every), 1), _TOGETHER)]
        projected = np.concatenate([self._project(part, self.phrase_mean) for part in parts])
        ends = np.cumsum([0, *map(len, batch)]).tolist()
        return [indexed_rows(projected[start:end]) for start, end in pairwise(ends)]

    def search(self, vector: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the unit vector of a search, shape (k,); zeros where it has no direction.

        Args:
            vector: As the encoder gives it, shape (d,).

        Raises:
            IndexMismatchError: As :meth:`sticker`.
        """
        return self._project(vector.reshape(1, -1), self.query_mean).reshape(-1)

    def standardised(self, cosine: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return cosines as standard deviations above the mean of likeness by chance, any shape."""
        return (np.asarray(cosine, np.float64) - self.floor) / self.spread

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe form of exactly this space; about 350 kB for d = 512 and k = 256.

        Arrays are base64 of little-endian numbers: float32 for the means, float16 for ``turn``.
        """
        return {
            "version": _VERSION,
            "phrase_mean": _encoded(self.phrase_mean, "<f4"),
            "query_mean": _encoded(self.query_mean, "<f4"),
            "turn": _encoded(self.turn, "<f2"),
            "floor": self.floor,
            "spread": self.spread,
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
            mean, query_mean = (_decoded(content[key], "<f4") for key in ("phrase_mean", "query_mean"))
            turn = _decoded(content["turn"], "<f2")
            if len(mean) != len(query_mean):
                raise ValueError("its parts have different lengths")
            floor, spread = float(content["floor"]), float(content["spread"])
            if not (math.isfinite(floor) and math.isfinite(spread) and spread > 0):
                raise ValueError("its likeness by chance is impossible")
            return cls(mean, query_mean, turn.reshape(len(mean), -1), floor, spread)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise IndexMismatchError(
                f"the index's meaning space cannot be read: {type(error).__name__}: {error}",
                "run persrv build --rebuild",
            ) from error

    @cached_property
    def _exact_turn(self) -> NDArray[np.float64]:
        # Kept, since to convert it takes as long as to multiply by it.
        return np.asarray(self.turn, np.float64)

    def _project(self, vectors: NDArray[np.floating[Any]], mean: NDArray[np.float32]) -> NDArray[np.float32]:
        if vectors.ndim != 2 or vectors.shape[1] != len(mean):
            raise IndexMismatchError(
                f"vectors of shape {vectors.shape} do not fit a meaning space of {len(mean)} dimensions",
                "run persrv build with the recipe's text encoder",
            )
        exact = np.asarray(vectors, np.float64)
        says_something = exact.any(axis=1, keepdims=True)
        return unit_rows(np.where(says_something, exact - mean, 0.0) @ self._exact_turn).astype(np.float32)

    def _by_chance(
        self, stickers: Sequence[NDArray[np.floating[Any]]], searches: NDArray[np.floating[Any]], owners: Sequence[int]
    ) -> tuple[float, float]:
        """Return mean and standard deviation of the cosines of searches and stickers that are not their own."""
        step = max(1, math.ceil(len(stickers) / _COMPARED))
        numbers = np.arange(0, len(stickers), step)
        sample = self.stickers([stickers[number] for number in numbers.tolist()])
        found = cosines(self._project(searches, self.query_mean), sample)
        filled = np.array([len(indexed) > 0 for indexed in sample], np.bool_)
        strangers = (numbers[None, :] != np.array(owners, np.int64)[:, None]) & filled[None, :]
        every = found[strangers]
        if not len(every):
            return 0.0, 1.0
        # These searches are phrases of the collection, whose mean was taken from both sides: of few stickers each is so
        # large a part of it that it makes all others unlike. A search of somebody has no part in it.
        number = sum(len(phrases) > 0 for phrases in stickers)
        floor = float(every.mean()) + 1.0 / (number - 1)
        usual = (number * every.var() + _STICKERS_OF_PRIOR * _USUAL_SPREAD**2) / (number + _STICKERS_OF_PRIOR)
        return floor, max(float(np.sqrt(usual)), _LEAST_SPREAD)


def _whitening(scatter: Scatter) -> NDArray[np.float64]:
    """Return the inverse square root of the covariance within stickers, shape (d, d), shrunk half way to a sphere."""
    size = len(scatter.mean)
    level = np.trace(scatter.within) / size
    if level <= 0:
        return np.eye(size)
    shrunk = (1 - _SHRINKAGE) * scatter.within + _SHRINKAGE * level * np.eye(size)
    variances, directions = np.linalg.eigh(shrunk / scatter.phrases)
    return np.asarray((directions * variances**-0.5) @ directions.T)


def _strongest(scatter: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the ``count`` strongest principal directions of a scatter, shape (d, d), as columns, shape (d, k)."""
    _, directions = np.linalg.eigh(scatter)
    return np.asarray(directions[:, ::-1][:, :count])


def _encoded(values: NDArray[np.float32], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode("ascii")


def _decoded(text: str, kind: str) -> NDArray[np.float32]:
    values = np.frombuffer(base64.b64decode(text, validate=True), kind).astype(np.float32)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("it holds no numbers, or some that are not finite")
    return values
