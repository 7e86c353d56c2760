from __future__ import annotations

import sys
from pathlib import Path

import pytest

from persrv.errors import MissingExtraError, RecipeError
from persrv.lab.tuning.write import write_weights
from persrv.recipe import Recipe

TEXT = """\
# My stickers, with care.
name = "mine"   # short

[stickers]
loader = "folder"
path = 'pictures'

[ranking]
gamma = 0.5     # some style
# the end
"""


def recipe(tmp_path: Path, text: str = TEXT) -> Path:
    file = tmp_path / "mine.toml"
    file.write_bytes(text.encode())
    return file


def test_only_the_values_change_and_the_evidence_ends_the_file(tmp_path: Path) -> None:
    file = recipe(tmp_path)
    file.chmod(0o640)
    write_weights(file, {"ranking.gamma": 0.8}, ["first", "second"])
    assert file.read_text() == TEXT.replace("0.5", "0.8") + "# persrv tune: first\n# persrv tune: second\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


def test_missing_tables_are_made(tmp_path: Path) -> None:
    file = recipe(tmp_path)
    values = {"text.fields.tags.weight": 2.0, "text.fields.ocr.weight": 0.5, "ranking.beta": 0.1, "ranking.pool": 250}
    write_weights(file, values, ["why"])
    read = Recipe.read(file)
    assert (read.text.fields["tags"].weight, read.text.fields["ocr"].weight) == (2.0, 0.5)
    assert (read.ranking.beta, read.ranking.gamma, read.ranking.pool) == (0.1, 0.5, 250)
    kept = file.read_text()
    assert all(line in kept for line in TEXT.splitlines())
    assert "[text.fields.tags]" in kept


@pytest.mark.parametrize(
    "message", ["[text.fields]\ntags = { weight = 3 } # inline\n", "text.fields.tags.weight = 3 # dotted\n"]
)
def test_other_ways_to_write_toml_stay_as_they_are(tmp_path: Path, message: str) -> None:
    text = message + TEXT if message.startswith("text") else TEXT + message
    file = recipe(tmp_path, text)
    write_weights(file, {"text.fields.tags.weight": 1.5}, ["why"])
    assert Recipe.read(file).text.fields["tags"].weight == 1.5
    assert file.read_text().rpartition("# persrv")[0] == text.replace("weight = 3", "weight = 1.5")


def test_later_evidence_replaces_earlier(tmp_path: Path) -> None:
    file = recipe(tmp_path)
    write_weights(file, {"ranking.gamma": 0.8}, ["old"])
    write_weights(file, {"ranking.gamma": 0.9}, ["new"])
    assert file.read_text() == TEXT.replace("0.5", "0.9") + "# persrv tune: new\n"


def test_line_ends_of_another_system_stay(tmp_path: Path) -> None:
    file = recipe(tmp_path, TEXT.replace("\n", "\r\n"))
    write_weights(file, {"ranking.gamma": 0.8}, ["why"])
    expected = TEXT.replace("0.5", "0.8") + "# persrv tune: why\n"
    assert file.read_bytes() == expected.replace("\n", "\r\n").encode()


@pytest.mark.parametrize("values", [{"ranking.gamma": 2.0}, {"ranking.nonsense": 1.0}])
def test_what_would_be_no_recipe_is_not_written(tmp_path: Path, values: dict) -> None:
    file = recipe(tmp_path)
    with pytest.raises(RecipeError, match=r"ranking\."):
        write_weights(file, values, ["why"])
    assert file.read_text() == TEXT


def test_files_that_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"gone\.toml"):
        write_weights(tmp_path / "gone.toml", {}, [])
    with pytest.raises(RecipeError, match=r"mine\.toml"):
        write_weights(recipe(tmp_path, "name = "), {}, [])


def test_the_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    with pytest.raises(MissingExtraError, match=r"persrv\[tune\]"):
        write_weights(recipe(tmp_path), {}, [])
