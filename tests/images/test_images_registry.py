"""Encoders by name."""

from __future__ import annotations

import pytest

from persrv.errors import RecipeError
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import ENCODERS, encoder


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_keeps_the_protocol(name: str) -> None:
    made = encoder(name)
    assert isinstance(made, ImageEncoder)
    assert made.name == name
    assert made.encode([]).shape == (0, made.dimension)
    assert made.licence
    assert made.purpose in ("style", "content")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"'clip'; use one of .*statistics"):
        encoder("clip")
