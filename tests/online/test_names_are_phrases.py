"""Names of files, folders, packs and emoji find stickers, by their words and by what they mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from persrv import Retriever, build_collection

OTHERS = ("rain cloud", "red car", "green tree", "old telephone", "tax form", "blue chair", "hammer", "mountain")


@pytest.fixture(scope="module")
def named(module_folder: Path) -> Path:
    folder = module_folder
    files = [f"stickers/{name}.png" for name in OTHERS]
    files += [
        "stickers/sleepyKitten.png",
        "stickers/birthday party/IMG_0001.png",
        "stickers/p7/0001.png",
        "stickers/_.png",
    ]
    for number, name in enumerate(files):
        picture = folder / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 24), (18 * number, 250 - 18 * number, (90 * number) % 250)).save(picture)
    (folder / "stickers/p7/title.txt").write_text("Lazy Dogs\n", encoding="utf-8")
    (folder / "stickers/_.json").write_text(json.dumps({"emoji": ["🍕"]}), encoding="utf-8")
    recipe = folder / "named.toml"
    recipe.write_text(
        'name = "named"\n[stickers]\nloader = "folder"\npath = "stickers"\n[meaning]\nencoder = "use"\n',
        encoding="utf-8",
    )
    assert build_collection(recipe, home=folder / "home").skipped == ()
    return recipe


@pytest.mark.parametrize(
    ("query", "reason", "file"),
    [
        ("sleepy", "matched", "sleepyKitten.png"),
        (":sleepyKitten:", "matched", "sleepyKitten.png"),
        ("drowsy feline", "meaning", "sleepyKitten.png"),
        ("party", "matched", "IMG_0001.png"),
        ("celebration", "meaning", "IMG_0001.png"),
        ("dogs", "matched", "0001.png"),
        ("puppy", "meaning", "0001.png"),
        ("pizza", "matched", "_.png"),
        ("披萨", "matched", "_.png"),
        ("italian food", "meaning", "_.png"),
    ],
)
def test_a_name_finds_its_sticker(named: Path, query: str, reason: str, file: str) -> None:
    with Retriever.open(named, home=named.parent / "home") as retriever:
        answer = retriever.search(query)
        assert (answer.reason, answer[0].path and answer[0].path.name) == (reason, file)
