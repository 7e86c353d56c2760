"""A loader file is found by name or path, its options are checked, and its failures are told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from persrv.errors import MissingExtraError, RecipeError, SourceError
from persrv.offline.loading import Loader, load
from persrv.recipe import Recipe, Source
from persrv.records import Skipped, SourcePick, SourceSticker
from repository import ROOT

HEAD = """
from __future__ import annotations
from collections.abc import Iterator
from pathlib import Path
from persrv.records import Skipped, SourcePick, SourceSticker
"""

Written = Callable[..., Loader]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def make(body: str, path: Path | None = Path(), **options: str | int | float | bool) -> Loader:
        file = tmp_path / "mine.py"
        file.write_text(HEAD + body, encoding="utf-8")
        recipe = Recipe(
            name="x", stickers=Source(loader="mine.py", path=path, options=options), file=tmp_path / "x.toml"
        )
        return load(recipe.stickers[0], recipe)

    return make


def test_the_folders_of_loaders_and_recipes_are_no_packages() -> None:
    root = ROOT
    assert (root / "collections" / "emoji.toml").is_file()
    assert (root / "loaders" / "emoji.py").is_file()
    assert not (root / "collections" / "__init__.py").exists()
    assert not (root / "loaders" / "__init__.py").exists()


def test_a_loader_beside_the_recipe_yields_what_it_finds(written: Written, tmp_path: Path) -> None:
    loader = written(
        'def stickers(source, pack="none"):\n'
        "    yield SourceSticker(key=source.name, path=None, pack=pack)\n"
        "def interactions(source):\n"
        '    yield SourcePick(user="ann", query="hi", key=source.name)\n',
        pack="p",
    )
    assert list(loader.stickers()) == [SourceSticker(key=tmp_path.name, path=None, pack="p")]
    assert loader.name == "mine"
    assert loader.file == tmp_path / "mine.py"


def test_a_function_is_checked_against_its_own_options(written: Written) -> None:
    loader = written(
        "def stickers(source, pack=''):\n    yield from ()\ndef interactions(source):\n    yield from ()\n", pack="p"
    )
    assert list(loader.stickers()) == []
    with pytest.raises(RecipeError, match=r"no option 'pack' for interactions; known are: none"):
        loader.interactions()


@pytest.mark.parametrize(
    ("signature", "options", "complaint"),
    [
        ("source, size: int = 1, *, deep: bool = False", {"sise": 2}, r"no option 'sise'.*known are: size, deep"),
        ("source, size: int = 1", {"size": "two"}, "option size = 'two': input should be a valid integer"),
        ("source, size: int = 1", {"size": True}, "option size = True"),
        ("source, size: int = 1", {"size": 1.5}, "option size = 1.5"),
        ("source, name: str | None = None", {"name": 3}, "option name = 3"),
        ("source, size: int", {}, "needs the option 'size'"),
    ],
)
def test_an_impossible_option_is_refused_before_anything_is_read(
    written: Written, signature: str, options: dict[str, str | int | float | bool], complaint: str
) -> None:
    loader = written(f"def stickers({signature}):\n    raise AssertionError('read')\n    yield\n", **options)
    with pytest.raises(RecipeError, match=complaint):
        loader.stickers()


@pytest.mark.parametrize(
    ("signature", "options"),
    [
        ("source, part: float = 0.5", {"part": 1}),
        ("source, size: int | str = 1", {"size": "two"}),
        ("source, anything='x'", {"anything": 3}),
        ("source, size: Unheard = 1", {"size": 3}),
        ("source, **more", {"colour": "red"}),
    ],
)
def test_a_possible_option_arrives(
    written: Written, signature: str, options: dict[str, str | int | float | bool]
) -> None:
    ((name, value),) = options.items()
    body = f"def stickers({signature}):\n    yield Skipped(repr(locals()), '')\n"
    (seen,) = written(body, **options).stickers()
    assert f"'{name}': {value!r}" in seen.key


def test_an_annotation_that_no_option_can_have_is_the_loaders_fault(written: Written) -> None:
    loader = written("class Odd: ...\ndef stickers(source, size: Odd = 1):\n    yield\n", size=3)
    with pytest.raises(SourceError, match="is no type for option size"):
        loader.stickers()


def test_a_missing_source_is_told_with_its_path(written: Written, tmp_path: Path) -> None:
    loader = written("def stickers(source):\n    yield\n", path=Path("away"))
    with pytest.raises(SourceError, match=str(tmp_path / "away")):
        loader.stickers()


def test_a_loader_that_needs_no_path_gets_none(written: Written) -> None:
    loader = written("def stickers(source=None):\n    yield Skipped(str(source), 'x')\n", path=None)
    assert list(loader.stickers()) == [Skipped("None", "x")]


def test_a_loader_that_needs_a_path_asks_for_it(written: Written) -> None:
    with pytest.raises(RecipeError, match="needs a path for stickers"):
        written("def stickers(source):\n    yield\n", path=None).stickers()


def test_an_exception_names_the_loader_and_the_last_item(written: Written) -> None:
    loader = written("def stickers(source):\n    yield SourceSticker('a', None)\n    yield 1 / 0\n")
    found = loader.stickers()
    assert next(found) == SourceSticker("a", None)
    with pytest.raises(SourceError, match=r"mine.*after item 1 \('a'\): ZeroDivisionError") as caught:
        next(found)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_exception_before_the_first_item_is_wrapped_too(written: Written) -> None:
    with pytest.raises(SourceError, match="after nothing: KeyError"):
        list(written("def stickers(source):\n    return {}['x']\n").stickers())


def test_persrvs_own_errors_come_through_as_they_are(written: Written) -> None:
    body = "from persrv.errors import MissingExtraError\ndef stickers(source):\n    raise MissingExtraError('x', 'y')\n"
    with pytest.raises(MissingExtraError):
        list(written(body).stickers())


@pytest.mark.parametrize("item", ["'text'", "None", "SourcePick('ann', 'q', 'k')"])
def test_what_is_no_sticker_is_refused(written: Written, item: str) -> None:
    with pytest.raises(SourceError, match="yield SourceSticker or Skipped"):
        list(written(f"def stickers(source):\n    yield {item}\n").stickers())


def test_a_key_that_comes_again_is_skipped_and_a_pick_is_not(written: Written) -> None:
    loader = written(
        "def stickers(source):\n    for key in 'aba':\n        yield SourceSticker(key, None)\n"
        "def interactions(source):\n    for key in 'aba':\n        yield SourcePick('ann', '', key)\n"
    )
    *first, last = loader.stickers()
    assert [item.key for item in first] == ["a", "b"]
    assert isinstance(last, Skipped)
    assert last.key == "a"
    assert [pick.key for pick in loader.interactions() if isinstance(pick, SourcePick)] == ["a", "b", "a"]


def test_walking_again_begins_anew(written: Written) -> None:
    loader = written("def stickers(source):\n    yield SourceSticker('a', None)\n")
    assert list(loader.stickers()) == list(loader.stickers()) == [SourceSticker("a", None)]


def test_a_loader_without_picks_says_so(written: Written) -> None:
    with pytest.raises(SourceError, match="has no function interactions"):
        written("def stickers(source):\n    yield\n").interactions()


@pytest.mark.parametrize("body", ["def stickers(:", "import nothing_of_this_name", "1 / 0"])
def test_a_file_that_cannot_be_executed_is_told(written: Written, body: str) -> None:
    before = set(sys.modules)
    with pytest.raises(SourceError, match=r"mine\.py cannot be executed"):
        written(body)
    assert set(sys.modules) == before


def test_dataclasses_work_in_a_loader(written: Written) -> None:
    body = (
        "from dataclasses import dataclass\n@dataclass\nclass Row:\n    key: str\n"
        "def stickers(source):\n    yield SourceSticker(Row('a').key, None)\n"
    )
    assert list(written(body).stickers()) == [SourceSticker("a", None)]


def test_an_unknown_name_lists_the_shipped_loaders(tmp_path: Path) -> None:
    recipe = Recipe(name="x", stickers=Source(loader="emojis"), file=tmp_path / "x.toml")
    with pytest.raises(SourceError, match=r"chat_memes, discord, emoji, folder, .*table"):
        load(recipe.stickers[0], recipe)
