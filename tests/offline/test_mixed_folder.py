"""A folder as people have them, from the command to the index, undisturbed and killed."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from built_collection import everything
from killed_builds import kill_builds
from mixed_folder import GOOD, REFUSED, UNREADABLE, refuses_us, write_mixed_folder
from persrv.cli import app
from persrv.offline import build_collection
from persrv.workspace import Workspace

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither kill -9 nor such file names")

RECIPE = """
name = "mixed"
[stickers]
loader = "folder"
path = "stickers"
[image]
batch = 4
[ocr]
engine = "rapidocr"
[describe]
engine = "labels"
batch = 4
"""

KILLS = 10


@dataclass(frozen=True)
class Calm:
    """A build that nobody disturbed: its recipe, its home, what it answered, and how long it took."""

    file: Path
    home: Path
    exit_code: int
    report: dict[str, Any]
    seconds: float


@pytest.fixture(scope="module")
def calm(module_folder: Path) -> Calm:
    folder = module_folder
    write_mixed_folder(folder / "stickers")
    file, home = folder / "mixed.toml", folder / "calm"
    file.write_text(RECIPE)
    started = time.monotonic()
    result = CliRunner().invoke(app, ["build", str(file), "--strict", "--json"], env={"PERSRV_HOME": str(home)})
    assert result.stdout, result.output
    return Calm(file, home, result.exit_code, json.loads(result.stdout), time.monotonic() - started)


def test_every_broken_file_is_named_once_with_its_reason(calm: Calm) -> None:
    expected = REFUSED | UNREADABLE | ({"locked.png": "cannot be read"} if refuses_us() else {})
    root = f"{calm.file.parent / 'stickers'}/"
    reasons = {item["key"].removeprefix(root): item["reason"] for item in calm.report["skipped"]}
    assert set(reasons) == set(expected)
    assert len(calm.report["skipped"]) == len(expected)
    for name, reason in expected.items():
        assert reason in reasons[name], name
    assert calm.exit_code == 8


def test_everything_else_is_read(calm: Calm) -> None:
    different = GOOD - 1
    assert calm.report["stickers"] == GOOD + len(UNREADABLE)
    assert [(stage["name"], stage["missing"], stage["done"]) for stage in calm.report["stages"]] == [
        (name, different + len(UNREADABLE), different) for name in ("look", "ocr", "describe")
    ]
    with Workspace.of(calm.file, calm.home).existing_catalog() as catalog:
        found = {sticker.path.name: sticker for sticker in catalog.stickers() if sticker.path}
    frames = {name: found[name].frames for name in found if found[name].animated}
    assert frames == {"long dance.gif": 70, "turning.apng": 3, "turning.gif": 3, "turning.webp": 3}
    read = {name: " ".join(sticker.semantics.ocr) for name, sticker in found.items()}
    assert read["evening.png"] == "GOOD NIGHT"
    for name, text in {
        "two\nlines 🎉.png": "PARTY",
        "print colours.jpg": "CYAN",
        "profile.jpg": "COLOUR",
        "bad profile.png": "TORN",
        "turning.apng": "WAIT",
    }.items():
        assert text in read[name], name


def test_a_person_sees_one_line_for_each_skipped_file(calm: Calm) -> None:
    result = CliRunner().invoke(app, ["build", str(calm.file)], env={"PERSRV_HOME": str(calm.home)})
    assert result.exit_code == 0
    lines = [line for line in result.stderr.splitlines() if line.startswith("skipped ")]
    assert len(lines) == 20
    assert any(line.startswith(r"skipped broken\nname \x1b[31m.png: ") for line in lines)
    assert "\x1b" not in result.stderr


def test_killed_at_ten_moments_it_ends_with_the_same(calm: Calm) -> None:
    wild = calm.home.parent / "wild"
    kill_builds(calm.file, wild, KILLS, calm.seconds)
    report = build_collection(calm.file, home=wild)
    assert len(report.skipped) == len(calm.report["skipped"])
    assert everything(calm.file, wild) == everything(calm.file, calm.home)
