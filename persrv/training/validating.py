"""How well a model in training does on held-out stickers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from persrv.reading.describe.asking import DescriberInput, NoAnswer
from persrv.reading.describe.batching import Batches
from persrv.reading.describe.describer import Description
from persrv.reading.describe.generating import Generator
from persrv.reading.describe.machine import out_of_memory
from persrv.reading.describe.parsing import parse
from persrv.training.collating import IGNORED, Collator
from persrv.training.examples import Example
from persrv.training.hardware import Hardware
from persrv.training.loss import answer_loss
from persrv.training.measures import measure
from persrv.training.prefetch import prefetched
from persrv.training.settings import TrainingSettings


class Validator:
    """Measures on the validation stickers.

    Args:
        examples: Held out.
        folder: The prepared data.
        collator: As in training; threads get copies of it.
        answering: The processor, padding on the left.
        settings: ``micro_batch``, ``validation_stickers``, ``validation_answers`` and ``max_tokens`` are used.
        hardware: Where. Each process takes a part of the stickers.
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
        """Return ``validation_loss`` (nats a token of the answers), and the means of the measures where asked for.

        The same in every process; all of them must call it.
        """
        model.eval()
        try:
            figures = {"validation_loss": self._loss(model)}
            if self._settings.validation_answers:
                figures |= self._measures(model)
            return figures
        finally:
            model.train()

    def _loss(self, model: Any) -> float:
        sums = torch.zeros(2, dtype=torch.float64, device=self._hardware.device)
        batches = prefetched(self._mine(self._examples), self._collator.copied, self._hardware.collating)
        with closing(batches):
            for made in batches:
                batch = self._hardware.to_device(made)
                with torch.no_grad(), self._hardware.autocast():
                    sums[0] += answer_loss(model, batch)
                sums[1] += (batch["labels"] != IGNORED).sum()
        self._hardware.add_up([sums])
        return float(sums[0] / sums[1])

    def _measures(self, model: Any) -> dict[str, float]:
        chosen = self._examples[: self._settings.validation_answers]
        generator = Generator(self._answering, model, self._hardware.machine, self._settings.max_tokens)
        ask = Batches(self._settings.micro_batch, generator, out_of_memory, self._hardware.machine.release)
        sums = torch.zeros(2, dtype=torch.float64, device=self._hardware.device)
        for some in self._mine(chosen):
            # Modules that are trained as a whole have another number format than those around them.
            with self._hardware.autocast():
                answers = ask([DescriberInput(example.opened(self._folder), example.question) for example in some])
            for example, answer in zip(some, answers, strict=True):
                read = None if isinstance(answer, NoAnswer) else parse(answer)
                found = measure(read if isinstance(read, Description) else None, example.queries)
                sums += torch.tensor([found.keyword_recall, found.word_recall], device=sums.device)
        self._hardware.add_up([sums])
        recall, word_recall = (sums / len(chosen)).tolist()
        return {"keyword_recall": recall, "word_recall": word_recall}

    def _mine(self, examples: Sequence[Example]) -> list[Sequence[Example]]:
        """Return this process's part in batches."""
        size = self._settings.micro_batch
        batches = [examples[begin : begin + size] for begin in range(0, len(examples), size)]
        return batches[self._hardware.rank :: self._hardware.processes]
