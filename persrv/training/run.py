"""Training an adapter: ``persrv train run``."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persrv.errors import RecipeError
from persrv.indexing.progress import Progress, Silent
from persrv.training.data_card import DataCard
from persrv.training.examples import data_fingerprint, read_examples
from persrv.training.settings import FREE, TrainingSettings

_RUN = "run.json"


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
    data: str | Path, folder: str | Path, settings: TrainingSettings | None = None, *, progress: Progress | None = None
) -> TrainingReport:
    """Train a LoRA adapter, or go on where an interrupted call stopped.

    On a CPU, a call that goes on gives, bit for bit, what an uninterrupted one would have given on the same machine;
    some operations of GPUs add in an order of their own. Call it from every process of ``accelerate launch``; the
    first one writes, and tells the others where to go on.

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
    from persrv.training import check_packages

    data, folder = Path(data), Path(folder)
    settings = settings or TrainingSettings()
    started = time.monotonic()
    check_packages()
    card = DataCard.read(data)
    train_examples, validation = read_examples(data, "train"), read_examples(data, "validation")

    from persrv.reading.describe.machine import out_of_memory
    from persrv.training.base import base_folder, memory_error
    from persrv.training.checkpoint import newest_checkpoint
    from persrv.training.log import draw_losses
    from persrv.training.saving import unwritable
    from persrv.training.trainer import Trainer

    base = base_folder(settings)
    try:
        first = int(os.environ.get("RANK", "0")) == 0
        if first:
            check_folder(folder, training_identity(data, base, settings))
        trainer = Trainer(data, folder, base, settings, card, train_examples, validation)
        resumed_at = trainer.state.step
        # A start that fails until here leaves the folder as it was.
        if first:
            _claim(folder, training_identity(data, base, settings))
        with (progress or Silent()).stage("training", trainer.steps) as advance:
            advance(resumed_at)
            trainer.run(advance)
        if first:
            draw_losses(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):
            raise memory_error(settings, begun=newest_checkpoint(folder) is not None) from error
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


def training_identity(data: Path, base: Path, settings: TrainingSettings) -> dict[str, Any]:
    """Return what must be the same for a training to go on."""
    from persrv.reading.describe.model_folder import folder_fingerprint

    fixed = settings.model_dump(mode="json", exclude=set(FREE))
    return {"data": data_fingerprint(data), "base": folder_fingerprint(base), **fixed}


def check_folder(folder: Path, identity: dict[str, Any]) -> None:
    """Check that a folder is free, holds this very training, or one that has made no update yet.

    Raises:
        RecipeError: It is another's.
    """
    from persrv.training.checkpoint import newest_checkpoint

    file = folder / _RUN
    if not file.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise RecipeError(f"{folder} is not empty and holds no training", "give another folder")
        return
    try:
        known = dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise RecipeError(f"{file} cannot be read: {error}", "give another folder, or delete this one") from error
    changed = sorted(key for key in identity if known.get(key) != identity[key])
    if changed and newest_checkpoint(folder):
        raise RecipeError(
            f"{folder} holds a training that differs in {', '.join(changed)}", "give another folder, or delete this one"
        )


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Make a folder this training's own.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = (folder / _RUN).with_suffix(".part")
    unfinished.write_text(json.dumps(identity, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(folder / _RUN)
