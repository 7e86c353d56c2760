from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.catalog import Catalog, Entry
from persrv.catalog.phrases import fold_query, tidy
from persrv.errors import CatalogError, NotFoundError
from persrv.records import Semantics

MakeEntry = Callable[..., Entry]


def test_sources_stand_side_by_side_and_each_replaces_only_itself(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat", semantics=Semantics(tags=("cat",)))
    catalog.put([cat])
    catalog.put_semantics(cat.sticker_id, "vlm", "m1", Semantics(tags=("grumpy",), description=("a cat",)))
    catalog.put_semantics(cat.sticker_id, "ocr", "o1", Semantics(ocr=("喵",)))
    catalog.put_semantics(cat.sticker_id, "vlm", "m2", Semantics(tags=("happy",)))
    readings = catalog.semantics_sources(cat.sticker_id)
    assert [(reading.source, reading.model, reading.key, reading.semantics) for reading in readings] == [
        ("loader:emoji", "", "cat", Semantics(tags=("cat",))),
        ("ocr", "o1", "", Semantics(ocr=("喵",))),
        ("vlm", "m2", "", Semantics(tags=("happy",))),
    ]
    assert all(reading.read_at.utcoffset() is not None for reading in readings)
    assert catalog.sticker(cat.sticker_id).semantics == Semantics(tags=("cat", "happy"), ocr=("喵",))


def test_loaders_come_first_whatever_the_names(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat", loader="zzz", semantics=Semantics(tags=("loader",)))
    catalog.put([cat])
    for source in ("b", "a", "loaded"):
        catalog.put_semantics(cat.sticker_id, source, "", Semantics(tags=(source,)))
    assert catalog.sticker(cat.sticker_id).semantics.tags == ("loader", "a", "b", "loaded")


def test_phrases_that_differ_in_case_or_space_are_one(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat", semantics=Semantics(tags=(" Cat ", "", "  ", "CAT", "Straße")))
    catalog.put([cat])
    catalog.put_semantics(cat.sticker_id, "vlm", "m", Semantics(tags=("STRASSE", "cat", "dog")))
    assert catalog.sticker(cat.sticker_id).semantics.tags == ("Cat", "Straße", "dog")


def test_nothing_new_keeps_the_time_and_something_new_does_not(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat")
    catalog.put([cat])

    def read_at() -> object:
        return next(message.read_at for message in catalog.semantics_sources(cat.sticker_id) if message.source == "ocr")

    catalog.put_semantics(cat.sticker_id, "ocr", "m", Semantics(ocr=("x",)))
    first = read_at()
    catalog.put_semantics(cat.sticker_id, "ocr", "m", Semantics(ocr=("x",)))
    assert read_at() == first
    catalog.put_semantics(cat.sticker_id, "ocr", "m", Semantics(ocr=("y",)))
    assert read_at() != first


def test_unread_stickers_are_those_that_a_model_has_not_seen(catalog: Catalog, entry: MakeEntry) -> None:
    cat, dog, gone = entry("cat"), entry("dog"), entry("gone")
    catalog.put([cat, dog, gone])
    catalog.remove_missing("emoji", ["cat", "dog"])
    assert catalog.unread("ocr", "m1") == sorted([cat.sticker_id, dog.sticker_id])
    catalog.put_semantics(cat.sticker_id, "ocr", "m1", Semantics())
    assert catalog.unread("ocr", "m1") == [dog.sticker_id]
    assert catalog.unread("ocr", "m2") == sorted([cat.sticker_id, dog.sticker_id])
    assert catalog.unread("vlm", "m1") == sorted([cat.sticker_id, dog.sticker_id])


@pytest.mark.parametrize("source", ["", "loader:emoji"])
def test_names_that_a_source_cannot_have(catalog: Catalog, entry: MakeEntry, source: str) -> None:
    cat = entry("cat")
    catalog.put([cat])
    with pytest.raises(CatalogError, match="name"):
        catalog.put_semantics(cat.sticker_id, source, "", Semantics())


@pytest.mark.parametrize("unknown", ["0" * 32, "", "'; --", "a\0"])
def test_unknown_stickers(catalog: Catalog, unknown: str) -> None:
    with pytest.raises(NotFoundError, match="no sticker"):
        catalog.put_semantics(unknown, "ocr", "m", Semantics())
    with pytest.raises(NotFoundError, match="no sticker"):
        catalog.semantics_sources(unknown)


@given(st.lists(st.text()))
def test_tidy_keeps_the_first_of_each_phrase_and_is_idempotent(phrases: list[str]) -> None:
    tidied = tidy(phrases)
    assert tidy(tidied) == tidied
    assert len({phrase.casefold() for phrase in tidied}) == len(tidied)
    assert all(phrase == phrase.strip() != "" for phrase in tidied)
    stripped = [phrase.replace("\0", "").strip() for phrase in phrases]
    assert [phrase for phrase in stripped if phrase in tidied][: len(tidied)] or not tidied
    assert {phrase.casefold() for phrase in stripped if phrase} == {phrase.casefold() for phrase in tidied}


@pytest.mark.parametrize(
    ("typed", "folded"),
    [("Happy  Birthday ", "happy birthday"), ("ＡＢＣ", "abc"), ("开心\u3000猫", "开心 猫"), (" \t\n", ""), ("\0", "")],
)
def test_queries_that_mean_the_same_are_folded_into_one(typed: str, folded: str) -> None:
    assert fold_query(typed) == folded


def test_many_at_once_are_as_one_by_one_and_all_or_nothing(catalog: Catalog, entry: MakeEntry) -> None:
    cat, dog = entry("cat"), entry("dog")
    catalog.put([cat, dog])
    texts = {cat.sticker_id: Semantics(ocr=("meow",)), dog.sticker_id: Semantics()}
    catalog.put_all_semantics("ocr", "m1", texts)
    assert catalog.unread("ocr", "m1") == []
    assert catalog.sticker(cat.sticker_id).semantics.ocr == ("meow",)
    with pytest.raises(NotFoundError, match="f" * 32):
        catalog.put_all_semantics("ocr", "m2", {cat.sticker_id: Semantics(), "f" * 32: Semantics()})
    assert len(catalog.unread("ocr", "m2")) == 2
    catalog.put_all_semantics("ocr", "m2", {})
    with pytest.raises(CatalogError, match="loader:"):
        catalog.put_all_semantics("loader:x", "m", {})
