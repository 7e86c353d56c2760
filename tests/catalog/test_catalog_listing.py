from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from persrv.catalog import Catalog, Entry, content_id
from persrv.errors import CatalogError, NotFoundError
from persrv.records import Semantics, SourceSticker, Sticker

MakeEntry = Callable[..., Entry]


def test_a_sticker_carries_all_that_is_known(catalog: Catalog, entry: MakeEntry) -> None:
    made = entry("cat", pack="pets", semantics=Semantics(name=("Cat",), pack=("Tiere",)), language="en", style="ink")
    catalog.put([made])
    assert catalog.sticker(made.sticker_id) == Sticker(
        id=made.sticker_id,
        path=Path("/pictures/cat"),
        format="png",
        width=64,
        height=32,
        frames=1,
        packs=("pets",),
        semantics=Semantics(name=("Cat",), pack=("pets", "Tiere")),
        language="en",
        rating="",
        style="ink",
    )


@pytest.mark.parametrize("batch", [1, 7, 30, 500])
def test_stickers_come_in_ascending_id_whatever_the_batch(catalog: Catalog, entry: MakeEntry, batch: int) -> None:
    made = [entry(f"picture {n}", semantics=Semantics(tags=(f"t{n}",))) for n in range(30)]
    catalog.put(made)
    found = list(catalog.stickers(batch=batch))
    assert [s.id for s in found] == sorted(e.sticker_id for e in made)
    assert {s.id: s.semantics.tags for s in found} == {e.sticker_id: e.source.semantics.tags for e in made}
    some = [made[3].sticker_id, "0" * 32, made[9].sticker_id, made[3].sticker_id]
    assert [s.id for s in catalog.stickers(some, batch=batch)] == sorted({made[3].sticker_id, made[9].sticker_id})


def test_the_number_of_queries_does_not_grow_with_the_stickers(catalog: Catalog, entry: MakeEntry) -> None:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement != "BEGIN":
            statements.append(statement)

    catalog.put([entry(f"picture {n}", semantics=Semantics(tags=("t",))) for n in range(400)])
    event.listen(catalog._database._readers, "before_cursor_execute", note)
    few = len(list(catalog.stickers([entry("picture 1").sticker_id])))
    for_few = len(statements)
    many = len(list(catalog.stickers()))
    assert (few, many) == (1, 400)
    # Two more: one that finds the page, and one that finds that there is no other.
    assert len(statements) - for_few == for_few + 2


def test_others_can_write_while_somebody_walks(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put([entry(f"picture {n}") for n in range(10)])
    seen = []
    for sticker in catalog.stickers(batch=2):
        catalog.edit(sticker.id, "tags", ["seen"], "ann")
        seen.append(sticker.id)
    assert len(seen) == 10
    assert all(sticker.semantics.tags == ("seen",) for sticker in catalog.stickers())


def test_one_source_that_says_unsafe_outweighs_the_others(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put(
        [entry("cat", "k1", rating="safe"), entry("cat", "k2", rating="unsafe"), entry("cat", "k3", rating="safe")]
    )
    catalog.put([entry("dog", "k4"), entry("dog", "k5", rating="safe")])
    assert catalog.sticker(entry("cat").sticker_id).rating == "unsafe"
    assert catalog.sticker(entry("dog").sticker_id).rating == "safe"


def test_paths_of_listed_stickers(catalog: Catalog, entry: MakeEntry) -> None:
    bare = Entry(content_id(b"bare"), "emoji", SourceSticker("bare", None))
    drawn = Entry(bare.sticker_id, "z", SourceSticker("z", Path("/z.png")))
    cat, gone = entry("cat", "k2"), entry("gone")
    catalog.put([cat, entry("cat", "k1"), bare, gone])
    catalog.remove_missing("emoji", ["k1", "k2", "bare"])
    wanted = [cat.sticker_id, bare.sticker_id, gone.sticker_id, "0" * 32]
    assert catalog.paths(wanted) == {cat.sticker_id: Path("/pictures/k1"), bare.sticker_id: None}
    catalog.put([drawn])
    assert catalog.paths(wanted)[bare.sticker_id] == catalog.sticker(bare.sticker_id).path == Path("/z.png")


def test_paths_are_those_of_the_stickers_however_many_and_however_placed(catalog: Catalog) -> None:
    chance = random.Random(0)
    entries = []
    for number in range(1_100):
        for _ in range(chance.randint(1, 3)):
            loader, key = chance.choice(["a", "emoji", "z"]), str(len(entries))
            path = chance.choice([None, Path(f"/{loader}/{key}.png")])
            entries.append(Entry(content_id(str(number).encode()), loader, SourceSticker(key, path)))
    chance.shuffle(entries)
    catalog.put(entries)
    expected = {sticker.id: sticker.path for sticker in catalog.stickers()}
    assert len(expected) == 1_100
    assert catalog.paths([*expected, *expected]) == expected


def test_a_sticker_is_found_by_the_beginning_of_its_id(catalog: Catalog, entry: MakeEntry) -> None:
    made = [entry(f"picture {n}").sticker_id for n in range(40)]
    catalog.put([entry(f"picture {n}") for n in range(40)])
    for sticker_id in made:
        shortest = next(n for n in range(1, 33) if sum(other.startswith(sticker_id[:n]) for other in made) == 1)
        assert catalog.sticker(sticker_id[:shortest]).id == sticker_id
        assert catalog.sticker(f" {sticker_id[:shortest].upper()} ").id == sticker_id


def test_a_beginning_that_several_share_lists_them(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put([entry(f"picture {n}") for n in range(40)])
    ids = sorted(entry(f"picture {n}").sticker_id for n in range(40))
    groups = {digit: [i for i in ids if i[0] == digit] for digit in "0123456789abcdef"}
    digit, group = next((d, g) for d, g in groups.items() if 2 <= len(g) <= 8)
    with pytest.raises(NotFoundError, match="more digits") as caught:
        catalog.sticker(digit)
    assert [i for i in ids if i in str(caught.value)] == group


def test_a_long_list_of_candidates_is_cut(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put([entry(f"picture {n}") for n in range(400)])
    with pytest.raises(NotFoundError, match=r"^'0' begins the ids ([0-9a-f]{32}, ){8}\.\.\.; give more digits$"):
        catalog.sticker("0")


@pytest.mark.parametrize("prefix", ["", " ", "%", "_", "zz", "' OR 1=1 --", "0" * 33, "\0", "\ud800", "ﬀ"])
def test_what_begins_no_id(catalog: Catalog, entry: MakeEntry, prefix: str) -> None:
    catalog.put([entry("cat")])
    with pytest.raises(NotFoundError, match="first digits"):
        catalog.sticker(prefix)


def test_a_time_without_zone_is_refused(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put([entry("cat")])
    with pytest.raises(CatalogError, match="time zone"):
        list(catalog.stickers(until=datetime(2024, 1, 1)))
