from __future__ import annotations

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.serve.middleware import JsonLines
from persrv.serve.rates import CALLERS, RateLimit
from persrv.serve.suggestions import Suggestions
from persrv.text.folding import normalise

PHRASES = [
    ("Happy birthday", 3.0),
    ("happy", 9.0),
    ("开心", 5.0),
    ("生日快乐", 2.0),
    ("birthday cake", 4.0),
    ("Übung", 1.0),
]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("hap", ["happy", "Happy birthday"]),
        ("BIRTH", ["birthday cake", "Happy birthday"]),
        ("开", ["开心"]),
        ("kaix", ["开心"]),
        ("kx", ["开心"]),
        ("srkl", ["生日快乐"]),
        ("快", ["生日快乐"]),
        ("ubu", ["Übung"]),
        ("hapyy", ["happy", "Happy birthday"]),
        ("brithday c", []),
        ("brithday", ["birthday cake", "Happy birthday"]),
        ("happy brith", ["Happy birthday"]),
        ("xyz", []),
        ("", []),
    ],
)
def test_suggestions(typed: str, found: list[str]) -> None:
    assert Suggestions(PHRASES).complete(typed) == found


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("happy", True),
        ("hap", False),
        ("happy b", False),
        ("happy birthday", True),
        ("birthday", True),
        ("开", False),
        ("", False),
    ],
)
def test_half_words(typed: str, whole: bool) -> None:
    assert Suggestions(PHRASES).whole(typed) == whole


def test_the_same_phrase_counts_together_and_ties_go_by_the_phrase() -> None:
    known = Suggestions([("b", 1.0), ("B", 1.5), ("ba", 2.0), ("bb", 2.0)])
    assert known.complete("b", 3) == ["b", "ba", "bb"] and len(known) == 3


@given(
    st.lists(st.tuples(st.text("abc 开心", min_size=1, max_size=6), st.integers(1, 9)), max_size=80),
    st.text("abc 开", max_size=3),
)
def test_whatever_begins_so_is_found_and_nothing_else(phrases: list[tuple[str, float]], typed: str) -> None:
    prefix = normalise(typed)
    found = Suggestions(phrases).complete(typed, 100)
    begun = {normalise(p) for p, _ in phrases if normalise(p).startswith(prefix)} if prefix else set()
    assert begun <= {normalise(phrase) for phrase in found}
    assert Suggestions(phrases).complete(typed, 2) == found[:2]
    assert len(found) == len({normalise(phrase) for phrase in found})


def test_a_token_bucket() -> None:
    limit = RateLimit(2.0, 3)
    assert [limit.allows("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert limit.allows("b", 0.0)
    assert [limit.allows("a", 0.5), limit.allows("a", 0.5)] == [True, False]
    assert [limit.allows("a", 100.0) for _ in range(4)] == [True, True, True, False]
    assert all(RateLimit(0, 1).allows("a", 0.0) for _ in range(9))


def test_a_flood_of_callers_takes_no_memory() -> None:
    limit = RateLimit(1.0, 1)
    for caller in range(CALLERS + 10):
        limit.allows(str(caller), 0.0)
    assert limit.allows("0", 0.0) and not limit.allows(str(CALLERS + 9), 0.0)


def test_log_lines_are_json() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    record = logging.LogRecord("persrv.serve", logging.INFO, "", 0, "request", (), None)
    record.fields = {"status": 200, "route": "/v1/search"}
    handler.emit(record)
    line = json.loads(stream.getvalue())
    assert (line["message"], line["status"], line["level"]) == ("request", 200, "info")
