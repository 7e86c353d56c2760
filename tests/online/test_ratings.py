"""Unsafe stickers come only where somebody asked for them; what nobody rated always comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from persrv import Retriever, build_collection
from persrv.cli import app
from persrv.errors import QueryError
from persrv.online.request import parse_filters

RECIPE = """
name = "rated"
[stickers]
loader = "folder"
path = "pics"
"""


@pytest.fixture(scope="module")
def folder(module_folder: Path) -> Path:
    base = module_folder
    (base / "pics").mkdir()
    for seed, rating in enumerate(("safe", "unsafe", "")):
        name = f"party {rating or 'unrated'}"
        blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        picture = Image.fromarray(blocks).resize((64, 64), Image.Resampling.NEAREST)
        picture.save(base / f"pics/{name}.png")
        (base / f"pics/{name}.json").write_text(json.dumps({"rating": rating, "tags": "beach"}))
    (base / "rated.toml").write_text(RECIPE)
    build_collection(base / "rated.toml", home=base / "home")
    return base


@pytest.fixture
def retriever(folder: Path) -> Iterator[Retriever]:
    with Retriever.open(folder / "rated.toml", home=folder / "home") as opened:
        yield opened


def names(answer: object) -> set[str]:
    return {hit.title.removeprefix("party ") for hit in answer}  # type: ignore[attr-defined]


@pytest.mark.parametrize("query", ["beach", "party", ""])
def test_unsafe_stickers_are_out_unless_asked_for(retriever: Retriever, query: str) -> None:
    assert names(retriever.search(query)) == {"safe", "unrated"}
    assert names(retriever.search(query, filters={"rating": "any"})) == {"safe", "unsafe", "unrated"}
    assert names(retriever.search(query, filters={"rating": "unsafe"})) == {"unsafe"}
    assert names(retriever.search(query, filters={"rating": "!unsafe"})) == {"safe", "unrated"}
    assert names(retriever.search(query, filters={"rating": ["safe", "unsafe"]})) == {"safe", "unsafe"}


def test_a_query_that_only_unsafe_stickers_answer_says_so(retriever: Retriever) -> None:
    answer = retriever.search("unsafe")
    assert (len(answer), answer.reason) == (0, "filtered")
    assert answer.note == "stickers match 'unsafe', but they are unsafe; ask for rating=any to see them"


def test_other_fields_can_be_left_out_too(retriever: Retriever) -> None:
    assert names(retriever.search("party", filters={"tags": "!beach"})) == set()
    with pytest.raises(QueryError, match="unknown filter field"):
        retriever.search("party", filters={"rated": "!unsafe"})
    assert parse_filters({"tags": "!"}) == parse_filters({"tags": ["!"]})


def test_similar_stickers_are_no_way_around(retriever: Retriever) -> None:
    (safe,) = retriever.search("safe", filters={"rating": "safe"})
    assert names(retriever.similar(safe.sticker_id, by="meaning")) == {"unrated"}
    assert names(retriever.similar(safe.sticker_id, by="meaning", filters={"rating": "any"})) == {"unrated", "unsafe"}


def test_a_recipe_shows_them_to_all_or_to_some(folder: Path) -> None:
    recipe = folder / "rated.toml"
    try:
        recipe.write_text(RECIPE + '[rating]\nunsafe_for = ["ann"]\n')
        with Retriever.open(recipe, home=folder / "home") as opened:
            assert "unsafe" in names(opened.search("beach", "ann"))
            assert "unsafe" not in names(opened.search("beach", "bo"))
            assert "unsafe" not in names(opened.search("beach"))
        recipe.write_text(RECIPE + "[rating]\nunsafe = true\n")
        with Retriever.open(recipe, home=folder / "home") as opened:
            assert "unsafe" in names(opened.search("beach"))
    finally:
        recipe.write_text(RECIPE)


def test_the_command_line_can_say_not_unsafe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(folder / "home"))
    done = CliRunner().invoke(
        app, ["search", "beach", "-c", str(folder / "rated.toml"), "-f", "rating=!unsafe", "--json"]
    )
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["hits"]) == 2
