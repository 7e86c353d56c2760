"""A short seeded run; ``python tests/survival --kills 1000`` is the long one."""

from __future__ import annotations

import os

import pytest
from harness import Oracle, check, survive

from persrv.catalog import Catalog
from persrv.workspace import Workspace
from tiny_collection import Tiny


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_nothing_acknowledged_is_lost_by_kills(tiny: Tiny) -> None:
    last = Oracle()
    for oracle in survive(tiny.file, tiny.home, kills=6, seed=3, longest_s=2.0):
        last = oracle
    assert last.acts["record"] > 10
    assert last.open_acts.total() >= 4


def test_the_oracle_sees_a_lost_pick_and_a_lost_edit(tiny: Tiny) -> None:
    def catalog() -> Catalog:
        return Workspace.of(tiny.file, tiny.home).existing_catalog()

    with catalog() as opened:
        sticker = next(iter(opened.stickers())).id
    check(tiny.file, tiny.home, Oracle(), None)
    with pytest.raises(AssertionError, match="lost"):
        check(tiny.file, tiny.home, Oracle(picks={("ann", "cat", sticker, "pick1")}), None)
    with pytest.raises(AssertionError, match="added stickers are lost"):
        check(tiny.file, tiny.home, Oracle(added={"a" * 32}), None)
    with pytest.raises(AssertionError, match="edits"):
        check(tiny.file, tiny.home, Oracle(edited={sticker: ("mine",)}), None)
    # What was going on may have happened or not.
    going = {"act": "record", "user": "ann", "query": "cat", "sticker": sticker, "pick": "pick1"}
    check(tiny.file, tiny.home, Oracle(), going)
