"""How messages call a setting: by its key in a recipe, by the option that was typed, or by its key in a file."""

from __future__ import annotations

from collections.abc import Callable

SettingNames = Callable[[str], str]
"""From a setting's key, such as ``"four_bit"``, to the name that the person who gave it knows it by."""


def recipe_key(key: str) -> str:
    """Return ``"describe.four_bit"``: the setting stands in a recipe."""
    return f"describe.{key}"


def option(key: str) -> str:
    """Return ``"--four-bit"``: the setting was given to a command."""
    return f"--{key.replace('_', '-')}"


def training_key(key: str) -> str:
    """Return ``"four_bit"``: the setting is one of training, whose command has an option of the same name."""
    return key
