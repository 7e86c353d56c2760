"""Describing by asking a vision-language model: question, answer, check, one firmer question, check again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from persrv.reading.describe.contact_sheet import frame_sheet
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.parsing import Unreadable, parse
from persrv.reading.describe.prompts import Prompts
from persrv.records import Skipped


@dataclass(frozen=True, slots=True, eq=False)
class DescriberInput:
    """What a model is asked about one sticker.

    Attributes:
        image: RGB, shape (side, side, 3).
        text: The prompt.
    """

    image: NDArray[np.uint8]
    text: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why a model gave no answer to a question; asking more firmly would not help."""

    reason: str


class VisionModel(Protocol):
    """Answers questions about pictures.

    Attributes:
        name: What a recipe calls it.
        revision: Identity of the model and of every setting that may change its answers.
    """

    @property
    def name(self) -> str:
        """What a recipe calls it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of everything that decides an answer to a given question."""
        ...

    def answer(self, questions: Sequence[DescriberInput]) -> list[str | NoAnswer]:
        """Return one answer a question, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class DescriberCounts:
    """How a describer fared so far.

    Attributes:
        stickers: Stickers that a model was asked about.
        repeated: First answers that could not be read.
        unreadable: Second answers that could not be read either.
        unanswered: Questions that the model refused, or failed to answer.
    """

    stickers: int = 0
    repeated: int = 0
    unreadable: int = 0
    unanswered: int = 0


class AskingDescriber:
    """A describer that asks a vision-language model.

    Args:
        model: Answers.
        prompts: What it is asked.
        language: BCP 47 tag of the language that the prompts ask for.
    """

    def __init__(self, model: VisionModel, prompts: Prompts, language: str) -> None:
        self.counts = DescriberCounts()
        self._model = model
        self._prompts = prompts
        self._language = language

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def revision(self) -> str:
        """The model's revision and the prompts'."""
        return f"{self._model.revision}+{self._language}-{self._prompts.revision}"

    def describe(self, subjects: Sequence[Subject]) -> list[Description | Skipped]:
        """Ask about every subject, and once more about those whose answers cannot be read.

        Raises:
            RecipeError: The model cannot be used at all.
            MissingExtraError: A package that the model needs is not installed.
        """
        results: list[Description | Skipped] = [Skipped(s.sticker_id, "it has no picture") for s in subjects]
        images: dict[int, NDArray[np.uint8]] = {}
        for number, subject in enumerate(subjects):
            if subject.picture is not None:
                image = frame_sheet(subject.picture)
                if image is None:
                    results[number] = Skipped(subject.sticker_id, "nothing is visible in its picture")
                else:
                    images[number] = image
        self.counts = replace(self.counts, stickers=self.counts.stickers + len(images))
        unread = self._ask(subjects, images, results, firmer=False)
        self.counts = replace(self.counts, repeated=self.counts.repeated + len(unread))
        unread = self._ask(subjects, {number: images[number] for number in unread}, results, firmer=True)
        self.counts = replace(self.counts, unreadable=self.counts.unreadable + len(unread))
        return results

    def _ask(
        self,
        subjects: Sequence[Subject],
        images: dict[int, NDArray[np.uint8]],
        results: list[Description | Skipped],
        firmer: bool,
    ) -> list[int]:
        """Fill in what can be read, and return the numbers of the subjects whose answers cannot be."""
        if not images:
            return []
        questions = [DescriberInput(image, self._prompts.question(subjects[n], firmer)) for n, image in images.items()]
        unread = []
        for number, answer in zip(images, self._model.answer(questions), strict=True):
            read = answer if isinstance(answer, NoAnswer) else parse(answer, self._language)
            if isinstance(read, Description):
                results[number] = read
                continue
            results[number] = Skipped(subjects[number].sticker_id, read.reason)
            if isinstance(read, Unreadable):
                unread.append(number)
            else:
                self.counts = replace(self.counts, unanswered=self.counts.unanswered + 1)
        return unread
