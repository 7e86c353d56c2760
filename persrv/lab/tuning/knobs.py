"""The weights of a recipe that can be learnt: their names, and what to try instead of a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from persrv.recipe import Recipe

GAMMA, MEANING = "ranking.gamma", "meaning.weight"
PICKS = ("ranking.omega", "ranking.delta", "ranking.own")

_FACTORS = (0.0, 0.5, 0.7, 1.4, 2.0)
_FROM_NOTHING = (0.1, 0.3, 1.0)
_STEPS = (-0.3, -0.1, 0.1, 0.3)


def knobs(recipe: Recipe, fields: Iterable[str]) -> list[str]:
    """Return the dotted keys of the weights that can matter.

    Args:
        recipe: Meaning counts where it names a text encoder.
        fields: Text fields that some sticker has.
    """
    found = [f"text.fields.{field}.weight" for field in sorted(set(fields))]
    return [*found, "ranking.beta", GAMMA, *PICKS, *([MEANING] if recipe.meaning.encoder else [])]


def value_of(recipe: Recipe, key: str) -> float:
    """Return the value under a dotted key."""
    found: Any = recipe.model_dump()
    for part in key.split("."):
        found = found[part]
    return found if isinstance(found, int) else float(found)


def with_values(recipe: Recipe, values: dict[str, float]) -> Recipe:
    """Return the recipe with other values under dotted keys, checked.

    Raises:
        RecipeError: A value is out of its range.
    """
    content = recipe.model_dump()
    for key, value in values.items():
        place, *parts = content, *key.split(".")
        for part in parts[:-1]:
            place = place[part]
        place[parts[-1]] = value
    return Recipe.from_dict(content, recipe.file)


def proposals(key: str, value: float) -> list[float]:
    """Return other values to try, ascending, within the key's range, rounded to three digits.

    A share is moved by steps and stays in [0, 1]; other weights are moved by factors, and switched off or on.

    Args:
        key: One of :func:`knobs`.
        value: Its present value.
    """
    if key == GAMMA:
        tried = {min(1.0, max(0.0, value + step)) for step in _STEPS}
    else:
        tried = {value * factor for factor in _FACTORS} if value else set(_FROM_NOTHING)
    return sorted({float(f"{one:.3g}") for one in tried} - {value})
