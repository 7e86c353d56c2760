from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from persrv.errors import RecipeError
from persrv.recipe import Recipe
from persrv.records import FIELDS
from persrv.workspace import Workspace
from repository import ROOT

MINIMAL = 'name = "x"\n[stickers]\nloader = "folder"\n'
PAGE = ROOT / "docs" / "reference" / "recipe.md"


def read(tmp_path: Path, text: str) -> Recipe:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    return Recipe.read(file)


def sections() -> list[tuple[str, type[BaseModel]]]:
    found = {name: field.annotation for name, field in Recipe.model_fields.items()}
    return [(name, kind) for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, BaseModel)]


@pytest.mark.parametrize(("name", "kind"), sections())
def test_every_key_is_documented(name: str, kind: type[BaseModel]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    block = re.search(rf"^\[{name}\][^\n]*\n(.*?)(?=^\[(?!{name}\.)|^```)", page, re.S | re.M)
    assert block, f"[{name}] is missing"
    for key in kind.model_fields:
        assert re.search(rf"^{key} =|^\[{name}\.{key}", block[1], re.M), f"{name}.{key} is missing"


def test_the_documented_example_is_a_recipe(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert example
    recipe = Recipe.from_dict(tomllib.loads(example[1]))
    plain = read(tmp_path, MINIMAL)
    assert recipe.ranking == plain.ranking
    assert recipe.text.k1 == plain.text.k1
    assert recipe.style.model_copy(update={"model_folder": None}) == plain.style
    assert recipe.describe.model_copy(update={"adapter": None}) == plain.describe


def test_defaults_and_partial_fields(tmp_path: Path) -> None:
    recipe = read(tmp_path, MINIMAL + "[text.fields.tags]\nweight = 3\n")
    assert recipe.text.fields["tags"].weight == 3
    assert recipe.text.fields["tags"].b == 0.75
    assert set(recipe.text.fields) == set(FIELDS)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (MINIMAL.replace('"x"', '"Not A Name"'), "name"),
        ('name = "x"\n', "stickers: is missing"),
        (MINIMAL + "colour = 1\n", "colour: is no known key"),
        (MINIMAL + "[ranking]\nalpha = 1\n", "ranking.alpha: is no known key"),
        (MINIMAL + "[ranking]\ngamma = 1.5\n", "ranking.gamma"),
        (MINIMAL + "[text.fields.smell]\nweight = 1\n", "smell"),
        (MINIMAL + '[index]\nlocation = "ftp://x"\n', "ftp://x"),
        (MINIMAL + '[index]\nlocation = ["http://a", "embedded:"]\n', "nor a list of URLs"),
        (MINIMAL + "[index]\nlocation = []\n", "nor a list of URLs"),
        (MINIMAL + "[index]\nwrite_consistency_factor = 2\n", "more than the 1 copies"),
        (MINIMAL + '[index]\nimage_base_url = "/pictures"\n', "/pictures"),
        (MINIMAL + "[utility]\npopularity = 0\ncross_user = 0\nquery = 0\n", "above 0"),
        ("name = ", "TOML"),
    ],
)
def test_impossible_recipes_are_refused_by_file_and_key(tmp_path: Path, text: str, content: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(content)) as refused:
        read(tmp_path, text)
    assert "x.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("location", "embedded", "addresses"),
    [
        ('"embedded:elsewhere"', True, ()),
        ('"http://a:1"', False, ("http://a:1",)),
        ('["http://a:1", "https://b"]', False, ("http://a:1", "https://b")),
    ],
)
def test_where_an_index_is(tmp_path: Path, location: str, embedded: bool, addresses: tuple[str, ...]) -> None:
    index = read(tmp_path, f"{MINIMAL}[index]\nlocation = {location}\n").index
    assert (index.embedded, index.addresses) == (embedded, addresses)


def test_paths_start_at_the_recipe(tmp_path: Path) -> None:
    recipe = read(tmp_path, MINIMAL)
    assert recipe.resolve(Path("pictures")) == tmp_path / "pictures"
    assert recipe.resolve(Path("/pictures")) == Path("/pictures")


def test_the_fingerprint_changes_with_its_sections_only(tmp_path: Path) -> None:
    before, ranked = read(tmp_path, MINIMAL), read(tmp_path, MINIMAL + "[ranking]\nbeta = 2\n")
    weighed = read(tmp_path, MINIMAL + "[text]\nk1 = 2\n")
    assert before.fingerprint("text") == ranked.fingerprint("text") != weighed.fingerprint("text")


def test_folders_of_models_start_at_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "small").mkdir(parents=True)
    result = '[describe]\nengine = "transformers"\nadapter = "tuned"\nmodel = "{}"\n'
    monkeypatch.chdir("/")
    here = Workspace.of(read(tmp_path, MINIMAL + result.format("models/small"))).describe_settings()
    assert (here.model, here.adapter) == (str(tmp_path / "models" / "small"), tmp_path / "tuned")
    hub = Workspace.of(read(tmp_path, MINIMAL + result.format("owner/name"))).describe_settings()
    assert hub.model == "owner/name"
