from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from persrv.catalog import Catalog, Entry, KnownFile, sticker_id_of_key
from persrv.errors import CatalogError, NotFoundError
from persrv.records import Semantics, SourceSticker

MakeEntry = Callable[..., Entry]


def tagged(*tags: str) -> Semantics:
    return Semantics(tags=tags)


def test_putting_the_same_again_changes_nothing(catalog: Catalog, entry: MakeEntry) -> None:
    batch = [entry("cat", semantics=tagged("a")), entry("dog", pack="pets")]
    catalog.put(batch)
    before = list(catalog.stickers()), catalog.semantics_sources(batch[0].sticker_id)
    catalog.put(batch)
    assert (list(catalog.stickers()), catalog.semantics_sources(batch[0].sticker_id)) == before
    assert catalog.count() == 2


def test_one_picture_under_two_keys_is_one_sticker_with_all_packs_and_texts(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put(
        [
            entry("cat", "k2", pack="zoo", semantics=tagged("two"), style="ink"),
            entry("cat", "k1", pack="pets", semantics=tagged("one"), language="en"),
            entry("cat", "k1", loader="album", pack="zoo", semantics=tagged("album")),
        ]
    )
    (sticker,) = catalog.stickers()
    assert sticker.packs == ("pets", "zoo")
    assert sticker.semantics == Semantics(tags=("album", "one", "two"), pack=("pets", "zoo"))
    assert (sticker.language, sticker.style) == ("en", "ink")
    assert [reading.source for reading in catalog.semantics_sources(sticker.id)] == [
        "loader:album",
        "loader:emoji",
        "loader:emoji",
    ]


def test_order_of_arrival_does_not_matter(catalog: Catalog, entry: MakeEntry) -> None:
    found = [entry("cat", f"k{n}", pack=f"p{n}", semantics=tagged(f"t{n}"), style=f"s{n}") for n in range(4)]
    catalog.put(found)
    before = list(catalog.stickers())
    catalog.remove_missing("emoji", [])
    for one in reversed(found):
        catalog.put([one])
    assert list(catalog.stickers()) == before


def test_the_last_of_equal_keys_in_a_batch_counts(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put([entry("cat", "k"), entry("dog", "k")])
    assert [sticker.id for sticker in catalog.stickers()] == [entry("dog").sticker_id]


def test_changed_texts_replace_those_of_the_same_loader_and_key_only(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put([entry("cat", "k1", semantics=tagged("old")), entry("cat", "k2", semantics=tagged("other"))])
    catalog.put([entry("cat", "k1", semantics=Semantics(name=("new",)))])
    (sticker,) = catalog.stickers()
    assert sticker.semantics == Semantics(name=("new",), tags=("other",))


def test_a_file_whose_content_changed_moves_to_another_sticker(catalog: Catalog, entry: MakeEntry) -> None:
    old, new = entry("old", "k", semantics=tagged("drawn")), entry("new", "k", semantics=tagged("drawn"))
    catalog.put([old])
    catalog.edit(old.sticker_id, "name", ["mine"], "ann")
    catalog.put([new])
    assert [sticker.id for sticker in catalog.stickers()] == [new.sticker_id]
    assert catalog.semantics_sources(old.sticker_id) == []
    assert catalog.remove_missing("emoji", ["k"]) == []
    catalog.put([old])
    assert catalog.sticker(old.sticker_id).semantics == Semantics(name=("mine",), tags=("drawn",))


def test_known_files_tell_whether_a_file_changed(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat")
    bare = Entry(sticker_id_of_key("emoji", "bare"), "emoji", SourceSticker("bare", None))
    catalog.put([cat, bare, entry("cat", loader="other")])
    assert catalog.known_files("emoji", ["cat", "bare"]) == {
        "cat": KnownFile("/pictures/cat", 3, 7, cat.sticker_id, cat.format, cat.width, cat.height, cat.frames),
        "bare": KnownFile(None, 0, 0, bare.sticker_id, "", 0, 0, 0),
    }
    catalog.put([replace(cat, mtime_ns=2**62)])
    assert catalog.known_files("emoji", ["cat"])["cat"].mtime_ns == 2**62
    assert catalog.known_files("nobody", ["cat"]) == {}


def test_a_sticker_without_a_picture(catalog: Catalog) -> None:
    sticker_id = sticker_id_of_key("names", "k")
    catalog.put([Entry(sticker_id, "names", SourceSticker("k", None, semantics=tagged("x")))])
    sticker = catalog.sticker(sticker_id)
    assert (sticker.path, sticker.format, sticker.frames) == (None, "", 0)


def test_resolve_leaves_unknown_keys_out(catalog: Catalog, entry: MakeEntry) -> None:
    batch = [entry(f"content {n}", f"k{n}") for n in range(1100)]
    catalog.put(batch)
    assert catalog.resolve("emoji", ["k5", "nothing", "k1099", "k5"]) == {
        "k5": batch[5].sticker_id,
        "k1099": batch[1099].sticker_id,
    }
    assert catalog.resolve("emoji", (f"k{n}" for n in range(1100))) == {e.source.key: e.sticker_id for e in batch}
    assert catalog.resolve("other", ["k5"]) == {}


def test_a_removed_sticker_keeps_its_history_and_comes_back(catalog: Catalog, entry: MakeEntry) -> None:
    cat, dog = entry("cat", semantics=tagged("said")), entry("dog")
    catalog.put([cat, dog])
    catalog.edit(cat.sticker_id, "name", ["mine"], "ann")
    catalog.put_semantics(cat.sticker_id, "ocr", "m", Semantics(ocr=("text",)))
    before = catalog.sticker(cat.sticker_id)
    assert catalog.remove_missing("emoji", {"dog"}) == [cat.sticker_id]
    assert catalog.count() == 1
    assert [sticker.id for sticker in catalog.stickers()] == [dog.sticker_id]
    assert list(catalog.stickers([cat.sticker_id])) == []
    with pytest.raises(NotFoundError):
        catalog.sticker(cat.sticker_id)
    assert [edit.values for edit in catalog.edits(cat.sticker_id)] == [("mine",)]
    assert catalog.remove_missing("emoji", {"dog"}) == []
    catalog.put([cat])
    assert catalog.sticker(cat.sticker_id) == before
    assert catalog.remove_missing("emoji", {"cat", "dog"}) == []


def test_removing_touches_only_the_loaders_own_placements(catalog: Catalog, entry: MakeEntry) -> None:
    batch = [entry(f"content {n}", f"k{n}", pack="bulk", semantics=tagged(f"t{n}")) for n in range(1200)]
    catalog.put([*batch, entry("content 0", "other", loader="album", semantics=tagged("album"))])
    gone = catalog.remove_missing("emoji", {"k1"})
    # The first one stays in the album.
    assert gone == sorted(e.sticker_id for e in batch[2:])
    kept = {sticker.id: sticker for sticker in catalog.stickers()}
    assert set(kept) == {batch[0].sticker_id, batch[1].sticker_id}
    assert kept[batch[0].sticker_id].semantics == tagged("album")


def test_what_is_no_id_is_refused_before_anything_is_written(catalog: Catalog, entry: MakeEntry) -> None:
    with pytest.raises(CatalogError, match="no sticker id"):
        catalog.put([entry("cat"), replace(entry("dog"), sticker_id="dog")])
    assert catalog.count() == 0


def test_an_empty_batch_is_fine(catalog: Catalog) -> None:
    catalog.put([])
    assert catalog.count() == 0


def test_hostile_text_is_stored_as_text(catalog: Catalog, entry: MakeEntry) -> None:
    nasty = "x'); DROP TABLE stickers; -- %s :a ? \\"
    torn = "a\0b\ud800"
    catalog.put([entry("cat", nasty, pack=nasty, semantics=tagged(nasty, torn)), entry("dog", torn)])
    assert catalog.sticker(entry("cat").sticker_id).semantics == Semantics(tags=(nasty, "ab?"), pack=(nasty,))
    assert set(catalog.known_files("emoji", [nasty, torn])) == {nasty, "ab?"}
    assert catalog.resolve("emoji", [nasty, torn]) == {
        nasty: entry("cat").sticker_id,
        torn: entry("dog").sticker_id,
    }
    assert catalog.remove_missing("emoji", [nasty, torn]) == []
