"""Describing by the labels of similar stickers: offline, without a language model, in the collection's own words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from persrv.errors import RecipeError
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import encoder
from persrv.reading import emotions
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.nearest_file import load_nearest
from persrv.reading.describe.nearest_model import Guess, Guesses, NearestModel
from persrv.records import Semantics, Skipped

LEAST_CONFIDENCE = 0.5
"""Keywords and emotions are labels that are more likely right than wrong."""


class NearestDescriber:
    """Gives a sticker without words the labels that stickers like it carry.

    Args:
        model: Fitted on the collection's labelled stickers.
        encoder: The image encoder whose vectors the model was fitted on.

    Raises:
        RecipeError: The encoder is another one, or of another revision.
    """

    def __init__(self, model: NearestModel, encoder: ImageEncoder) -> None:
        if (encoder.name, encoder.revision) != (model.encoder, model.encoder_revision):
            raise RecipeError(
                f"the nearest describer was trained with the encoder {model.encoder} {model.encoder_revision}, "
                f"not {encoder.name} {encoder.revision}",
                "run persrv learn again",
            )
        self._model = model
        self._encoder = encoder

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the model in a collection's folder, and make its encoder.

        Raises:
            RecipeError: There is no usable model, or its encoder is not there in the same revision.
            MissingExtraError: The encoder's packages are not installed.
        """
        model = load_nearest(folder)
        return cls(model, encoder(model.encoder))

    @property
    def name(self) -> str:
        """``"nearest"``."""
        return "nearest"

    @property
    def revision(self) -> str:
        """The model's revision, the threshold, and the vocabulary of emotions."""
        return f"{self._model.revision}+{LEAST_CONFIDENCE:g}-{emotions.emotions_revision()}"

    def describe(self, subjects: Sequence[Subject]) -> list[Description | Skipped]:
        """Return keywords and emotions, no sentence, with the confidence of the first keyword.

        A sticker that is like no other gets an empty description: it was looked at, and nothing can be said. So does
        one that its source gives words: guesses would stand beside what is known.
        """
        results: list[Description | Skipped] = [
            Skipped(s.sticker_id, "it has no picture") if s.picture is None else _NOTHING for s in subjects
        ]
        seen = [
            (number, s.sticker_id, s.picture)
            for number, s in enumerate(subjects)
            if s.picture is not None and not _has_words(s.semantics)
        ]
        if not seen:
            return results
        vectors = self._encoder.encode([picture for _, _, picture in seen])
        guesses = self._model.guess(vectors, [sticker_id for _, sticker_id, _ in seen])
        for (number, sticker_id, _), guessed, vector in zip(seen, guesses, vectors, strict=True):
            visible = bool(np.any(vector))
            results[number] = _description(guessed) if visible else Skipped(sticker_id, "nothing is visible in it")
        return results


_NOTHING = Description("", (), ())


def _has_words(known: Semantics) -> bool:
    return any((known.name, known.tags, known.description, known.keywords))


def _description(guesses: Guesses) -> Description:
    best = guesses.words[0].confidence if guesses.words else 0.0
    return Description("", _sure(guesses.words), _sure(guesses.emotions), confidence=best)


def _sure(guesses: Sequence[Guess]) -> tuple[str, ...]:
    return tuple(guess.label for guess in guesses if guess.confidence >= LEAST_CONFIDENCE)
