"""How well a model in training does on held-out stickers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from persrv.reading.describe.asking import DescriberInput, NoAnswer
from persrv.reading.describe.batching import Batches
from persrv.reading.describe.describer import Description
from persrv.reading.describe.generating import Generator
from persrv.reading.describe.machine import out_of_memory
from persrv.reading.describe.parsing import parse
from persrv.training.collating import Collator
from persrv.training.examples import Example
from persrv.training.hardware import Hardware
from persrv.training.loss import answer_loss
from persrv.training.measures import measure
from persrv.training.settings import TrainingSettings


class Validator:
    """Measures on the validation stickers.

    Args:
        examples: Held out.
        folder: The prepared data.
        collator: As in training.
        answering: The processor, padding on the left.
        settings: ``micro_batch``, ``validation_stickers``, ``validation_answers`` and ``max_tokens`` are used.
        hardware: Where.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        folder: Path,
        collator: Collator,
        answering: Any,
        settings: TrainingSettings,
        hardware: Hardware,
    ) -> None:
        self._examples = examples[: settings.validation_stickers]
        self._folder = folder
        self._collator = collator
        self._answering = answering
        self._settings = settings
        self._hardware = hardware

    def __call__(self, model: Any) -> dict[str, float]:
        """Return ``validation_loss`` (nats a token of the answers), and the means of the measures where asked for."""
        model.eval()
        try:
            figures = {"validation_loss": self._loss(model)}
            if self._settings.validation_answers:
                figures |= self._said(model)
            return figures
        finally:
            model.train()

    def _loss(self, model: Any) -> float:
        total, tokens = 0.0, 0
        answers = [size.answer for size in self._collator.sizes(self._examples)]
        size = self._settings.micro_batch
        for begin in range(0, len(self._examples), size):
            batch = self._hardware.to_device(self._collator(self._examples[begin : begin + size]))
            with torch.no_grad(), self._hardware.autocast():
                total += float(answer_loss(model, batch))
            tokens += sum(answers[begin : begin + size])
        return total / tokens

    def _said(self, model: Any) -> dict[str, float]:
        chosen = self._examples[: self._settings.validation_answers]
        generator = Generator(self._answering, model, self._hardware.machine, self._settings.max_tokens)
        ask = Batches(self._settings.micro_batch, generator, out_of_memory, self._hardware.machine.release)
        measured = []
        for begin in range(0, len(chosen), self._settings.micro_batch):
            some = chosen[begin : begin + self._settings.micro_batch]
            answers = ask([DescriberInput(example.opened(self._folder), example.question) for example in some])
            for example, answer in zip(some, answers, strict=True):
                said = None if isinstance(answer, NoAnswer) else parse(answer)
                measured.append(measure(said if isinstance(said, Description) else None, example.queries))
        return {
            "keyword_recall": sum(m.keyword_recall for m in measured) / len(measured),
            "word_recall": sum(m.word_recall for m in measured) / len(measured),
        }
