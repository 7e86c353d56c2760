"""A collection in which much is equal: 330 drawings of one tag, many of them several times, picked by many people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from persrv.catalog import content_id

COUNT, PAIRS, MARGINS = 330, 10, 60
"""Different drawings; those that are there a second time, twice as large; and how often one more is there, with other
margins: more often than a page has places to spare."""

COPIES = PAIRS + MARGINS

TAG = "love"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def drawing(number: int) -> Image.Image:
    """Some discs of some colours; no two numbers look alike."""
    random = np.random.default_rng(number)
    image = Image.new("RGBA", (48, 48))
    draw = ImageDraw.Draw(image)
    for _ in range(4):
        x, y = random.integers(0, 30, 2).tolist()
        draw.ellipse((x, y, x + 8 + number % 9, y + 16), fill=(*random.integers(0, 200, 3).tolist(), 255))
    return image


def write_crowd(folder: Path) -> Path:
    """Write the pictures, the picks and the recipe; return the recipe's file.

    Twenty people picked one of each pair, that with the larger id, and ten the drawing with all its margins. One person
    picked the 40 stickers from ``0100`` on, a day apart.
    """
    stickers = folder / "stickers"
    stickers.mkdir(parents=True)

    def save(name: str, picture: Image.Image) -> str:
        picture.save(stickers / f"{name}.png")
        (stickers / f"{name}.txt").write_text(f"{TAG}\n", encoding="utf-8")
        return f"{name}.png"

    rows = ["uid,query,docid,time"]

    def pick(people: int, file: str) -> None:
        rows.extend(f"fan{number},{TAG},{file},{NOW.isoformat()}" for number in range(people))

    for number in range(COUNT):
        picture = drawing(number)
        file = save(f"{number:04d}", picture)
        if number < PAIRS:
            larger = save(f"{number:04d} large", picture.resize((96, 96), Image.Resampling.BICUBIC))
            pick(20, max(file, larger, key=lambda name: content_id(stickers / name)))
        if number == PAIRS:
            for margin in range(1, MARGINS + 1):
                wider = Image.new("RGBA", (48 + margin, 48 + margin))
                wider.paste(picture, (margin // 2, margin // 3))
                pick(10, save(f"{number:04d} margin {margin}", wider))
    rows += [f"ann,{TAG},{100 + day:04d}.png,{(NOW + timedelta(days=day)).isoformat()}" for day in range(40)]
    (folder / "picks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    recipe = folder / "crowd.toml"
    recipe.write_text(
        'name = "crowd"\n[meaning]\nencoder = ""\n[stickers]\nloader = "folder"\npath = "stickers"\n'
        '[[interactions]]\nloader = "table"\npath = "picks.csv"\n'
        # The names differ, so only tags are searched: all texts are equal.
        "[text.fields.name]\nweight = 0.0\n[text.fields.queries]\nweight = 0.0\n",
        encoding="utf-8",
    )
    return recipe
