"""The simplest rival of a tuned model: the words of the training stickers that look most like a held-out one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.errors import MissingExtraError, PictureError, SourceError
from persrv.images.decode import open_picture
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import encoder
from persrv.indexing.progress import Advance
from persrv.reading.describe.describer import Description
from persrv.training.examples import Example
from persrv.training.preparing import MOST_KEYWORDS
from persrv.training.queries import TrainingQuery

NEIGHBOURS = 8
"""Training stickers that are looked at for each held-out one."""
_BATCH, _ROWS = 64, 256


def best_encoder() -> ImageEncoder:
    """Return EfficientNet-Lite0, which sees what a picture shows, or without the extra ``cnn`` the statistics."""
    try:
        return encoder("efficientnet-lite0")
    except MissingExtraError:
        return encoder("statistics")


def picture_vectors(
    examples: Sequence[Example], data: Path, image_encoder: ImageEncoder, advance: Advance
) -> NDArray[np.float32]:
    """Return unit vectors of the examples' pictures, shape (n, d); zero where nothing is visible.

    Args:
        examples: n of them.
        data: The prepared data, where the pictures lie.
        image_encoder: Makes the vectors.
        advance: Called with the number of pictures done.

    Raises:
        SourceError: A picture cannot be read.
    """
    rows = [np.zeros((0, image_encoder.dimension), np.float32)]
    for start in range(0, len(examples), _BATCH):
        some = examples[start : start + _BATCH]
        try:
            rows.append(image_encoder.encode([open_picture(data / example.image) for example in some]))
        except PictureError as error:
            raise SourceError(error.problem, "run persrv train prepare into this folder again") from error
        advance(len(some))
    vectors = np.concatenate(rows)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def neighbour_words(
    vectors: NDArray[np.float32],
    known: NDArray[np.float32],
    queries: Sequence[Sequence[TrainingQuery]],
    neighbours: int = NEIGHBOURS,
) -> list[Description]:
    """Return what people typed for the stickers nearest to each vector, as a describer's answer.

    A query is weighed by the cosines of the neighbours that have it; equal weights are ordered by text.

    Args:
        vectors: Unit vectors, shape (m, d).
        known: Unit vectors of the training stickers, shape (n, d), n >= 1.
        queries: Their queries, n of them.
        neighbours: How many are looked at, >= 1.
    """
    count = min(neighbours, len(known))
    answers: list[Description] = []
    for start in range(0, len(vectors), _ROWS):
        for cosines in vectors[start : start + _ROWS] @ known.T:
            weights: defaultdict[str, float] = defaultdict(float)
            for row in np.argsort(-cosines, kind="stable")[:count].tolist():
                for query in queries[row]:
                    weights[query.text] += max(float(cosines[row]), 0.0)
            ordered = sorted(weights, key=lambda text: (-weights[text], text))
            answers.append(Description("", tuple(ordered[:MOST_KEYWORDS]), ()))
    return answers
