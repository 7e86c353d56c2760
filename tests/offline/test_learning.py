"""Learning labels with the command, and describing with what was learnt."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from persrv.cli import app
from persrv.errors import RecipeError, SourceError
from persrv.offline import build_collection
from persrv.offline.learning import learn_labels
from persrv.workspace import Workspace
from tiny_collection import MEANINGS, STYLES, Tiny, write_collection


def without_labels(folder: Path, styles: tuple[str, ...]) -> None:
    """Take side-cars and telling file names from some styles' pictures."""
    for style in styles:
        for number, picture in enumerate(sorted((folder / "stickers" / style).glob("*.png"))):
            picture.with_suffix(".json").unlink()
            picture.rename(picture.with_name(f"{number:03}.png"))


@pytest.fixture
def fresh(tmp_path: Path) -> Tiny:
    """The collection, never built, that asks for the describer ``nearest``."""
    made = Tiny(write_collection(tmp_path), tmp_path / "home")
    made.file.write_text(made.file.read_text() + '[describe]\nengine = "nearest"\n')
    return made


def test_a_build_before_learning_says_what_to_do(fresh: Tiny) -> None:
    with pytest.raises(RecipeError, match="run persrv learn"):
        build_collection(fresh.file, home=fresh.home)


def test_the_command_learns_and_the_build_describes(fresh: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(fresh.home))
    without_labels(fresh.file.parent, ("flat",))
    result = CliRunner().invoke(app, ["learn", str(fresh.file), "--encoder", "statistics", "--json"])
    assert result.exit_code == 0, result.output
    learnt = json.loads(result.stdout)
    assert learnt["stickers"] == 2 * len(MEANINGS)
    assert learnt["labels"] == 2 * len(MEANINGS)
    assert learnt["emotions"] >= 2
    report = build_collection(fresh.file, home=fresh.home)
    assert (report.stages[-1].name, report.stages[-1].done) == ("describe", len(STYLES) * len(MEANINGS))
    assert build_collection(fresh.file, home=fresh.home).stages[-1].missing == 0


def test_a_collection_without_labels_teaches_nothing(fresh: Tiny) -> None:
    without_labels(fresh.file.parent, STYLES)
    with pytest.raises(SourceError, match="give some of them tags"):
        learn_labels(fresh.file, home=fresh.home, image_encoder="statistics")


def test_an_encoder_that_is_not_there_is_named_before_anything_is_read(fresh: Tiny) -> None:
    with pytest.raises(RecipeError, match="crystal"):
        learn_labels(fresh.file, home=fresh.home, image_encoder="crystal")
    assert not fresh.home.exists()


def add_copies(folder: Path, packs: tuple[str, ...]) -> None:
    """Add packs of the flat pictures, each with a spot of its own, so that new packs show what is known."""
    for number, pack in enumerate(packs):
        shutil.copytree(folder / "stickers" / "flat", folder / "stickers" / pack)
        for picture in (folder / "stickers" / pack).glob("*.png"):
            with Image.open(picture) as image:
                image.putpixel((5 + number, 32), (0, 0, 0, 255))
                image.save(picture)


def test_guesses_are_never_taken_for_what_a_person_said(fresh: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess stands apart with its model, names nothing, gives way to people, and is not learnt from."""
    monkeypatch.setenv("PERSRV_HOME", str(fresh.home))
    add_copies(fresh.file.parent, ("first", "second", "third"))
    without_labels(fresh.file.parent, ("third",))
    first = learn_labels(fresh.file, home=fresh.home, image_encoder="statistics")
    build_collection(fresh.file, home=fresh.home)
    with Workspace.of(fresh.file, fresh.home).existing_catalog() as catalog:
        stickers = list(catalog.stickers())
        guessed = [sticker for sticker in stickers if sticker.semantics.keywords]
        assert guessed
        for sticker in guessed:
            # Those that their source names got no guesses.
            assert sticker.packs == ("third",)
            assert not sticker.semantics.name + sticker.semantics.tags
            assert sticker.id.startswith(sticker.title)
            readings = [(r.source, r.model.partition("@")[0]) for r in catalog.semantics_sources(sticker.id)]
            assert ("describe", "nearest") in readings
        assert any(sticker.semantics.emotions for sticker in guessed)
        chosen = guessed[0].id
        page = CliRunner().invoke(app, ["show", chosen, "--collection", str(fresh.file)], env={"COLUMNS": "200"})
        assert re.search(r"describe.*nearest", page.stdout), page.output
        edited = CliRunner().invoke(app, ["edit", chosen, "keywords", "mine", "--collection", str(fresh.file)])
        assert edited.exit_code == 0, edited.output
        again = learn_labels(fresh.file, home=fresh.home, image_encoder="statistics")
        assert (again.stickers, again.labels, again.emotions) == (first.stickers, first.labels, first.emotions)
        build_collection(fresh.file, home=fresh.home)
        (sticker,) = catalog.stickers([chosen])
        assert sticker.semantics.keywords == ("mine",)
