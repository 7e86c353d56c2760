from __future__ import annotations

from collections.abc import Callable

import pytest

from persrv.catalog import EDITABLE, Catalog, Entry
from persrv.errors import CatalogError, NotFoundError
from persrv.records import FIELDS, Semantics

MakeEntry = Callable[..., Entry]


@pytest.fixture
def cat(catalog: Catalog, entry: MakeEntry) -> str:
    made = entry("cat", pack="pets", semantics=Semantics(tags=("source",)), language="en", rating="safe", style="ink")
    catalog.put([made])
    return made.sticker_id


@pytest.mark.parametrize("field", FIELDS)
def test_an_edit_is_the_whole_field_whatever_sources_say_afterwards(catalog: Catalog, cat: str, field: str) -> None:
    catalog.edit(cat, field, [" Mine ", "mine", "Yours"], "ann")
    catalog.put_semantics(cat, "vlm", "m", Semantics(**{field: ("theirs",)}))
    assert getattr(catalog.sticker(cat).semantics, field) == ("Mine", "Yours")


def test_an_edit_can_empty_a_field(catalog: Catalog, cat: str) -> None:
    catalog.edit(cat, "tags", [], "ann")
    assert catalog.sticker(cat).semantics.tags == ()


def test_the_latest_edit_holds_and_a_reset_gives_the_field_back(catalog: Catalog, cat: str, entry: MakeEntry) -> None:
    catalog.edit(cat, "tags", ["one"], "ann")
    catalog.edit(cat, "tags", ["two"], "bob")
    assert catalog.sticker(cat).semantics.tags == ("two",)
    catalog.reset(cat, "tags", "ann")
    assert catalog.sticker(cat).semantics.tags == ("source",)
    catalog.edit(cat, "name", ["x"], "ann")
    history = catalog.edits(cat)
    assert [(edit.field, edit.values, edit.editor) for edit in history] == [
        ("tags", ("one",), "ann"),
        ("tags", ("two",), "bob"),
        ("tags", None, "ann"),
        ("name", ("x",), "ann"),
    ]
    assert [edit.edited_at for edit in history] == sorted(edit.edited_at for edit in history)


def test_edits_belong_to_their_sticker(catalog: Catalog, cat: str, entry: MakeEntry) -> None:
    dog = entry("dog", semantics=Semantics(tags=("dog",)))
    catalog.put([dog])
    catalog.edit(cat, "tags", ["cat"], "ann")
    assert {s.id: s.semantics.tags for s in catalog.stickers()} == {cat: ("cat",), dog.sticker_id: ("dog",)}


@pytest.mark.parametrize(("field", "value"), [("language", "zh"), ("rating", "unsafe"), ("style", ""), ("rating", "")])
def test_scalars_can_be_edited(catalog: Catalog, cat: str, field: str, value: str) -> None:
    catalog.edit(cat, field, [f" {value} "], "ann")
    assert getattr(catalog.sticker(cat), field) == value
    catalog.reset(cat, field)
    assert getattr(catalog.sticker(cat), field) == {"language": "en", "rating": "safe", "style": "ink"}[field]


@pytest.mark.parametrize(
    ("field", "values", "says"),
    [
        ("colour", ["red"], "tags, emoji"),
        ("Tags", ["red"], "tags, emoji"),
        ("tags", "red", r"\['red'\]"),
        ("rating", ["awful"], "'unsafe'"),
        ("rating", [], "exactly one"),
        ("language", ["en", "de"], "exactly one"),
    ],
)
def test_edits_that_cannot_be(catalog: Catalog, cat: str, field: str, values: list[str], says: str) -> None:
    with pytest.raises(CatalogError, match=says):
        catalog.edit(cat, field, values, "ann")
    assert catalog.edits(cat) == []


def test_a_reset_of_no_field(catalog: Catalog, cat: str) -> None:
    with pytest.raises(CatalogError, match=", ".join(EDITABLE)):
        catalog.reset(cat, "colour")


def test_unknown_stickers_cannot_be_edited(catalog: Catalog) -> None:
    for call in (
        lambda: catalog.edit("0" * 32, "tags", ["x"], "ann"),
        lambda: catalog.reset("0" * 32, "tags"),
        lambda: catalog.edits("0" * 32),
    ):
        with pytest.raises(NotFoundError, match="no sticker"):
            call()
