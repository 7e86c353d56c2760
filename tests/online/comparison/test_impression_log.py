"""What was shown is written behind the answer: never late, never lost without a word, never a reason to fail."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from persrv.catalog import Catalog
from persrv.online.comparison.impression_log import ImpressionLog
from persrv.records import Impression
from tiny_collection import Tiny


def seen(user: str, query: str = "cat") -> Impression:
    return Impression("style", "0" * 16, user, query, datetime(2026, 3, 1, tzinfo=UTC), {"0" * 32: "a"})


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(f"sqlite:///{tmp_path / 'catalog.db'}?timeout=0.1") as opened:
        yield opened


def hold(file: Path) -> sqlite3.Connection:
    """Take the right to write, as a build does while it stores much."""
    held = sqlite3.connect(file, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    return held


def test_a_search_does_not_mind_a_catalog_that_is_locked(tiny: Tiny) -> None:
    tiny.file.write_text(tiny.file.read_text() + '[compare]\nname = "style"\nb = { gamma = 0.3 }\n')
    with tiny.open() as retriever:
        held = hold(tiny.home / "tiny" / "catalog.db")
        assert len(retriever.search("cat", "ann")) == 3
        assert len(retriever.search("dog", "ann")) == 3
        held.rollback()
        assert [one.query for one in retriever.impressions("ann")] == ["cat", "dog"]
        held.close()


def test_what_waits_is_written_when_the_lock_is_gone(
    catalog: Catalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held, log = hold(tmp_path / "catalog.db"), ImpressionLog(catalog)
    for number in range(3):
        log.put(seen("ann", str(number)))
    assert not log.settle(0.5)
    held.rollback()
    assert log.settle()
    log.close()
    log.close()
    assert [one.query for one in catalog.impressions()] == ["0", "1", "2"]
    assert "not written yet" in caplog.text
    held.close()


def test_what_cannot_be_written_at_the_end_is_lost_with_a_word(
    catalog: Catalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held, log = hold(tmp_path / "catalog.db"), ImpressionLog(catalog)
    log.put(seen("ann"))
    with caplog.at_level(logging.WARNING):
        log.close()
    assert "1 impressions were lost" in caplog.text
    held.rollback()
    assert list(catalog.impressions()) == []
    held.close()


def test_what_waits_of_a_forgotten_user_is_never_written(catalog: Catalog, tmp_path: Path) -> None:
    held, log = hold(tmp_path / "catalog.db"), ImpressionLog(catalog)
    for user in ("ann", "bo", "ann"):
        log.put(seen(user))
    log.drop("ann")
    held.rollback()
    log.close()
    assert [one.user for one in catalog.impressions()] == ["bo"]
    held.close()
