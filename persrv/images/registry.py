"""Which image encoders a recipe can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from persrv.errors import RecipeError
from persrv.images.encoder import ImageEncoder


def _statistics() -> ImageEncoder:
    from persrv.images.statistics import StatisticsEncoder

    return StatisticsEncoder()


ENCODERS: Mapping[str, Callable[[], ImageEncoder]] = MappingProxyType({"statistics": _statistics})
"""Name to factory; a factory imports what it needs, so that one encoder's packages are no burden to another."""


def encoder(name: str) -> ImageEncoder:
    """Return the image encoder that a recipe names.

    Raises:
        RecipeError: There is none of this name.
    """
    try:
        make = ENCODERS[name]
    except KeyError:
        raise RecipeError(
            f"image.encoder: there is no image encoder {name!r}", f"use one of {', '.join(sorted(ENCODERS))}"
        ) from None
    return make()
