from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from persrv.catalog import Catalog, Entry
from persrv.records import Interaction

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


def test_a_forgotten_query_is_gone_from_the_file(tmp_path: Path, entry: MakeEntry) -> None:
    file = tmp_path / "c.db"
    with Catalog.open(file) as catalog:
        catalog.put([entry("cat")])
        catalog.record(Interaction("ann", "a-most-private-query", entry("cat").sticker_id, NOON))
    assert b"a-most-private-query" in file.read_bytes()
    with Catalog.open(file) as catalog:
        catalog.forget("ann")
    sqlite3.connect(file).close()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"a-most-private-query" not in left
