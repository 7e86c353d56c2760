"""Hits, answers and picture files made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from persrv.records import Explanation, Hit

MakeHit = Callable[..., Hit]


@pytest.fixture
def make_hit() -> MakeHit:
    def make(
        rank: int = 1,
        title: str = "joy",
        path: Path | None = None,
        text: float = 2.0,
        utility: float = 1.0,
        style_factor: float = 1.0,
        centroid: int | None = None,
        matched: Mapping[str, float] | None = None,
        **payload: Any,
    ) -> Hit:
        explanation = Explanation(text, 0.5, utility, style_factor - 1, style_factor, centroid, matched or {})
        shown = {"title": title, "pack": ["Noto Emoji"], "style": "noto", "emoji": ["😂"], **payload}
        return Hit(rank, f"{rank:032x}"[::-1], text * utility * style_factor, path, shown, explanation)

    return make


@pytest.fixture
def still(tmp_path: Path) -> Path:
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((10, 5, 29, 24), fill=(250, 10, 20, 255))
    path = tmp_path / "still.png"
    image.save(path)
    return path


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    frames = [Image.new("RGBA", (32, 32), (0, 0, 0, 0)) for _ in range(3)]
    for number, frame in enumerate(frames[1:], 1):
        ImageDraw.Draw(frame).rectangle((0, 0, 10 * number, 31), fill=(0, 90 * number, 200, 255))
    path = tmp_path / "moving.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0, lossless=True)
    return path
