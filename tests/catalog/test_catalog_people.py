from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from persrv.catalog import Catalog, Entry
from persrv.records import Interaction, SourcePick

MakeEntry = Callable[..., Entry]
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def test_export_and_forget(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat").sticker_id
    catalog.put([entry("cat")])
    anns = [Interaction("ann", "hi", cat, NOON), Interaction("ann", "", cat, NOON, "send")]
    bobs = [Interaction("bob", "hi", cat, NOON)]
    catalog.put_interactions([*anns, *bobs])
    catalog.edit(cat, "tags", ["hers"], "ann")
    catalog.edit(cat, "name", ["his"], "bob")
    assert catalog.export("ann") == anns
    assert catalog.forget("ann") == 2
    assert catalog.export("ann") == []
    assert [user.user for user in catalog.users()] == ["bob"]
    assert list(catalog.interactions()) == bobs
    assert [(edit.values, edit.editor) for edit in catalog.edits(cat)] == [(("hers",), ""), (("his",), "bob")]
    assert catalog.forget("ann") == 0
    assert catalog.export("nobody") == []


def test_old_picks_of_a_forgotten_person_are_not_taken_in_again(catalog: Catalog, entry: MakeEntry) -> None:
    cat, now = entry("cat").sticker_id, datetime.now(UTC)
    catalog.put([entry("cat")])
    old = [SourcePick("ann", "hi", "cat", NOON), SourcePick("ann", "hi", "cat"), SourcePick("bob", "hi", "cat", NOON)]
    wrong_clock = SourcePick("ann", "hi", "cat", datetime(2099, 1, 1, tzinfo=UTC))
    catalog.put_picks("emoji", [*old, wrong_clock])
    assert catalog.forget("ann") == 3
    report = catalog.put_picks("emoji", [*old, wrong_clock])
    assert (report.new, report.known, report.forgotten) == (0, 1, 3)
    assert not catalog.record(Interaction("ann", "hi", cat, now - timedelta(seconds=1)))
    assert catalog.export("ann") == []
    # Who comes back is a new person.
    assert catalog.record(Interaction("ann", "hi", cat, datetime.now(UTC)))
    assert catalog.put_picks("emoji", old).new == 0
    assert len(catalog.export("ann")) == 1
    assert set(catalog.forgotten_users(["ann", "bob"])) == {"ann"}
    assert catalog.forgotten_users(["ann"], since=catalog.forgettings()) == {}
    assert catalog.forget("bob") == 1
    assert set(catalog.forgotten_users(["ann", "bob"], since=catalog.forgettings() - 1)) == {"bob"}


def test_marks_tell_no_names(tmp_path: Path, entry: MakeEntry) -> None:
    for name in ("a", "b"):
        with Catalog.open(tmp_path / f"{name}.db") as catalog:
            catalog.forget("zoe")
    marks = []
    for name in ("a", "b"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database:
            marks += [mark for (mark,) in database.execute("SELECT mark FROM forgotten")]
        assert b"zoe" not in (tmp_path / f"{name}.db").read_bytes()
    assert len(set(marks)) == 2
    assert hashlib.sha256(b"zoe").hexdigest() not in marks


def test_forgetting_touches_the_stickers_that_were_picked(catalog: Catalog, entry: MakeEntry) -> None:
    catalog.put([entry("cat"), entry("dog")])
    catalog.record(Interaction("ann", "hi", entry("cat").sticker_id, NOON))
    before = catalog.revision()
    catalog.forget("ann")
    assert catalog.revision() == before + 1


def test_a_callers_own_id_makes_repeating_harmless(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat").sticker_id
    catalog.put([entry("cat")])
    first = Interaction("ann", "hi", cat, NOON, pick_id="42")
    assert catalog.record(first)
    assert not catalog.record(replace(first, time=NOON + timedelta(minutes=1), query="other"))
    assert catalog.record(replace(first, pick_id="43"))
    assert catalog.record(replace(first, user="bob"))
    assert catalog.record(replace(first, pick_id=None))
    assert [pick.pick_id for pick in catalog.export("ann")] == ["42", "43", None]


def test_a_forgotten_query_is_gone_from_the_file(tmp_path: Path, entry: MakeEntry) -> None:
    file = tmp_path / "c.db"
    with Catalog.open(file) as catalog:
        catalog.put([entry("cat")])
        catalog.record(Interaction("ann", "a-most-private-query", entry("cat").sticker_id, NOON))
    assert b"a-most-private-query" in file.read_bytes()
    with Catalog.open(file) as catalog, Catalog.open(file) as other:
        other.count()
        catalog.forget("ann")
        # While both are open: nobody has to close the catalog for it.
        left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"a-most-private-query" not in left
    assert b"ann" not in left
