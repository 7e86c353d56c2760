"""Training an adapter: ``persrv train run``."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from persrv.errors import RecipeError, SourceError
from persrv.indexing.progress import Progress, Silent
from persrv.training.data_card import DataCard
from persrv.training.examples import data_fingerprint, read_examples
from persrv.training.settings import TrainingSettings

_RUN = "run.json"
_FREE = {"device", "micro_batch", "gradient_checkpointing", "checkpoint_every", "log_every"}
"""Settings that a training may go on with changed: they decide where and how fast, not what is learnt."""


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training did.

    Attributes:
        folder: The adapter.
        steps: Updates in all.
        resumed_at: Updates that an earlier call had made.
        best_step: When the kept adapter was reached; 0 where training never helped.
        metrics: Its figures on the validation stickers.
        stickers: Training examples.
        too_long: Examples left out for their length.
        seconds: Time that this call took.
    """

    folder: Path
    steps: int
    resumed_at: int
    best_step: int
    metrics: dict[str, float]
    stickers: int
    too_long: int
    seconds: float


def train(
    data: Path, folder: Path, settings: TrainingSettings | None = None, *, progress: Progress | None = None
) -> TrainingReport:
    """Train a LoRA adapter, or go on where an interrupted call stopped.

    A call that goes on gives, bit for bit, what an uninterrupted one would have given on the same machine. Call it
    from every process of ``accelerate launch``; the first one validates and writes.

    Args:
        data: What :func:`persrv.training.prepare` made.
        folder: Where the adapter goes; it always holds the best one so far.
        settings: Default: those of the paper's authors.
        progress: Shows how far it is.

    Raises:
        RecipeError: The base model cannot be used, the settings are impossible here, memory ran out, or ``folder``
            holds a training with other data or settings.
        SourceError: The data is not there, or the folder cannot be written.
        MissingExtraError: Packages of the extra ``train`` are missing.
    """
    from persrv.training.packages import check_packages

    settings = settings or TrainingSettings()
    started = time.monotonic()
    check_packages()
    card = DataCard.read(data)
    train_examples, validation = read_examples(data, "train"), read_examples(data, "validation")

    from persrv.reading.describe.machine import out_of_memory
    from persrv.training.base import base_folder, memory_error
    from persrv.training.log import draw_losses
    from persrv.training.trainer import Trainer

    base = base_folder(settings)
    try:
        first = int(os.environ.get("RANK", "0")) == 0
        if first:
            _claim(folder, data, base, settings)
        trainer = Trainer(data, folder, base, settings, card, train_examples, validation)
        resumed_at = trainer.state.step
        with (progress or Silent()).stage("training", trainer.steps) as advance:
            advance(resumed_at)
            trainer.run(advance)
        if first:
            draw_losses(folder)
    except OSError as error:
        raise SourceError(f"{folder} cannot be written: {error}", "give another folder") from error
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            raise memory_error(settings) from error
        raise
    state = trainer.state
    return TrainingReport(
        folder,
        trainer.steps,
        resumed_at,
        state.best_step,
        state.metrics,
        len(train_examples) - trainer.too_long,
        trainer.too_long,
        time.monotonic() - started,
    )


def _claim(folder: Path, data: Path, base: Path, settings: TrainingSettings) -> None:
    """Make the folder this training's own.

    Raises:
        RecipeError: It is another's.
        OSError: It cannot be written.
    """
    from persrv.reading.describe.model_folder import fingerprint

    told = {"data": data_fingerprint(data), "base": fingerprint(base), **settings.model_dump(exclude=_FREE)}
    identity = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    file = folder / _RUN
    if file.is_file():
        known = json.loads(file.read_text(encoding="utf-8"))
        if known.get("identity") == identity:
            return
        changed = sorted(key for key in told if known.get("told", {}).get(key) != told[key])
        raise RecipeError(
            f"{folder} holds a training that differs in {', '.join(changed)}", "give another folder, or delete this one"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise RecipeError(f"{folder} is not empty and holds no training", "give another folder")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps({"identity": identity, "told": told}, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(file)
