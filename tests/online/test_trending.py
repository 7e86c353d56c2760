"""Trending: what most people picked lately, and nothing of what one person alone typed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from persrv.cli import app
from persrv.errors import QueryError
from persrv.online.retriever import Retriever
from tiny_collection import Tiny

NOW = datetime.now(UTC)


def record(retriever: Retriever, query: str, sticker_id: str, people: int, days: float, first: int = 0) -> None:
    for number in range(first, first + people):
        retriever.record(f"p{number}", query, sticker_id, time=NOW - timedelta(days=days))


def test_most_people_of_the_last_days_come_first(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        old, new, lone = (hit.sticker_id for hit in retriever.search("rain", limit=3))
        record(retriever, "wet", old, 5, days=30)
        record(retriever, "wet", new, 3, days=2)
        record(retriever, "drip", lone, 1, days=1, first=7)
        week = retriever.trending(days=7)
        assert [hit.sticker_id for hit in week[:2]] == [new, lone]
        assert [hit.score for hit in week[:2]] == [3.0, 1.0]
        assert week.reason == "trending" and "2 stickers were picked in the last 7 days" in week.note
        assert len({hit.sticker_id for hit in week}) == 20, "popular ones follow"
        assert [hit.sticker_id for hit in retriever.trending(days=60)[:2]] == [old, new]
        for_wet = retriever.trending("Wet", days=60, limit=30)
        assert [hit.sticker_id for hit in for_wet[:2]] == [old, new]
        paged = [hit.sticker_id for at in (0, 1, 2) for hit in retriever.trending(days=60, limit=1, offset=at)]
        assert paged == [old, new, lone]


def test_one_persons_query_and_filters(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        sticker = retriever.search("rain", limit=1)[0].sticker_id
        record(retriever, "my ex sabrina", sticker, 1, days=1)
        answer = retriever.trending("my ex sabrina", days=7)
        assert answer.reason == "unmatched" and "no sticker was picked" in answer.note
        record(retriever, "wet", sticker, 3, days=1)
        assert retriever.trending(days=7, filters={"style": "nothing"}).hits == ()
        # Somebody who was forgotten counts no more.
        before = retriever.trending("wet", days=7)[0].score
        retriever.forget("p0")
        assert (before, retriever.trending("wet", days=7)[0].score) == (3.0, 2.0)
        with pytest.raises(QueryError, match="days"):
            retriever.trending(days=0)


def test_the_command_line_lists_it(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        record(retriever, "wet", retriever.search("rain", limit=1)[0].sticker_id, 2, days=1)
    shown = CliRunner().invoke(
        app, ["trending", "wet", "--recipe", str(tiny.file)], env={"PERSRV_HOME": str(tiny.home)}
    )
    assert shown.exit_code == 0, shown.output
    assert "1 sticker was picked in the last 7 days" in " ".join(shown.stdout.split())


def test_where_nothing_was_picked_lately_the_note_says_so(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        answer = retriever.trending(days=0.01)
        assert answer.note == "no sticker was picked in the last 0.01 days; these are popular" and len(answer) > 0
