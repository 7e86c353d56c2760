"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persrv.recipe import Recipe
from persrv.training.data_card import DataCard
from persrv.training.settings import TrainingSettings

PROMPT = "What do people type for it?"


@dataclass(frozen=True)
class Prepared:
    """Training data of the drawn collection, and what was made from it."""

    data: Path
    card: DataCard
    base: Path


def asking(recipe: Recipe) -> Recipe:
    """The recipe with a short prompt, so that the tiny model has little to read."""
    return recipe.model_copy(update={"describe": recipe.describe.model_copy(update={"prompt": PROMPT})})


def quick_settings(prepared: Prepared, **more: Any) -> TrainingSettings:
    """Settings with which the tiny model learns within seconds, or others."""
    given: dict[str, Any] = {
        "model": str(prepared.base),
        "whole": ("multi_modal_projector", "embed_tokens", "lm_head"),
        "r": 16,
        "learning_rate": 1e-2,
        "dropout": 0.1,
        "epochs": 30,
        "validate_every": 10_000,
        "batch": 4,
        "micro_batch": 3,
        "validation_answers": 0,
        "checkpoint_every": 3,
        "log_every": 1,
    }
    return TrainingSettings(**(given | more))


class StopsAt:
    """A progress that interrupts, as Ctrl-C does, after some updates."""

    def __init__(self, updates: int) -> None:
        self._left = updates

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        def advance(done: int) -> None:
            self._left -= done
            if self._left <= 0:
                raise KeyboardInterrupt

        yield advance
