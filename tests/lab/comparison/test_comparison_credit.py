from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from persrv.lab.comparison.credit import Trial, credit
from persrv.lab.comparison.outcome import closed_users, contrasts, decided
from persrv.lab.comparison.sequential import wealth
from persrv.records import Impression, Interaction

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def shown(at: float, user: str = "ann", query: str = "cat", **sides: str) -> Impression:
    return Impression("test", "0" * 16, user, query, minutes(at), sides)


def pick(at: float, sticker: str, user: str = "ann", query: str = "cat") -> Interaction:
    return Interaction(user, query, sticker, minutes(at))


def test_the_first_pick_decides_and_others_change_nothing() -> None:
    found = credit([shown(0, x="a", y="b")], [pick(2, "x"), pick(1, "y")])
    assert found == [Trial("ann", "cat", NOON, minutes(1), "b")]


def test_a_pick_is_credited_to_the_latest_impression_that_showed_it() -> None:
    pages = [shown(0, x="a", y="b"), shown(5, x="b"), shown(10, z="a")]
    assert credit(pages, [pick(11, "x")])[0].winner == "b"
    assert credit(pages, [pick(11, "y")])[0].winner == "b"
    assert credit(pages, [pick(4, "x")])[0].winner == "a"


@pytest.mark.parametrize(
    "other",
    [
        pick(61, "x"),
        pick(-1, "x"),
        pick(1, "x", user="bo"),
        pick(1, "x", query="dog"),
        pick(1, "not shown"),
    ],
)
def test_other_picks_speak_for_nobody(other: Interaction) -> None:
    assert credit([shown(0, x="a")], [other]) == [Trial("ann", "cat", NOON)]


def test_the_limits_of_the_hour_count_and_queries_are_folded() -> None:
    assert credit([shown(0, x="a")], [pick(60, "x")])[0].winner == "a"
    assert credit([shown(0, query=" Cat", x="a")], [pick(0, "x", query="CAT ")])[0].winner == "a"


def test_a_query_asked_again_is_one_trial_a_day() -> None:
    pages = [shown(0, x="a"), shown(30, x="a"), shown(24 * 60, x="b")]
    found = credit(pages, [pick(31, "x"), pick(24 * 60 + 1, "x")])
    assert [(trial.start, trial.winner) for trial in found] == [(NOON, "a"), (minutes(24 * 60), "b")]


def test_trials_come_in_the_order_in_which_they_were_decided() -> None:
    pages = [shown(0, "ann", x="a"), shown(1, "bo", x="b"), shown(2, "cleo", x=""), shown(3, "dan", x="a")]
    found = credit(pages, [pick(9, "x", "ann"), pick(8, "x", "bo"), pick(7, "x", "cleo")])
    assert [trial.user for trial in found] == ["cleo", "bo", "ann", "dan"]
    assert decided(found) == [1.0, 0.0]


def test_users_count_once_their_window_can_change_no_more() -> None:
    day = 24 * 60
    pages = [shown(0, x="a"), shown(1, query="dog", x="a"), shown(3 * day, query="late", x="a"), shown(0, "bo", x="a")]
    trials = credit(pages, [pick(1, "x"), pick(3 * day, "x", query="late")])
    window = timedelta(days=2)
    assert closed_users(trials, window, minutes(3 * day + 59)) == {}
    assert closed_users(trials, window, minutes(3 * day + 60)) == {"ann": 0.5, "bo": 0.0}


def test_contrasts_by_hand() -> None:
    # Compared with 0.5, with (0.5 + 1) / 2, and with (0.5 + 1 + 0) / 3.
    assert contrasts([("b", 1.0), ("a", 0.0), ("a", 0.5)]) == pytest.approx([0.75, 0.875, 0.5])


def test_contrasts_have_the_mean_that_they_promise() -> None:
    random = np.random.default_rng(5)
    sides = ["b" if coin else "a" for coin in random.integers(2, size=4000)]
    users = [(side, float(random.random() < (0.6 if side == "b" else 0.4))) for side in sides]
    values = contrasts(users)
    assert min(values) >= 0 and max(values) <= 1
    assert 4 * (np.mean(values) - 0.5) == pytest.approx(0.2, abs=0.05)


def test_between_equal_sides_contrasts_raise_no_more_false_alarms_than_promised() -> None:
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(400):
        users = [("b" if coin else "a", float(random.beta(0.6, 0.9))) for coin in random.integers(2, size=250)]
        alarms += bool(wealth(contrasts(users), 0.5).max() >= 20)
    assert alarms / 400 <= 0.05
