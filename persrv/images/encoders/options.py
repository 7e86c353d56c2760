"""What a recipe may tell an encoder, and packages that an encoder may need."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from persrv.errors import MissingExtraError, RecipeError

Option = str | int | float | bool


class Options:
    """An encoder's options, each asked for with the type that it must have.

    Args:
        encoder: Whose options they are, for messages.
        given: What the recipe says.
        known: Every name that the encoder understands.

    Raises:
        RecipeError: The recipe says something that the encoder does not know.
    """

    def __init__(self, encoder: str, given: Mapping[str, Option], known: Collection[str]) -> None:
        self._encoder = encoder
        self._given = given
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise RecipeError(
                f"image.options: {encoder} knows no option {unknown[0]!r}",
                f"use {', '.join(sorted(known))}" if known else "leave it out",
            )

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number in ``low`` to ``high``.

        Raises:
            RecipeError: It is anything else.
        """
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._impossible(name, value, f"give a whole number from {low} to {high}")
        return value

    def text(self, name: str, default: str, allowed: Collection[str] = ()) -> str:
        """Return a text; one of ``allowed`` where that is not empty.

        Raises:
            RecipeError: It is anything else.
        """
        value = self._given.get(name, default)
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise self._impossible(name, value, f"use one of {', '.join(allowed)}" if allowed else "give a text")
        return value

    def _impossible(self, name: str, value: Option, next_step: str) -> RecipeError:
        return RecipeError(f"image.options: {self._encoder} cannot use {name} = {value!r}", next_step)


@contextmanager
def needs(extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import of an optional package into the advice to install it.

    Raises:
        MissingExtraError: An import inside the block failed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(purpose, extra) from error
