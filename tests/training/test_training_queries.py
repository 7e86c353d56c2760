"""What is learnt from picks, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.records import Interaction, PickKind
from persrv.training.preparing import language_of
from persrv.training.queries import PickTimes, QueryCounter, TrainingQuery, refusal

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def pick(user: str, query: str, sticker: str = "a", kind: PickKind = "pick", minutes: int = 0) -> Interaction:
    return Interaction(user, query, sticker, NOW + timedelta(minutes=minutes), kind)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "browsing"),
        ("mail me at ann@example.org", "address"),
        ("@ann_93 look", "handle"),
        ("https://example.org/x", "web address"),
        ("see example.com please", "web address"),
        ("call +44 20 7946 0958", "long number"),
        ("13812345678", "long number"),
        ("(555) 010-4477", "long number"),
        ("card 4111-1111-1111-1234", "long number"),
        ("x" * 41, "longer than 40"),
    ],
)
def test_private_and_useless_queries_are_refused(query: str, reason: str) -> None:
    assert reason in refusal(query)


@pytest.mark.parametrize(
    "query", ["666666", "2333333333", "5201314", "happy 2026", "99", "笑死", "😂", "no.1", "top 100", "c u @ 8"]
)
def test_what_people_really_type_stays(query: str) -> None:
    assert refusal(query) == ""


def test_queries_are_weighed_by_different_users_and_rare_ones_dropped() -> None:
    counter = QueryCounter(min_users=2)
    counter.add(
        [pick("ann", "LOL"), pick("ann", " lol "), pick("bo", "ｌｏｌ"), pick("cy", "lol"), pick("ann", "haha")]
    )
    counter.add([pick("bo", "haha"), pick("ann", "only ann"), pick("ann", "only ann"), pick("bo", "")])
    assert counter.queries() == {"a": (TrainingQuery("lol", 3), TrainingQuery("haha", 2))}
    assert counter.dropped == {"browsing, no query": 1, "typed by fewer than 2 users": 2}
    assert counter.used == {"a": 6}


def test_simulated_queries_need_no_second_user_unless_a_person_typed_them_too() -> None:
    counter = QueryCounter(min_users=2)
    counter.add([pick("sim", "cat", kind="simulated"), pick("sim", "dog", kind="simulated"), pick("ann", "dog")])
    counter.add([pick("ann", "secret")])
    assert counter.queries() == {"a": (TrainingQuery("dog", 2), TrainingQuery("cat", 1))}


def test_equal_weights_are_ordered_by_text_and_stickers_by_id() -> None:
    counter = QueryCounter(min_users=1)
    counter.add([pick("ann", "b", "z"), pick("ann", "a", "z"), pick("ann", "c", "y")])
    assert list(counter.queries().items()) == [
        ("y", (TrainingQuery("c", 1),)),
        ("z", (TrainingQuery("a", 1), TrainingQuery("b", 1))),
    ]


def test_pick_times() -> None:
    picks = [pick("ann", "x", "a", minutes=2), pick("bo", "y", "a", minutes=5), pick("bo", "y", "b", "simulated", 9)]
    times = PickTimes.of(picks)
    assert times.first == {"a": NOW + timedelta(minutes=2), "b": NOW + timedelta(minutes=9)}
    assert (len(times.sorted_us), times.simulated) == (3, 1)
    assert times.newest(0.5) == NOW + timedelta(minutes=5)
    assert times.newest(0.01) == NOW + timedelta(minutes=9)
    assert PickTimes.of(picks[:1]).newest(0.5) is None
    assert PickTimes.of([]).newest(0.5) is None


@given(st.text(max_size=60), st.sampled_from(["13812345678", "ann@example.org", "https://x.org", "020 7946 0958"]))
def test_nothing_private_gets_through_whatever_stands_around_it(text: str, private: str) -> None:
    counter = QueryCounter(min_users=1)
    counter.add([pick("ann", f"{text} {private}"), pick("bo", f"{private} {text}")])
    kept = [query.text for queries in counter.queries().values() for query in queries]
    assert not [query for query in kept if private.casefold() in query]


@pytest.mark.parametrize(
    ("text", "language"),
    [("cat", "en"), ("猫", "zh"), ("猫cat", "zh"), ("ねこ", "other"), ("😂", "other"), ("кот", "other")],
)
def test_languages(text: str, language: str) -> None:
    assert language_of(text) == language
