from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.online.comparison.serving import assign
from persrv.online.comparison.teamdraft import Drafted, draft_key, team_draft

DAY = date(2026, 3, 1)
RANKING = st.lists(st.sampled_from("abcdefghij"), unique=True)


def key(number: int) -> bytes:
    return draft_key("test", "ann", str(number), DAY)


def names(drafted: list[Drafted], a: str, b: str) -> str:
    return "".join((b if one.side == "b" else a)[one.position] for one in drafted)


def test_by_hand_both_orders_of_the_first_round() -> None:
    seen = {names(team_draft("xyz", "yxw", key(number)), "xyz", "yxw") for number in range(60)}
    # A coin decides who adds first; x and y come first in either order, then z and w.
    assert seen == {"xyzw", "xywz", "yxzw", "yxwz"}
    for number in range(60):
        drafted = team_draft("xyz", "yxw", key(number))
        assert Counter(one.side for one in drafted) == {"a": 2, "b": 2}


def test_what_both_begin_with_belongs_to_neither() -> None:
    drafted = team_draft("pqxy", "pqyx", key(0))
    assert drafted[:2] == [Drafted("", 0), Drafted("", 1)]
    assert {one.side for one in drafted[2:]} == {"a", "b"}
    assert {one.side for one in team_draft("abc", "abc", key(1))} == {""}


def test_one_ranking_may_end_before_the_other() -> None:
    assert names(team_draft("xy", "", key(0)), "xy", "") == "xy"
    assert {one.side for one in team_draft("", "xy", key(0))} == {"b"}
    assert team_draft("", "", key(0)) == []
    assert [one.side for one in team_draft("pq", "p", key(0))] == ["", "a"]


@given(RANKING, RANKING, st.integers(0, 50))
def test_everything_is_shown_once_and_in_each_rankings_order(a: list[str], b: list[str], number: int) -> None:
    drafted = team_draft(a, b, key(number))
    shown = [(b if one.side == "b" else a)[one.position] for one in drafted]
    assert sorted(shown) == sorted({*a, *b})
    for side in ("a", "b"):
        positions = [one.position for one in drafted if one.side == side]
        assert positions == sorted(positions)
    for end in range(len(drafted) + 1):
        counts = Counter(one.side for one in drafted[:end])
        if counts["a"] < len([x for x in drafted if x.side == "a"]) and counts["b"] < len(
            [x for x in drafted if x.side == "b"]
        ):
            assert abs(counts["a"] - counts["b"]) <= 1


@given(RANKING, RANKING, st.integers(0, 50), st.integers(1, 10))
def test_the_first_places_need_no_more_of_the_rankings(a: list[str], b: list[str], number: int, n: int) -> None:
    whole = team_draft(a, b, key(number))[:n]
    part = team_draft(a[:n], b[:n], key(number))[:n]
    shown = [(b if one.side == "b" else a)[one.position] for one in whole]
    assert [(b if one.side == "b" else a)[one.position] for one in part] == shown


def test_the_same_question_sees_the_same_order_and_another_day_another() -> None:
    a, b = "abcdefgh", "hgfedcba"
    assert team_draft(a, b, key(3)) == team_draft(a, b, key(3))
    days = {tuple(team_draft(a, b, draft_key("test", "ann", "cat", date(2026, 1, day)))) for day in range(1, 20)}
    assert len(days) > 5


def test_somebody_who_picks_at_random_favours_neither_side() -> None:
    random = np.random.default_rng(1)
    wins = Counter()
    for number in range(4000):
        drafted = team_draft("pqrstu", "tspuqx", key(number))
        # Position bias is the same for both: people look at the first places most.
        place = min(int(random.geometric(0.4)) - 1, len(drafted) - 1)
        wins[drafted[place].side] += 1
    assert abs(wins["a"] - wins["b"]) < 3 * 4000**0.5


def test_sides_are_fair_stable_and_independent_from_one_experiment_to_another() -> None:
    users = [f"user{number}" for number in range(4000)]
    first = [assign("first", user) for user in users]
    assert first == [assign("first", user) for user in users]
    assert first.count("b") == pytest.approx(2000, abs=100)
    both = sum(one == assign("second", user) for one, user in zip(first, users, strict=True))
    assert both == pytest.approx(2000, abs=100)
