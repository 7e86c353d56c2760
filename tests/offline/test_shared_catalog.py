"""Several recipes on one catalog: each keeps to its own stickers, and no build touches another's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from persrv.offline import build_collection
from persrv.online.retriever import Retriever
from persrv.recipe import Recipe
from tiny_collection import Tiny


@pytest.fixture
def recipes(tiny_built: Tiny, tmp_path: Path) -> tuple[Recipe, Recipe]:
    """``x`` has the flat drawings, ``y`` the soft ones and one of ``x``'s under the same name with other texts."""
    drawn = tiny_built.file.parent / "stickers"
    shutil.copytree(drawn / "flat", tmp_path / "x" / "pack")
    shutil.copytree(drawn / "soft", tmp_path / "y" / "pack")
    for name in ("cat.png", "cat.json"):
        shutil.copy(drawn / "flat" / name, tmp_path / "y" / "pack" / name)
    (tmp_path / "y" / "pack" / "cat.json").write_text(json.dumps({"tags": ["tiger"]}))

    def recipe(name: str) -> Recipe:
        content = {"name": name, "catalog": {"url": f"sqlite:///{tmp_path / 'shared.db'}"}, "meaning": {"encoder": ""}}
        return Recipe.from_dict(content | {"stickers": {"loader": "folder", "path": str(tmp_path / name)}})

    return recipe("x"), recipe("y")


def test_two_recipes_keep_to_their_own_stickers(recipes: tuple[Recipe, Recipe], tmp_path: Path) -> None:
    x, y = recipes
    home = tmp_path / "home"
    assert build_collection(x, home=home).stickers == 10
    for recipe in (y, x, y):
        report = build_collection(recipe, home=home)
        assert (report.stickers, report.removed) == (10, 0)
        assert report.manifest is not None and report.manifest.stickers == 10
    with Retriever.open(x, home=home) as flat, Retriever.open(y, home=home) as soft:
        assert [hit.payload["style"] for hit in flat.search("sad")] == ["flat"]
        assert [hit.payload["style"] for hit in soft.search("sad")] == ["soft"]
        (theirs,) = flat.search("cat", filters={"tags": "cat"})
        (ours,) = soft.search("tiger", filters={"tags": "tiger"})
        assert theirs.sticker_id == ours.sticker_id
        assert theirs.path == tmp_path / "x" / "pack" / "cat.png" and ours.path == tmp_path / "y" / "pack" / "cat.png"
        assert "tiger" not in theirs.payload["semantics"] and "猫" not in ours.payload["semantics"]


def test_own_latest_stickers_are_of_the_collection(recipes: tuple[Recipe, Recipe], tmp_path: Path) -> None:
    x, y = recipes
    home = tmp_path / "home"
    for recipe in recipes:
        build_collection(recipe, home=home)
    with Retriever.open(x, home=home) as flat, Retriever.open(y, home=home) as soft:
        for hit in flat.search("", limit=9):
            flat.record("ann", "", hit.sticker_id)
        sad = soft.search("sad")[0].sticker_id
        soft.record("ann", "", sad)
        for hit in flat.search("", limit=9):
            flat.record("ann", "", hit.sticker_id)
        assert soft.search("", "ann")[0].sticker_id == sad


def test_a_source_that_left_one_recipe_is_missed_by_that_one_alone(
    recipes: tuple[Recipe, Recipe], tmp_path: Path
) -> None:
    x, y = recipes
    home = tmp_path / "home"
    for recipe in recipes:
        build_collection(recipe, home=home)
    for name in ("cat", "dog", "sad"):
        (tmp_path / "x" / "pack" / f"{name}.png").unlink()
    assert build_collection(x, home=home).removed == 3
    report = build_collection(y, home=home)
    assert (report.stickers, report.removed) == (10, 0)
