"""What gets into a wheel, and what must not be in the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from repository import ROOT
from tiny_collection import write_collection


@pytest.fixture(scope="module")
def wheel(module_folder: Path) -> Path:
    folder = module_folder
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_recipes_loaders_and_licences(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "persrv/_shipped/collections/emoji.toml" in names
    assert "persrv/_shipped/collections/emoji/NOTICE" in names
    assert "persrv/_shipped/loaders/folder.py" in names
    assert "persrv/present/templates/sheet.html" in names
    assert "persrv/py.typed" in names
    assert sum(name.endswith(".webp") for name in names) > 2000
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"persrv"}


def test_an_installed_wheel_finds_what_ships_with_it(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import persrv.recipe.places as p; from persrv import Recipe;"
        "print(Recipe.read(p.find_recipe('emoji')).name, p.find_loader('table').name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["emoji", "table.py"]


def test_research_and_training_can_be_left_out(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    for room in ("lab", "training"):
        shutil.rmtree(installed / "persrv" / room)
    recipe = write_collection(tmp_path)
    environment = {
        "PYTHONPATH": str(installed),
        "PERSRV_HOME": str(tmp_path / "home"),
        "PERSRV_COLLECTION": str(recipe),
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "persrv", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("build")
    first = json.loads(run("search", "cat", "--user", "me", "--json"))["hits"][0]["sticker_id"]
    run("pick", first, "--user", "me", "--query", "cat")
    again = json.loads(run("search", "cat", "--user", "me", "--json"))
    assert again["personal"] and again["hits"][0]["sticker_id"] == first


def test_the_shipped_set_is_small() -> None:
    size = sum(file.stat().st_size for file in (ROOT / "collections" / "emoji").rglob("*") if file.is_file())
    assert size < 8_000_000
