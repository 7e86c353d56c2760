"""The loader that the how-to page shows does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from persrv.offline.loading import load
from persrv.recipe import Recipe
from persrv.records import Skipped, SourcePick, SourceSticker
from repository import ROOT

PAGE = ROOT / "docs" / "how-to" / "write-a-loader.md"


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, name
    return found[1]


def test_the_page_is_true(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(block("loader"), encoding="utf-8")
    (tmp_path / "shop.txt").write_text(block("source"), encoding="utf-8")
    recipe_file = tmp_path / "shop.toml"
    recipe_file.write_text(block("recipe").replace('"shop"\npath', '"shop.py"\npath'), encoding="utf-8")
    recipe = Recipe.read(recipe_file)
    message = []
    for item in load(recipe.stickers[0], recipe).stickers():
        if isinstance(item, SourceSticker):
            assert item.path == tmp_path / item.key
            assert item.pack == "Spring sale"
            message.append(f"sticker {item.key}: {', '.join(item.semantics.tags)}")
        else:
            message.append(f"skipped {item.key}: {item.reason}")
    for pick in load(recipe.interactions[0], recipe).interactions():
        assert not isinstance(pick, Skipped)
        message.append(f"pick {pick.key} by {pick.user}")
    assert message == block("output").splitlines()


def test_the_loader_is_short() -> None:
    assert len([line for line in block("loader").splitlines() if line.strip()]) <= 20
    assert SourcePick.__name__ in block("loader")
