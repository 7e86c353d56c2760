"""Readers in the pipeline, and on single pictures: a real OCR engine, and descriptions from labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner

from persrv.cli import app
from persrv.offline import BuildReport, build_collection, plan_build
from persrv.offline.read_pictures import read_pictures
from persrv.workspace import Workspace
from tiny_collection import Tiny

READERS = '[ocr]\nengine = "rapidocr"\n[describe]\nengine = "labels"\n'


def caption(file: Path, text: str) -> None:
    picture = Image.new("RGBA", (360, 120), (255, 236, 179, 255))
    ImageDraw.Draw(picture).text((20, 36), text, fill=(40, 30, 20, 255), font=ImageFont.load_default(44))
    picture.save(file)


def with_readers(tiny: Tiny) -> Tiny:
    """The collection with a recipe that reads, and one captioned sticker more."""
    tiny.file.write_text(tiny.file.read_text() + READERS)
    caption(tiny.file.parent / "stickers" / "soft" / "1001.png", "GOOD NIGHT")
    return tiny


@pytest.fixture
def reading(tiny: Tiny) -> Tiny:
    """The collection before anything was read."""
    return with_readers(tiny)


@pytest.fixture(scope="module")
def read_built(tiny_built: Tiny, module_folder: Path) -> tuple[Tiny, BuildReport]:
    """The collection after everything was read; tests must not change it."""
    tiny = with_readers(tiny_built.copied(module_folder / "tiny"))
    return tiny, build_collection(tiny.file, home=tiny.home)


@pytest.fixture
def already_read(read_built: tuple[Tiny, BuildReport], tmp_path: Path) -> Tiny:
    """A copy of it that a test may change."""
    return read_built[0].copied(tmp_path / "read")


def test_a_build_reads_describes_and_searches_by_what_it_read(read_built: tuple[Tiny, BuildReport]) -> None:
    tiny, report = read_built
    assert {stage.name: stage.done for stage in report.stages} == {"look": 1, "ocr": 31, "describe": 30}
    assert [item.reason for item in report.skipped] == ["its source gives it no name, tag or emoji"]
    with tiny.open() as retriever:
        (hit, *_) = retriever.search("good night")
        assert hit.path is not None
        assert hit.path.name == "1001.png"
        assert "joy" in retriever.search("happy")[0].payload["emotion"]


def test_what_was_read_is_not_read_again(already_read: Tiny) -> None:
    plan = {stage.name: stage.missing for stage in plan_build(already_read.file, home=already_read.home)}
    assert plan == {"look": 0, "ocr": 0, "describe": 1}
    change_reader(already_read)
    plan = {stage.name: stage.missing for stage in plan_build(already_read.file, home=already_read.home)}
    assert plan == {"look": 0, "ocr": 31, "describe": 1}


def change_reader(tiny: Tiny) -> None:
    tiny.file.write_text(tiny.file.read_text().replace('"rapidocr"\n', '"rapidocr"\nmin_confidence = 0.5\n'))


def test_readers_can_be_run_alone_and_a_few_at_a_time(reading: Tiny) -> None:
    report = build_collection(reading.file, home=reading.home, only=["ingest", "ocr"], limit=4)
    assert [(stage.name, stage.missing, stage.done) for stage in report.stages] == [("ocr", 31, 4)]
    assert report.manifest is None


def test_a_persons_edit_outlives_every_reader(already_read: Tiny) -> None:
    workspace = Workspace.of(already_read.file, already_read.home)
    with workspace.existing_catalog() as catalog:
        (captioned,) = [s for s in catalog.stickers() if s.path and s.path.name == "1001.png"]
        catalog.edit(captioned.id, "ocr", ["GOOD MORNING"], editor="ann")
    change_reader(already_read)
    report = build_collection(already_read.file, home=already_read.home)
    assert {stage.name: stage.done for stage in report.stages}["ocr"] == 31
    with workspace.existing_catalog() as catalog:
        assert catalog.sticker(captioned.id).semantics.ocr == ("GOOD MORNING",)


def test_reading_single_pictures_touches_no_catalog(reading: Tiny, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    good, bad = read_pictures(reading.file, [reading.file.parent / "stickers" / "soft" / "1001.png", broken])
    assert " ".join(line["text"] for line in good.text).upper().split() == ["GOOD", "NIGHT"]
    assert all(0 <= side <= 1 for line in good.text for side in line["box"])
    assert (good.format, good.width, good.height, good.frames) == ("png", 360, 120, 1)
    assert good.undescribed == "its source gives it no name, tag or emoji"
    assert set(good.seconds) == {"decode", "look", "ocr", "describe"}
    assert good.vectors == {"statistics@2": 181}
    assert "broken.png" in bad.problem
    assert bad.format == ""


def test_the_read_command(reading: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tmp_path / "untouched"))
    picture = str(reading.file.parent / "stickers" / "soft" / "1001.png")
    result = CliRunner().invoke(app, ["read", picture, "-c", str(reading.file), "--json"])
    assert result.exit_code == 0, result.output
    assert "NIGHT" in json.loads(result.stdout)[0]["text"][-1]["text"].upper()
    shown = CliRunner().invoke(app, ["read", picture, "nowhere.png", "-c", str(reading.file)])
    assert shown.exit_code == 4
    assert "360 x 120" in shown.stdout
    assert "nowhere.png" in shown.stdout
    assert not (tmp_path / "untouched").exists()
