"""Words and emotions of a picture from those of pictures like it: regression and neighbours, calibrated."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.reading.describe.calibration import Calibration
from persrv.reading.describe.cleaning import one_line
from persrv.reading.describe.label_space import LabelSpace, Vectors
from persrv.reading.describe.parsing import LONGEST_KEYWORD

_NEIGHBOURS = 20
_SHARPNESS = 0.05
"""Difference in cosine that divides a neighbour's vote by e."""
_STRANGE = 0.5
"""Cosine of a neighbour that stands for "none of these": where all are farther away, few votes are given."""
_REGRESSION = 0.3
"""The regression's part of a score; the neighbours have the rest."""
_FOLDS = 5
_GUESSES = 20
_CALIBRATED_ON = 20_000
_BATCH = 256
_CELLS = 2**24
"""Cosines at once, 64 MiB: with many examples fewer pictures are compared at a time."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A label, and how often a guess like this was right, in [0, 1]."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Guesses:
    """What a picture may be called and what it may express: up to 20 each, the surest first, equals by label."""

    words: tuple[Guess, ...]
    emotions: tuple[Guess, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NearestModel:
    """What a collection's labelled stickers teach.

    Words and emotions are labels alike, the words first: they share the space and the neighbours. Their confidences
    are measured apart, since an emotion that a third of the stickers express is guessed right more easily.

    Attributes:
        encoder: Name of the image encoder whose vectors it was fitted on.
        encoder_revision: The encoder's revision.
        words: The first labels, sorted.
        emotions: The other labels, sorted; L labels in all.
        space: Fitted on all labelled stickers.
        ids: Each example's sticker id, shape (n,), bytes; empty bytes where it has none.
        examples: Unit vectors in the space, shape (n, r), float32, each a value that float16 can hold: on disk they
            take half the room, and nothing is converted when a picture is described.
        offsets: Where each example's label numbers begin and end in ``numbers``, shape (n + 1,), int64.
        numbers: Label numbers, int32.
        word_calibration: From scores to confidences.
        emotion_calibration: Likewise.
    """

    encoder: str
    encoder_revision: str
    words: tuple[str, ...]
    emotions: tuple[str, ...]
    space: LabelSpace
    ids: NDArray[np.bytes_]
    examples: NDArray[np.float32]
    offsets: NDArray[np.int64]
    numbers: NDArray[np.int32]
    word_calibration: Calibration
    emotion_calibration: Calibration

    @classmethod
    def fit(
        cls,
        vectors: Vectors,
        words: Sequence[tuple[str, ...]],
        emotions: Sequence[tuple[str, ...]] = (),
        *,
        encoder: str = "",
        encoder_revision: str = "",
        ids: Sequence[str] = (),
        groups: Sequence[str] = (),
        least: int = 2,
    ) -> Self:
        """Fit on stickers whose labels are known.

        Confidences are measured: each fifth of the groups is guessed by a model of the other four. They hold for
        stickers that differ from the examples as one group differs from the others.

        Args:
            vectors: Content vectors, finite, shape (n, d), n >= 1.
            words: Each sticker's names and tags; spellings that differ in case only are one label.
            emotions: Each sticker's emotions, as the vocabulary names them; may be left out.
            encoder: Name of the image encoder that made the vectors.
            encoder_revision: Its revision.
            ids: Each sticker's id, ASCII, so that it is not its own neighbour when it is described; may be left out.
            groups: What is kept together when confidences are measured, usually each sticker's pack; without groups
                each sticker is its own.
            least: Stickers that a label must stand on to be guessed.

        Raises:
            ValueError: The lengths differ, there is no row, or a vector is not finite.
        """
        n = len(vectors)
        if vectors.ndim != 2 or not n or not np.isfinite(vectors).all():
            raise ValueError(f"vectors must be finite and of shape (n, d) with n >= 1, not {vectors.shape}")
        if {len(words), len(emotions) or n, len(ids) or n, len(groups) or n} != {n}:
            raise ValueError(
                f"{n} vectors, {len(words)} and {len(emotions)} labels, {len(ids)} ids and {len(groups)} groups"
            )
        known, numbers = _numbered(words, least)
        felt, more = _numbered(emotions or [()] * n, least)
        numbers = [np.concatenate([row, other + len(known)]) for row, other in zip(numbers, more, strict=True)]
        folds = _folds(groups or [str(row) for row in range(n)])
        by_kind = _held_out(vectors, numbers, (len(known), len(felt)), folds)
        space = LabelSpace.fit(vectors, numbers, len(known) + len(felt))
        return cls(
            encoder,
            encoder_revision,
            known,
            felt,
            space,
            np.array([sticker_id.encode("ascii") for sticker_id in ids] or [b""] * n),
            *_examples(space, vectors, numbers),
            *(Calibration.fit(scores, right) for scores, right in by_kind),
        )

    @property
    def revision(self) -> str:
        """16 hex digits of everything that decides a guess."""
        names = (self.encoder, self.encoder_revision, str(len(self.words)), *self.words, *self.emotions)
        digest = hashlib.sha256("\0".join(names).encode())
        for part in (
            *(self.space.centre, self.space.gain, self.space.projection, self.space.readout, self.space.prior),
            *(self.ids, self.examples.astype(np.float16), self.offsets, self.numbers),
            *(self.word_calibration.scores, self.word_calibration.confidences),
            *(self.emotion_calibration.scores, self.emotion_calibration.confidences),
        ):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:16]

    def guess(self, vectors: Vectors, ids: Sequence[str] = ()) -> list[Guesses]:
        """Return what each vector's picture may be called and may express.

        Args:
            vectors: Content vectors, shape (m, d).
            ids: Each vector's sticker id: examples with this id do not vote; may be left out.
        """
        answers: list[Guesses] = []
        size = max(1, min(_BATCH, _CELLS // max(len(self.examples), 1)))
        for start in range(0, len(vectors), size):
            own = [self.ids == i.encode("ascii", "replace") for i in ids[start : start + size]]
            block = vectors[start : start + size]
            scores = _scores(self.space, self.examples, self.offsets, self.numbers, block, own)
            words = _guessed(scores[:, : len(self.words)], self.words, self.word_calibration)
            emotions = _guessed(scores[:, len(self.words) :], self.emotions, self.emotion_calibration)
            answers.extend(map(Guesses, words, emotions))
        return answers


def _numbered(labels: Sequence[tuple[str, ...]], least: int) -> tuple[tuple[str, ...], list[NDArray[np.int64]]]:
    """Return the labels that stand on enough stickers, sorted, and each sticker's label numbers."""
    cleaned = [sorted({one_line(label).casefold() for label in given}) for given in labels]
    counts = Counter(label for given in cleaned for label in given)
    usable = (label for label, count in counts.items() if count >= least and 0 < len(label) <= LONGEST_KEYWORD)
    known = tuple(sorted(usable))
    number = {label: position for position, label in enumerate(known)}
    return known, [np.array([number[label] for label in given if label in number], np.int64) for given in cleaned]


def _folds(groups: Sequence[str]) -> NDArray[np.int64]:
    """Return each row's fold. Groups are dealt out by size, then by name, so that folds are about equally large."""
    sizes = Counter(groups)
    load = [0] * _FOLDS
    dealt: dict[str, int] = {}
    for group in sorted(sizes, key=lambda name: (-sizes[name], name)):
        dealt[group] = load.index(min(load))
        load[dealt[group]] += sizes[group]
    return np.array([dealt[group] for group in groups])


def _held_out(
    vectors: Vectors, numbers: Sequence[NDArray[np.int64]], kinds: tuple[int, int], folds: NDArray[np.int64]
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Return scores of the best guesses for rows that the guessing model has not seen, and whether they are right.

    Args:
        vectors: Shape (n, d).
        numbers: Each row's label numbers.
        kinds: How many labels are words, and how many emotions, which come after them.
        folds: Each row's fold.

    Returns:
        Both for words, then both for emotions.
    """
    ranges = ((0, kinds[0]), (kinds[0], sum(kinds)))
    found: list[list[tuple[NDArray[np.float32], NDArray[np.bool_]]]] = [[], []]
    step = -(-len(vectors) // _CALIBRATED_ON)
    for fold in range(_FOLDS):
        seen = np.flatnonzero(folds != fold)
        unseen = np.flatnonzero(folds == fold)[::step]
        if not sum(kinds) or not seen.size or not unseen.size:
            continue
        known = [numbers[row] for row in seen.tolist()]
        space = LabelSpace.fit(vectors[seen], known, sum(kinds))
        fitted = _examples(space, vectors[seen], known)
        for start in range(0, len(unseen), _BATCH):
            rows = unseen[start : start + _BATCH]
            scores = _scores(space, *fitted, vectors[rows], [])
            for kind, (begin, end) in zip(found, ranges, strict=True):
                best = _best(scores[:, begin:end])
                right = [np.isin(row + begin, numbers[r]) for row, r in zip(best, rows, strict=True)]
                kind.append((np.take_along_axis(scores, best + begin, axis=1).ravel(), np.concatenate(right)))
    nothing = (np.zeros(0, np.float32), np.zeros(0, np.bool_))
    return [
        (np.concatenate([scores for scores, _ in (nothing, *kind)]), np.concatenate([r for _, r in (nothing, *kind)]))
        for kind in found
    ]


def _examples(
    space: LabelSpace, vectors: Vectors, numbers: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int32]]:
    embedded = [space.embed(vectors[start : start + _BATCH])[0] for start in range(0, len(vectors), _BATCH)]
    offsets = np.cumsum([0, *(len(row) for row in numbers)], dtype=np.int64)
    rounded = np.concatenate(embedded).astype(np.float16).astype(np.float32)
    return rounded, offsets, np.concatenate(numbers).astype(np.int32)


def _scores(
    space: LabelSpace,
    examples: NDArray[np.float32],
    offsets: NDArray[np.int64],
    numbers: NDArray[np.int32],
    vectors: Vectors,
    own: Sequence[NDArray[np.bool_]],
) -> NDArray[np.float32]:
    """Return scores, shape (m, L): the neighbours' votes and the regression.

    Neighbour i votes with ``exp(cos_i / sharpness)`` over the sum of all votes and that of a neighbour at the cosine
    from which on pictures are strange to each other.
    """
    embedded, regression = space.embed(vectors)
    votes = np.zeros_like(regression)
    cosines = embedded @ examples.T
    for row, cosine in enumerate(cosines):
        if row < len(own):
            cosine[own[row]] = -np.inf
        near = _nearest(cosine)
        weights = np.exp((cosine[near] - 1) / _SHARPNESS)
        weights /= weights.sum() + np.exp((_STRANGE - 1) / _SHARPNESS)
        for neighbour, weight in zip(near, weights, strict=True):
            votes[row, numbers[offsets[neighbour] : offsets[neighbour + 1]]] += weight
    return (1 - _REGRESSION) * votes + _REGRESSION * regression


def _nearest(cosine: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the rows with the largest cosines, equals by row."""
    count = min(_NEIGHBOURS, len(cosine))
    least = np.partition(cosine, len(cosine) - count)[len(cosine) - count]
    candidates = np.flatnonzero(cosine >= least)
    return candidates[np.argsort(-cosine[candidates], kind="stable")][:count]


def _best(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the columns of the best labels; labels are sorted, so a stable sort puts equals in their order."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :_GUESSES]


def _guessed(scores: NDArray[np.float32], labels: tuple[str, ...], calibration: Calibration) -> list[tuple[Guess, ...]]:
    best = _best(scores)
    confidences = calibration(np.take_along_axis(scores, best, axis=1))
    return [
        tuple(Guess(labels[number], float(sure)) for number, sure in zip(row, values, strict=True))
        for row, values in zip(best, confidences, strict=True)
    ]
