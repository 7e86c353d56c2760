"""From a built collection to training data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from training_data import PROMPT, Prepared, asking

from persrv.errors import NotFoundError, QueryError, RecipeError, SourceError
from persrv.offline import build_collection
from persrv.reading.describe.describer import Description
from persrv.reading.describe.parsing import parse
from persrv.recipe import Recipe
from persrv.training import prepare
from persrv.training.data_card import DataCard
from persrv.training.examples import read_examples
from persrv.training.settings import TrainingSettings
from persrv.training.split import PARTS
from persrv.workspace import Workspace
from repository import ROOT
from tiny_collection import Tiny


def test_the_parts_hold_what_people_typed(prepared: Prepared) -> None:
    examples = {part: read_examples(prepared.data, part) for part in PARTS}
    assert {part: len(found) for part, found in examples.items()} == prepared.card.stickers
    everything = [example for found in examples.values() for example in found]
    assert len({example.id for example in everything}) == len(everything)
    for example in everything:
        read = parse(example.answer)
        assert isinstance(read, Description)
        assert read.keywords == tuple(query.text for query in example.queries)
        assert example.question == PROMPT
        assert example.opened(prepared.data).shape == (448, 448, 3)
    assert prepared.card == DataCard.read(prepared.data)
    assert prepared.card.named == 0


def test_the_layout_is_the_one_that_other_trainers_read(prepared: Prepared) -> None:
    line = json.loads((prepared.data / "train.jsonl").read_text().splitlines()[0])
    assert [message["role"] for message in line["messages"]] == ["user", "assistant"]
    assert line["messages"][0]["content"] == f"<image>{PROMPT}"
    assert [(prepared.data / image).is_file() for image in line["images"]] == [True]
    with Image.open(prepared.data / line["images"][0]) as image:
        assert image.format == "PNG"


def test_again_is_the_same(tiny: Tiny, tmp_path: Path) -> None:
    cards = [prepare(tiny.recipe, tmp_path / name, home=tiny.home, min_users=1, seed=4)[0] for name in ("a", "b")]
    assert cards[0].fingerprint == cards[1].fingerprint
    assert (tmp_path / "a/test.jsonl").read_bytes() == (tmp_path / "b/test.jsonl").read_bytes()


def test_every_pick_is_used_or_counted(tiny: Tiny, tmp_path: Path) -> None:
    everything, _ = prepare(tiny.recipe, tmp_path / "all", home=tiny.home, min_users=1)
    assert everything.by_sticker == ""
    assert everything.used + sum(everything.dropped.values()) == everything.picks == 12
    few, _ = prepare(tiny.recipe, tmp_path / "few", home=tiny.home, min_users=1, limit=4)
    assert sum(few.stickers.values()) == 4
    assert min(few.stickers.values()) == 1
    assert few.dropped["of a sticker beyond the limit"] == 12 - few.used
    (tiny.file.parent / "stickers/flat/happy.png").unlink()
    card, _ = prepare(tiny.recipe, tmp_path / "gone", home=tiny.home, min_users=1)
    assert card.dropped["of a sticker that could not be used"] == 1
    assert card.used == 11


def test_the_card_says_why_a_split_is_not_by_time_and_which_part_is_too_small(tiny: Tiny, tmp_path: Path) -> None:
    rows = (tiny.file.parent / "picks.csv").read_text().replace("T0", "T1").splitlines()
    known = [row.rpartition(",")[0] + ",2026-01-09T00:00:00+00:00" for row in rows[1:-1] for _ in range(20)]
    users = [f"u{i}{row}" for i, row in enumerate(known)]
    (tiny.file.parent / "picks.csv").write_text("\n".join([*rows, *users]) + "\n")
    build_collection(tiny.recipe, home=tmp_path / "home", only=["ingest", "look"])
    card, _ = prepare(tiny.recipe, tmp_path / "data", home=tmp_path / "home", min_users=1)
    assert card.cut == ""
    assert "no sticker is new" in card.by_sticker
    assert f"by sticker, not by time: {card.by_sticker}" in (tmp_path / "data/README.md").read_text()
    assert card.used == card.picks == 12 + 20 * 11
    gone = read_examples(tmp_path / "data", "train")
    with Workspace.of(tiny.recipe, tmp_path / "home").existing_catalog() as catalog:
        for sticker in catalog.stickers([example.id for example in gone][1:]):
            assert sticker.path is not None
            sticker.path.unlink()
    card, _ = prepare(tiny.recipe, tmp_path / "data", home=tmp_path / "home", min_users=1)
    assert card.too_small == {
        "train": f"1 of 12 stickers, 72% asked for: {len(gone) - 1} of its stickers could not be used"
    }
    assert "* Too small: train holds 1 of 12" in card.as_markdown()


@pytest.mark.parametrize("damage", [b"junk", b""])
def test_a_damaged_picture_is_written_again(tiny: Tiny, tmp_path: Path, damage: bytes) -> None:
    data = tmp_path / "data"
    prepare(tiny.recipe, data, home=tiny.home, min_users=1)
    example = read_examples(data, "train")[0]
    whole = (data / example.image).read_bytes()
    for content in (damage, whole[: len(whole) // 2]):
        (data / example.image).write_bytes(content)
        with pytest.raises(SourceError, match=r"cannot be read.*persrv train prepare into this folder again"):
            example.opened(data)
        prepare(tiny.recipe, data, home=tiny.home, min_users=1)
        assert (data / example.image).read_bytes() == whole
        assert example.opened(data).shape == (448, 448, 3)


def test_gone_pictures_are_reported_and_the_rest_goes_on(tiny: Tiny, tmp_path: Path) -> None:
    (tiny.file.parent / "stickers/flat/happy.png").unlink()
    card, skipped = prepare(tiny.recipe, tmp_path / "data", home=tiny.home, min_users=1, test=0.3)
    assert len(skipped) == 1
    assert sum(card.stickers.values()) == 11
    assert list(card.skipped.values()) == [1]


def test_what_cannot_be_prepared_is_told(tiny: Tiny, tmp_path: Path) -> None:
    def error(**more: object) -> None:
        prepare(tiny.recipe, tmp_path / "data", home=tiny.home, **more)  # type: ignore[arg-type]

    with pytest.raises(SourceError, match=r"none of the 12 picks.*fewer than 2 users.*--min-users"):
        error()
    for more in ({"min_users": 0}, {"test": 0.0}, {"validation": 1.0}, {"limit": 2}):
        with pytest.raises(QueryError, match="is impossible"):
            error(**more)
    with pytest.raises(NotFoundError, match="never built"):
        prepare(tiny.recipe, tmp_path / "data", home=tmp_path / "empty")
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be written"):
        prepare(tiny.recipe, tmp_path / "file", home=tiny.home, min_users=1)
    shutil.rmtree(tiny.file.parent / "stickers")
    with pytest.raises(SourceError, match="no sticker with a readable picture"):
        error(min_users=1)


def test_a_collection_without_picks_is_told(tiny: Tiny, tmp_path: Path) -> None:
    silent = asking(tiny.recipe).model_copy(update={"interactions": ()})
    build_collection(silent, home=tmp_path / "home", only=["ingest"])
    with pytest.raises(SourceError, match=r"nobody has picked anything in tiny; name \[\[interactions\]\]"):
        prepare(silent, tmp_path / "data", home=tmp_path / "home")


def test_one_sticker_is_too_few(tiny: Tiny, tmp_path: Path) -> None:
    (tiny.file.parent / "picks.csv").write_text("uid,query,docid\nann,happy,flat/happy.png\nbo,happy,flat/happy.png\n")
    build_collection(tiny.recipe, home=tmp_path / "home", only=["ingest", "look"])
    with pytest.raises(SourceError, match=r"only 1 different sticker.*at least three"):
        prepare(tiny.recipe, tmp_path / "data", home=tmp_path / "home")


def test_settings_files_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "training.toml"
    file.write_text('learning_rate = 1e-4\nwhole = ["multi_modal_projector"]\n')
    read = TrainingSettings.read(file, epochs=2, model=None)
    assert (read.learning_rate, read.epochs, read.whole, read.r) == (1e-4, 2, ("multi_modal_projector",), 8)
    for text, match in (
        ("leaning_rate = 1", "leaning_rate: is no known key"),
        ("r = 0", r"training\.toml: r: "),
        ("r =", "cannot be read as TOML"),
    ):
        file.write_text(text)
        with pytest.raises(RecipeError, match=match):
            TrainingSettings.read(file)
    with pytest.raises(RecipeError, match="there is no file"):
        TrainingSettings.read(tmp_path / "none.toml")


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/reference/training.md").read_text(encoding="utf-8")
    assert [key for key in TrainingSettings.model_fields if f"`{key}`" not in page] == []


def test_the_shipped_recipe_teaches_without_options(tmp_path: Path) -> None:
    recipe = Recipe.read(ROOT / "collections/emoji.toml")
    build_collection(recipe, home=tmp_path / "home", only=["ingest"])
    card, _ = prepare(recipe, tmp_path / "data", home=tmp_path / "home")
    assert (card.picks, card.simulated) == (180, 180)
    assert min(card.stickers.values()) >= 10
    assert card.cut
