"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from persrv.errors import RecipeError, SourceError
from persrv.indexing.progress import Advance
from persrv.reading.describe.generating import TEMPLATE_QUESTION, Chat
from persrv.reading.describe.model_folder import weights_fingerprint
from persrv.reading.describe.pretrained import load_processor
from persrv.reading.describe.provenance import Provenance
from persrv.reading.describe.quiet import quiet
from persrv.reading.describe.transformers_model import DEFAULT_MODEL
from persrv.training.adapter import save_adapter
from persrv.training.base import adapted_model, processor_of
from persrv.training.checkpoint import newest_checkpoint, read, restore, save
from persrv.training.collating import Collator
from persrv.training.data_card import DataCard
from persrv.training.examples import Example
from persrv.training.hardware import Hardware
from persrv.training.log import TrainingLog
from persrv.training.loss import answer_loss
from persrv.training.order import micro_batches, step_examples, steps_per_epoch
from persrv.training.prefetch import prefetched
from persrv.training.settings import TrainingSettings
from persrv.training.validating import Validator

_STEP_SEED = 1
"""Tells the seeds of updates from that of the adapter's first weights."""


class Trainer:
    """One training, from its newest checkpoint on.

    Args:
        data: The prepared data.
        folder: Where adapter, log and checkpoints go.
        base: The base model's folder.
        settings: How.
        card: Of the data.
        train: Examples to learn.
        validation: Examples to choose the best adapter by.

    Attributes:
        steps: Updates of the whole training.
        state: How far it is.
        too_long: Examples left out for their length.

    Raises:
        RecipeError: The model cannot be used here.
        SourceError: No example is short enough.
    """

    def __init__(
        self,
        data: Path,
        folder: Path,
        base: Path,
        settings: TrainingSettings,
        card: DataCard,
        train: Sequence[Example],
        validation: Sequence[Example],
    ) -> None:
        self._folder, self._base, self._settings, self._card = folder, base, settings, card
        self._hardware = Hardware(settings)
        processor = processor_of(base)
        self._collator = Collator(processor, data)
        with quiet():
            sizes = self._collator.sizes(train)
        fitting = [i for i, size in enumerate(sizes) if size.tokens <= settings.max_length]
        if not fitting:
            raise SourceError(
                f"every example has more than max_length = {settings.max_length} tokens, the shortest "
                f"{min(size.tokens for size in sizes)}",
                "set a larger max_length",
            )
        self._examples = [train[i] for i in fitting]
        self._sizes = [sizes[i] for i in fitting]
        self.too_long = len(train) - len(fitting)
        self._per_epoch = steps_per_epoch(len(fitting), settings.batch)
        self.steps = settings.epochs * self._per_epoch
        self.steps = min(self.steps, settings.max_steps) if settings.max_steps else self.steps
        self._model = adapted_model(base, settings, self._hardware)
        self._weights = [weight for weight in self._model.parameters() if weight.requires_grad]
        self._parts = self._optimisation()
        # The first process alone reads: on other hosts the folder may be another one.
        file = newest_checkpoint(folder) if self._hardware.rank == 0 else None
        self.state = restore(self._hardware.from_first(read(file)), self._model, self._parts, file)
        self._template = Chat(processor).prompt(TEMPLATE_QUESTION)
        self._validator = Validator(validation, data, self._collator, load_processor(base), settings, self._hardware)

    def run(self, advance: Advance) -> None:
        """Make the updates that are missing.

        Args:
            advance: Called with 1 after each.
        """
        first = self._hardware.rank == 0
        log = TrainingLog(self._folder, self.state.step) if first else None
        # Around everything: a thread must not change what is held back while another one counts on it.
        with quiet():
            if not self.state.step:
                self._validate(log)
            self._model.train()
            chunks = (chunk for step in range(self.state.step, self.steps) for chunk in self._chunks(step))
            with closing(prefetched(chunks, self._maker, self._hardware.collating)) as batches:
                self._train(batches, log, advance)
        self._hardware.wait()

    def _train(self, batches: Iterator[Any], log: TrainingLog | None, advance: Advance) -> None:
        first = self._hardware.rank == 0
        while self.state.step < self.steps:
            started = time.monotonic()
            loss, tokens = self._update(self.state.step, batches)
            self.state.step += 1
            done = self.state.step == self.steps
            if not math.isfinite(loss):
                folder = ", and train into another folder" if newest_checkpoint(self._folder) else ""
                raise RecipeError(
                    f"the loss became {loss} at update {self.state.step}",
                    f'set a smaller learning_rate or precision = "float32"{folder}',
                )
            if log and (self.state.step % self._settings.log_every == 0 or done):
                log.add(
                    step=self.state.step,
                    epoch=self.state.step / self._per_epoch,
                    learning_rate=self._parts["schedule"].get_last_lr()[0],
                    loss=loss,
                    tokens_per_s=tokens / (time.monotonic() - started),
                )
            if done or self.state.step % (self._settings.validate_every or self._per_epoch) == 0:
                self._validate(log)
            if first and (done or self.state.step % self._settings.checkpoint_every == 0):
                save(self._folder, self.state, self._model, self._parts)
            advance(1)

    def _chunks(self, step: int) -> list[list[int]]:
        """Return the numbers of the examples of one update's micro-batches in this process."""
        chosen = step_examples(len(self._examples), self._settings.batch, step, self._settings.seed)
        cut = micro_batches(chosen, [size.tokens for size in self._sizes], self._settings.micro_batch)
        return cut[self._hardware.rank :: self._hardware.processes]

    def _maker(self) -> Callable[[list[int]], dict[str, torch.Tensor]]:
        collator = self._collator.copied()
        return lambda numbers: collator([self._examples[i] for i in numbers])

    def _optimisation(self) -> dict[str, Any]:
        from transformers import get_scheduler

        settings = self._settings
        optimizer = torch.optim.AdamW(self._weights, settings.learning_rate, weight_decay=settings.weight_decay)
        schedule = get_scheduler(settings.schedule, optimizer, round(settings.warmup * self.steps), self.steps)
        half = self._hardware.machine.dtype is torch.float16
        return {
            "optimizer": optimizer,
            "schedule": schedule,
            "scaler": torch.amp.GradScaler(self._hardware.device.type, enabled=half),
        }

    def _update(self, step: int, batches: Iterator[dict[str, torch.Tensor]]) -> tuple[float, int]:
        """Make one update and return its loss, a token, and the tokens that this process saw."""
        hardware, settings = self._hardware, self._settings
        hardware.seed(settings.seed, _STEP_SEED, step, apart=True)
        chosen = step_examples(len(self._examples), settings.batch, step, settings.seed)
        answers = sum(self._sizes[i].answer for i in chosen)
        scaler, optimizer = self._parts["scaler"], self._parts["optimizer"]
        total, tokens = torch.zeros((), device=hardware.device), 0
        optimizer.zero_grad(set_to_none=False)
        for numbers in self._chunks(step):
            batch = hardware.to_device(next(batches))
            with hardware.autocast():
                loss = answer_loss(self._model, batch) / answers
            scaler.scale(loss).backward()
            total += loss.detach()
            tokens += sum(self._sizes[i].tokens for i in numbers)
        self._share(total)
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(self._weights, settings.clip)
        scaler.step(optimizer)
        scaler.update()
        self._parts["schedule"].step()
        return float(total), tokens

    def _share(self, loss: torch.Tensor) -> None:
        """Add up gradients and loss over all processes, one of which may have had no batch."""
        if self._hardware.processes == 1:
            return
        for weight in self._weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        self._hardware.add_up([loss, *(weight.grad for weight in self._weights if weight.grad is not None)])

    def _validate(self, log: TrainingLog | None) -> None:
        figures = self._validator(self._model)
        if log:
            log.add(step=self.state.step, epoch=self.state.step / self._per_epoch, **figures)
        by_recall = self._settings.best_by == "recall" and "keyword_recall" in figures
        value = -figures["keyword_recall"] if by_recall else figures["validation_loss"]
        if self.state.best is not None and value >= self.state.best:
            return
        self.state.best, self.state.best_step, self.state.metrics = value, self.state.step, figures
        if self._hardware.rank:
            return
        provenance = Provenance(
            base=self._settings.model or DEFAULT_MODEL,
            base_files=weights_fingerprint(self._base),
            data=self._card.fingerprint,
            prompt=self._card.prompt,
            language=self._card.language,
            template=self._template,
            settings=self._settings.model_dump(),
            metrics=figures,
        )
        save_adapter(self._model, self._folder, provenance, self._card, self._base)
