"""A small real collection: pictures in three drawing styles, picks of two people."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from persrv.online.retriever import Retriever
from persrv.recipe import Recipe
from sparse_files import copy_sparse

MEANINGS = {
    "happy": ("😀", "开心"),
    "sad": ("😢", "难过"),
    "love": ("❤️", "爱"),
    "cat": ("🐱", "猫"),
    "dog": ("🐶", "狗"),
    "party": ("🎉", "庆祝"),
    "sleep": ("😴", "睡觉"),
    "angry": ("😠", "生气"),
    "coffee": ("☕", "咖啡"),
    "rain": ("🌧️", "下雨"),
}
STYLES = ("flat", "line", "soft")


def draw(meaning: str, style: str, file: Path) -> None:
    """Draw a disc with squares in it: which squares depends on the meaning, how they look on the style."""
    number = list(MEANINGS).index(meaning)
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    box, black = (4, 4, 60, 60), (0, 0, 0, 255)
    squares = [(16 + 12 * (i % 3), 16 + 12 * (i // 3)) for i in range(9) if (number * 37 + 21) >> i & 1]
    if style == "flat":
        pen.ellipse(box, fill=(250, 200 - 9 * number, 40 + 20 * number, 255))
        for x, y in squares:
            pen.rectangle((x, y, x + 9, y + 9), fill=(90, 40, 20, 255))
    elif style == "line":
        pen.ellipse(box, outline=black, width=3)
        for x, y in squares:
            pen.rectangle((x, y, x + 9, y + 9), outline=black, width=3)
    else:
        pen.ellipse(box, fill=(60 + 10 * number, 120, 220, 160))
        for x, y in squares:
            pen.rectangle((x, y, x + 9, y + 9), fill=(240, 250, 255, 220))
        image = image.filter(ImageFilter.GaussianBlur(2))
    image.save(file)


def write_collection(folder: Path) -> Path:
    """Write pictures with side-cars, picks of two people, and the recipe; return the recipe's file."""
    for style in STYLES:
        (folder / "stickers" / style).mkdir(parents=True)
        for meaning, (emoji, chinese) in MEANINGS.items():
            file = folder / "stickers" / style / f"{meaning}.png"
            draw(meaning, style, file)
            texts = {"tags": [meaning, chinese], "emoji": [emoji], "style": style, "rating": "safe"}
            file.with_suffix(".json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = ["uid,query,docid,time"]
    for number, meaning in enumerate(list(MEANINGS)[:6]):
        for user, style in (("ann", "line"), ("bo", "flat")):
            when = (start + timedelta(hours=number)).isoformat()
            rows.append(f"{user},{meaning},{style}/{meaning}.png,{when}")
    (folder / "picks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    recipe = folder / "tiny.toml"
    recipe.write_text(
        'name = "tiny"\n[meaning]\nencoder = ""\n[stickers]\nloader = "folder"\npath = "stickers"\n'
        '[[interactions]]\nloader = "table"\npath = "picks.csv"\n',
        encoding="utf-8",
    )
    return recipe


@dataclass(frozen=True)
class Tiny:
    """The collection's recipe, and the home that holds its data."""

    file: Path
    home: Path

    @property
    def recipe(self) -> Recipe:
        return Recipe.read(self.file)

    def open(self) -> Retriever:
        return Retriever.open(self.file, home=self.home)

    def copied(self, folder: Path) -> Tiny:
        """Return a copy in ``folder``, index and all, as if it had been built there."""
        shutil.copytree(self.file.parent, folder, copy_function=copy_sparse)
        copy = Tiny(folder / self.file.name, folder / "home")
        for file in copy.home.glob("*/catalog.db"):
            with closing(sqlite3.connect(file)) as database, database:
                for place in ("placements SET path = replace(path", "notes SET key = replace(key"):
                    database.execute(f"UPDATE {place}, ?, ?)", (f"{self.file.parent}/", f"{folder}/"))
        return copy
