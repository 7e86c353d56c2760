"""What the tests of training share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from persrv.recipe import Recipe
from persrv.training.data_card import DataCard

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
