from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from persrv.catalog import ADDED, Catalog, Entry
from persrv.catalog.indexed import IndexedSticker
from persrv.errors import BuildGoneError
from persrv.recipe import Text
from persrv.records import Interaction, Semantics, SourceSticker
from persrv.text import CorpusStatistics, Terms

THEN = datetime(2024, 5, 1, tzinfo=UTC)
WORDS = st.lists(st.sampled_from(["cat", "cats", "laughing", "laughs", "猫猫", "😀", "don't"]), max_size=4)


def sid(number: int) -> str:
    return f"{number:032x}"


def indexed(number: int, tags: list[str], group: str = "") -> IndexedSticker:
    return IndexedSticker(sid(number), Terms.of({"tags": tags}), group)


@given(changes=st.lists(st.dictionaries(st.integers(0, 4), st.none() | WORDS, min_size=1), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_words_are_those_of_what_is_left_after_any_changes(
    catalog: Catalog, changes: list[dict[int, list[str] | None]]
) -> None:
    build, held = "b1", dict[int, list[str]]()
    catalog.begin_index(build, 0, 0, None)
    catalog.change_indexed(build, [], [sid(number) for number in range(5)], Text())
    catalog.put_counts(build, CorpusStatistics(Text()))
    for change in changes:
        made = [indexed(number, tags) for number, tags in change.items() if tags is not None]
        gone = [sid(number) for number, tags in change.items() if tags is None]
        catalog.change_indexed(build, made, gone, Text())
        for number, tags in change.items():
            if tags is None:
                held.pop(number, None)
            else:
                held[number] = tags
    afresh = CorpusStatistics(Text())
    for tags in held.values():
        afresh.add({"tags": tags})
    counts = catalog.word_counts(build)
    assert counts.documents == afresh.documents
    assert catalog.vocabulary(build) == dict(sorted(afresh.document_frequencies.items()))
    assert counts.frequencies([*afresh.document_frequencies, "nobody's", "\0"]) == afresh.document_frequencies
    assert catalog.surfaces(build) == dict(sorted(afresh.surfaces().items()))
    assert catalog.index_state(build).average_lengths == afresh.average_lengths
    assert set(catalog.indexed(build, [sid(number) for number in range(5)])) == {sid(number) for number in held}


def test_what_a_point_was_made_from_comes_back_as_it_was(catalog: Catalog) -> None:
    sticker = indexed(7, ["laughing cats", "gooood", "猫猫"], group=sid(3))
    catalog.put_indexed("b1", [sticker])
    assert catalog.indexed("b1", [sid(7), sid(8)]) == {sid(7): sticker}
    with pytest.raises(BuildGoneError):
        catalog.indexed("b2", [sid(7)])


def test_a_copy_goes_its_own_way(catalog: Catalog) -> None:
    catalog.begin_index("b1", 4, 2, {"any": "thing"})
    catalog.put_counts("b1", CorpusStatistics(Text()))
    catalog.change_indexed("b1", [indexed(1, ["cat"])], [], Text())
    catalog.copy_index("b1", "b2")
    catalog.change_indexed("b1", [], [sid(1)], Text())
    assert (catalog.vocabulary("b1"), catalog.vocabulary("b2")) == ({}, {"cat": 1})
    assert catalog.index_fit("b2") == {"any": "thing"}
    assert [*catalog.indexed("b2", [sid(1)])] == [sid(1)]


def test_how_far_a_build_follows_is_asked_without_its_fit(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pick that is written asks; a large fit has a megabyte, and no thread runs while it is parsed."""
    catalog.begin_index("b1", 4, 2, {"any": ["thing", "加班", 0.5]})
    catalog.begin_index("b2", 4, 2, None)
    parsed: list[str] = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda text: parsed.append(text) or loads(text))
    assert catalog.index_state("b1").applied == 4
    catalog.put_counts("b1", CorpusStatistics(Text()))
    catalog.change_indexed("b1", [indexed(1, ["cat"])], [], Text())
    assert not [text for text in parsed if "thing" in text]
    assert catalog.index_fit("b1") == {"any": ["thing", "加班", 0.5]}
    assert catalog.index_fit("b2") is None
    with pytest.raises(BuildGoneError):
        catalog.index_fit("b3")


def test_following_never_goes_back(catalog: Catalog) -> None:
    catalog.begin_index("b1", 4, 2, None)
    catalog.follow_index("b1", applied=3, fitted=9)
    state = catalog.index_state("b1")
    assert (state.applied, state.fitted) == (4, 9)


def entry(number: int, tags: tuple[str, ...] = (), pack: str = "", size: int = 0) -> Entry:
    return Entry(sid(number), "folder", SourceSticker(f"k{number}", None, pack, Semantics(tags=tags)), size=size)


def changed(catalog: Catalog, after: int, ready: int = 1 << 40) -> list[str]:
    return [sticker_id for _, sticker_id in catalog.changed("b1", (after, "g"), ready, 100)]


def test_everything_that_shows_in_a_point_gives_a_new_revision(catalog: Catalog) -> None:
    catalog.begin_index("b1", 0, 0, None)
    catalog.put([entry(1, ("cat",)), entry(2)])
    start = catalog.revision()
    assert changed(catalog, start - 1) == [sid(1), sid(2)]
    catalog.put_indexed("b1", [indexed(1, ["cat"])])
    catalog.put([entry(1, ("cat",)), entry(2)])
    catalog.put([entry(1, ("cat",), size=9)])
    assert (catalog.revision(), changed(catalog, start)) == (start, [])
    steps = [
        lambda: catalog.put([entry(1, ("cat", "dog"))]),
        lambda: catalog.put([entry(1, ("cat", "dog"), pack="pets")]),
        lambda: catalog.edit(sid(1), "tags", ["mine"], "ann"),
        lambda: catalog.reset(sid(1), "tags"),
        lambda: catalog.put_semantics(sid(1), "ocr", "m1", Semantics(ocr=("hi",))),
        lambda: catalog.record(Interaction("ann", "q", sid(1), THEN)),
        lambda: catalog.touch([sid(1)]),
        lambda: catalog.remove_missing("folder", {"k2"}),
    ]
    for step in steps:
        before = catalog.revision()
        step()
        assert changed(catalog, before) == [sid(1)]
    before = catalog.revision()
    catalog.record(Interaction("ann", "q", sid(1), THEN))
    catalog.put_semantics(sid(1), "ocr", "m1", Semantics(ocr=("hi",)))
    assert changed(catalog, before) == []


@pytest.mark.parametrize("who", ["nobody", "a build that begins", "whoever has the index open", "indexed", "added"])
def test_a_new_sticker_is_marked_again_only_where_somebody_may_have_made_its_point(catalog: Catalog, who: str) -> None:
    catalog.begin_index("b1", 0, 0, None)
    loader = ADDED if who == "added" else "folder"
    catalog.put([Entry(sid(1), loader, SourceSticker("k1", None))])
    revision = catalog.revision()
    if who == "a build that begins":
        catalog.begin_index("b2", revision, 0, None)
    elif who == "whoever has the index open":
        catalog.set_ready("any", revision)
    elif who == "indexed":
        catalog.put_indexed("b1", [indexed(1, [])])
    catalog.touch([sid(1)])
    assert (catalog.revision() > revision) == (who != "nobody")
    assert changed(catalog, revision) == ([] if who == "nobody" else [sid(1)])


def test_marking_a_new_sticker_goes_through_no_others(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "catalog.db", "any") as catalog:
        catalog.begin_index("b1", 0, 0, None)
        catalog.put([entry(1)])
        asked: list[tuple[str, Any]] = []

        def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                asked.append((statement, parameters))

        event.listen(catalog._database._writers, "before_cursor_execute", note)
        catalog.touch([sid(1)])
        event.remove(catalog._database._writers, "before_cursor_execute", note)
        plans = []
        with catalog._database.read() as connection:
            for statement, parameters in asked:
                plans += [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    about = [plan for plan in plans if "indexed_stickers" in plan]
    assert about and all("sticker_id=?" in plan for plan in about)


def test_a_sticker_that_is_still_being_read_waits(catalog: Catalog) -> None:
    catalog.begin_index("b1", 0, 0, None)
    catalog.put([entry(1)])
    catalog.put_indexed("b1", [indexed(1, [])])
    ready = catalog.revision()
    catalog.put([entry(2)])
    catalog.edit(sid(1), "tags", ["x"], "")
    assert changed(catalog, 0, ready) == [sid(1)]
    assert changed(catalog, 0, ready + 1) == [sid(2), sid(1)]
