"""Checkpoints: everything that the next update depends on."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from persrv.errors import RecipeError
from persrv.training.saving import disk_faults

FOLDER = "checkpoints"
_KEPT = 2
"""Newest checkpoints that stay; the last may be cut off by a full disk."""


@dataclass(slots=True)
class State:
    """How far training is.

    Attributes:
        step: Updates made.
        best: Best validation figure so far, less is better; ``None`` before the first.
        best_step: When it was reached.
        metrics: Figures of the best validation, by name.
    """

    step: int = 0
    best: float | None = None
    best_step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


def trained_weights(model: Any) -> dict[str, torch.Tensor]:
    """Return the weights that are trained, by name, on the CPU."""
    return {name: weight.detach().cpu() for name, weight in model.named_parameters() if weight.requires_grad}


def save(folder: Path, state: State, model: Any, parts: dict[str, Any]) -> None:
    """Write a checkpoint so that it is there wholly or not at all, and delete old ones.

    Args:
        folder: The run's folder.
        state: How far training is.
        model: Its trained weights are kept; the base model's are not.
        parts: Name to optimizer, schedule, gradient scaler.

    Raises:
        OSError: The folder cannot be written.
    """
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    content = {"state": asdict(state), "weights": trained_weights(model)}
    content |= {name: part.state_dict() for name, part in parts.items()}
    file = place / f"step-{state.step:07d}.pt"
    unfinished = file.with_suffix(".part")
    try:
        with disk_faults():
            torch.save(content, unfinished)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    for old in _files(folder)[:-_KEPT]:
        old.unlink()


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint of a folder."""
    return max(_files(folder), default=None)


def read(file: Path | None) -> dict[str, Any] | None:
    """Return what a checkpoint holds.

    Raises:
        RecipeError: It cannot be read.
    """
    if file is None:
        return None
    try:
        # Only tensors and plain values are read: a checkpoint cannot run code.
        return dict(torch.load(file, map_location="cpu", weights_only=True))
    # A file that was cut off fails in as many ways as it has parts.
    except Exception as error:
        raise _unreadable(file, error) from error


def restore(content: dict[str, Any] | None, model: Any, parts: dict[str, Any], file: Path | None = None) -> State:
    """Put a checkpoint's content into model and parts; a fresh state where there is none.

    Args:
        content: What :func:`read` returned, perhaps in another process.
        model: Its trained weights are set.
        parts: Name to optimizer, schedule, gradient scaler.
        file: Where the content comes from, for messages.

    Raises:
        RecipeError: The content does not fit.
    """
    if content is None:
        return State()
    try:
        weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        with torch.no_grad():
            for name, value in content["weights"].items():
                weights[name].copy_(value)
        for name, part in parts.items():
            part.load_state_dict(content[name])
        return State(**content["state"])
    # Weights, optimizer and schedule each complain in their own way.
    except Exception as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path | None, error: Exception) -> RecipeError:
    return RecipeError(
        f"the checkpoint {file} cannot be read: {type(error).__name__}", "delete it; the one before it is used"
    )


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in (folder / FOLDER).glob("step-*.pt") if re.fullmatch(r"step-\d{7,}", file.stem))
