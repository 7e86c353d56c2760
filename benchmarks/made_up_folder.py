"""A made-up folder of pictures with side-cars, and a log of picks, both with power laws, for builds of any size."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.synthetic import documents
from persrv.recipe import Recipe

PACK = 25
"""Stickers of one pack, drawn in one style."""

SIDE = 64
PICKS_EACH = 10
"""Picks for each sticker, on the average; a few get most of them."""

DISK = "/var/tmp"
"""Bytes that are written to a file system in memory, as ``/tmp`` may be, are not counted by the kernel."""

_START = datetime(2026, 1, 1, tzinfo=UTC)
_MINUTES = 400 * 24 * 60


@dataclass(frozen=True, slots=True)
class MadeUpFolder:
    """A collection's sources.

    Attributes:
        folder: Holds ``stickers/``, ``picks.csv`` and ``home/``.
        seed: Another seed makes other pictures.
    """

    folder: Path
    seed: int = 0

    @property
    def recipe(self) -> Recipe:
        """The recipe that reads them."""
        content = {
            "name": "made-up",
            "stickers": {"loader": "folder", "path": str(self.folder / "stickers")},
            "meaning": {"encoder": ""},
            "interactions": [{"loader": "table", "path": str(self.folder / "picks.csv")}],
        }
        return Recipe.from_dict(content)

    @property
    def home(self) -> Path:
        """Where it is built."""
        return self.folder / "home"

    @property
    def pictures(self) -> int:
        """How many there are."""
        return sum(1 for _ in (self.folder / "stickers").rglob("*.png"))

    def add(self, first: int, count: int) -> None:
        """Write the pictures of these numbers, each with a side-car."""
        for number, texts in zip(range(first, first + count), documents(count, self.seed + first), strict=True):
            pack = self.folder / "stickers" / f"pack {number // PACK:05}"
            pack.mkdir(parents=True, exist_ok=True)
            file = pack / f"{number:07}.png"
            _draw(number, self.seed).save(file)
            file.with_suffix(".json").write_text(json.dumps(texts), encoding="utf-8")

    def add_picks(self, stickers: int, count: int, first: int = 0) -> None:
        """Append picks of the first ``stickers`` pictures to the log."""
        log = self.folder / "picks.csv"
        new = not log.exists()
        with log.open("a", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            if new:
                rows.writerow(("user", "query", "key", "time"))
            rows.writerows(_picks(stickers, count, first, self.seed))


@contextmanager
def made_up_folder(size: int, cache: Path | None) -> Iterator[MadeUpFolder]:
    """Make a folder of pictures and a log of picks, or go on with what an earlier run left in the cache.

    Args:
        size: Pictures.
        cache: Where it is kept, for all benchmarks; without one it is removed at the end.
    """
    with ExitStack() as opened:
        place = (
            cache / f"changes-{size}" if cache else Path(opened.enter_context(tempfile.TemporaryDirectory(dir=DISK)))
        )
        made = MadeUpFolder(place)
        if not (place / "picks.csv").exists():
            place.mkdir(parents=True, exist_ok=True)
            made.add(0, size)
            made.add_picks(size, size * PICKS_EACH)
        yield made


def _picks(stickers: int, count: int, first: int, seed: int) -> Iterator[tuple[str, str, str, str]]:
    rng = np.random.default_rng([seed, first, 5])
    users = rng.zipf(1.3, count) % max(stickers // 4, 2)
    chosen = (rng.zipf(1.2, count) * 7919) % stickers
    words = list(documents(200, seed + 11))
    minutes = np.sort(rng.integers(0, _MINUTES, count)) + first
    for user, number, minute in zip(users.tolist(), chosen.tolist(), minutes.tolist(), strict=True):
        query = words[(user + number) % len(words)]["tags"][0]
        key = f"pack {number // PACK:05}/{number:07}.png"
        yield f"user {user}", query, key, (_START + timedelta(minutes=minute)).isoformat()


def _draw(number: int, seed: int) -> Image.Image:
    """Draw shapes in the pack's drawing style: colours and outlines by the pack, places by the picture."""
    style = np.random.default_rng([seed, number // PACK, 6])
    chance = np.random.default_rng([seed, number, 7])
    colours = [tuple(style.integers(0, 256, 3).tolist()) for _ in range(3)]
    width = int(style.integers(0, 4))
    image = Image.new("RGB", (SIDE, SIDE), (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for place in range(6):
        x, y, w, h = chance.integers((0, 0, 8, 8), (48, 48, 40, 40)).tolist()
        shape = pen.ellipse if (number + place) % 2 else pen.rectangle
        shape((x, y, x + w, y + h), fill=colours[place % 3], outline=(0, 0, 0) if width else None, width=width)
    return image
