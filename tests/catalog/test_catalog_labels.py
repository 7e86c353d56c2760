from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from persrv.catalog import Catalog, Entry
from persrv.records import Interaction, Semantics

MakeEntry = Callable[..., Entry]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def ids(catalog: Catalog, entry: MakeEntry) -> list[str]:
    made = [entry(name) for name in ("cat", "dog", "owl")]
    catalog.put(made)
    return [each.sticker_id for each in made]


def test_labels_are_names_and_tags_of_listed_stickers(catalog: Catalog, entry: MakeEntry) -> None:
    texts = Semantics(name=("cat",), tags=("pet", "猫"), description=("a long sentence",), ocr=("MEOW",))
    catalog.put([entry("a", semantics=texts), entry("b", semantics=Semantics(tags=("pet", "dog")))])
    assert Counter(catalog.labels()) == {"cat": 1, "pet": 2, "猫": 1, "dog": 1}
    second = next(s.id for s in catalog.stickers() if "dog" in s.semantics.tags)
    catalog.edit(second, "tags", ["wolf"], "ann")
    assert Counter(catalog.labels()) == {"cat": 1, "pet": 1, "猫": 1, "wolf": 1}


def test_queries_of_few_people_stay_private(catalog: Catalog, ids: list[str]) -> None:
    for user, query in [("a", "hi"), ("b", "HI "), ("c", "hi"), ("a", "me"), ("a", "me"), ("b", "two"), ("c", "two")]:
        catalog.record(Interaction(user, query, ids[0], NOW))
    catalog.record(Interaction("robot", "hi", ids[0], NOW, "simulated"))
    assert catalog.public_queries(3, 9) == [("hi", 3)]
    assert catalog.public_queries(2, 9) == [("hi", 3), ("two", 2)]
    assert catalog.public_queries(1, 1) == [("hi", 3)]


def test_samples_go_around_the_end(catalog: Catalog, ids: list[str]) -> None:
    assert catalog.sample(["0" * 32]) == [min(ids)]
    assert catalog.sample(["f" * 32]) == [min(ids)]
    assert catalog.sample(sorted(ids)) == sorted(ids)
    assert catalog.sample([]) == []


def test_names_of_users_and_packs(catalog: Catalog, ids: list[str], entry: MakeEntry) -> None:
    for user in ("bo", "ann", "cy", "bo"):
        catalog.record(Interaction(user, "", ids[0], NOW))
    assert catalog.user_names(None, 9) == ["ann", "bo", "cy"]
    assert catalog.user_names("ann", 1) == ["bo"]
    catalog.put([entry("x", pack="Zoo"), entry("y", pack="Apes"), entry("z", pack="Zoo")])
    assert [name for name in catalog.pack_names(9) if name in ("Apes", "Zoo")] == ["Apes", "Zoo"]
    assert len(catalog.pack_names(1)) == 1


def test_an_empty_catalog(catalog: Catalog) -> None:
    assert list(catalog.labels()) == catalog.sample(["0" * 32]) == catalog.user_names(None, 9) == []
