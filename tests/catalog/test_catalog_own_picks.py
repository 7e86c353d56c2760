"""Own earlier picks, as the catalog looks them up and as they are counted in memory; what is learnt from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from persrv.catalog import Catalog, Entry, own_picks
from persrv.catalog.own_picks import (
    MEANT_OF_ONE,
    OF_ONE,
    PastPick,
    latest_by_query,
    latest_questions,
    own_strengths,
    repeat_events,
)
from persrv.catalog.phrases import fold_query
from persrv.ranking.repeats import RepeatWeights
from persrv.records import Interaction
from persrv.text import tokenize

MakeEntry = Callable[..., Entry]
START = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture
def ids(catalog: Catalog, entry: MakeEntry) -> list[str]:
    made = [entry(f"sticker {number}") for number in range(8)]
    catalog.put(made)
    return sorted(one.sticker_id for one in made)


def picks(ids: list[str], count: int = 240) -> list[Interaction]:
    queries = ("Good Night", "night", "晚安", "brb now", "")
    return [
        Interaction(f"u{n % 7}", queries[(n // 7) % 5], ids[(n * n) % 8], START + timedelta(hours=n))
        for n in range(count)
    ]


def past(made: list[Interaction]) -> list[PastPick]:
    return [PastPick(p.user, fold_query(p.query), p.sticker_id, p.time.timestamp() / 86_400) for p in made]


@pytest.mark.parametrize("query", ["good night", "night", "晚安", "now", "never typed", ""])
def test_the_database_and_memory_agree(catalog: Catalog, ids: list[str], query: str) -> None:
    made = picks(ids)
    catalog.put_interactions(made)
    for half_life in (None, 3.0):
        for user in ("u0", "u3"):
            found = catalog.own_picks(user, query, tokenize(query), half_life)
            expected = own_strengths([pick for pick in past(made) if pick.user == user], query, half_life)
            assert found.keys() == expected.keys()
            for sticker_id, pick in found.items():
                assert pick.strengths == pytest.approx(expected[sticker_id], abs=1e-9)
    assert catalog.own_picks("nobody", query, tokenize(query), None) == {}


def test_what_was_picked_for_a_query_is_dated_and_counted(catalog: Catalog, ids: list[str]) -> None:
    cat, dog, owl, *_ = ids
    days = [START + timedelta(days=n) for n in range(3)]
    catalog.put_interactions(
        [Interaction("ann", "Night", cat, day) for day in days] + [Interaction("ann", "night owl", dog, days[0])]
    )
    catalog.put_marks("ann", [owl], "favourite")
    found = catalog.own_picks("ann", "night", ["night"], None)
    assert (found[cat].times, found[cat].last, found[cat].strengths) == (3, days[2], (2.0, 0.0, 0.0))
    assert (found[dog].times, found[dog].last, found[dog].strengths) == (0, None, (0.0, 1.0, 0.0))
    assert (found[owl].mark, found[owl].strengths) == ("favourite", (0.0, 0.0, 0.0))
    catalog.forget("ann")
    assert catalog.own_picks("ann", "night", ["night"], None) == {}


def test_weights_are_those_of_the_same_picks_in_memory(catalog: Catalog, ids: list[str]) -> None:
    made = picks(ids)
    catalog.put_interactions(made)
    asked, earlier = latest_questions(past(made))
    assert len(asked) == 48
    expected = RepeatWeights.fit(repeat_events(asked, earlier, 365.0))
    found = catalog.repeat_weights(365.0)
    assert (found.exact, found.near, found.anywhere) == pytest.approx(
        (expected.exact, expected.near, expected.anywhere), abs=1e-6
    )
    assert found != RepeatWeights()


def test_what_is_learnt_from_is_bounded(catalog: Catalog, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    catalog.put_interactions(picks(ids))
    monkeypatch.setattr(own_picks, "_EARLIER_IN_ALL", 1)
    assert catalog.repeat_weights(365.0) == RepeatWeights()


def test_the_latest_pick_of_each_query_is_the_same_in_memory(catalog: Catalog, ids: list[str]) -> None:
    made = picks(ids)
    catalog.put_interactions(made)
    found = catalog.latest_meant()
    assert [pick.query for pick in found] == ["brb now", "晚安", "night", "good night"]
    assert found == latest_by_query(past(made))


def test_of_one_person_only_some_queries_are_learnt_from(ids: list[str]) -> None:
    mad = [PastPick("mad", f"q{n}", ids[0], float(n)) for n in range(500)]
    found = latest_by_query([PastPick("ann", "hi", ids[1], 0.0), *mad])
    assert [pick.query for pick in found] == [*(f"q{499 - n}" for n in range(MEANT_OF_ONE)), "hi"]


def test_an_empty_log_teaches_nothing(catalog: Catalog) -> None:
    assert catalog.repeat_weights(None) == RepeatWeights()
    assert catalog.latest_meant() == []


def test_of_one_person_only_some_picks_are_learnt_from(ids: list[str]) -> None:
    earlier = [PastPick(user, "a", ids[n], 0.0) for user in ("mad", "ann") for n in range(3)]
    asked = [PastPick("mad", "a", ids[0], 1.0)] * 500 + [PastPick("ann", "a", ids[1], 1.0)]
    assert len(repeat_events(asked, earlier, None)) == OF_ONE + 1


def test_most_picked_counts_people_of_some_time(catalog: Catalog, ids: list[str]) -> None:
    made = [Interaction(f"u{n % 3}", "Night", ids[0], START + timedelta(days=n)) for n in range(6)]
    made += [Interaction(f"v{n}", "brb", ids[1], START + timedelta(days=9)) for n in range(2)]
    catalog.put_interactions(made)
    assert catalog.most_picked(START) == {ids[0]: 3, ids[1]: 2}
    assert catalog.most_picked(START + timedelta(days=5)) == {ids[1]: 2, ids[0]: 1}
    assert catalog.most_picked(START, "night") == {ids[0]: 3}
    assert list(catalog.most_picked(START, limit=1)) == [ids[0]]
