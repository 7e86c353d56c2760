from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persrv.catalog import EPOCH, Catalog, Entry, PickReport
from persrv.errors import CatalogError, NotFoundError, QueryError
from persrv.records import Interaction, Skipped, SourcePick

MakeEntry = Callable[..., Entry]
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def cat(catalog: Catalog, entry: MakeEntry) -> str:
    catalog.put([entry("cat"), entry("dog")])
    return entry("cat").sticker_id


def test_the_same_interaction_is_stored_once(catalog: Catalog, cat: str, entry: MakeEntry) -> None:
    first = Interaction("ann", "Hello", cat, NOON)
    different = [
        first,
        replace(first, user="bob"),
        replace(first, query="hello"),
        replace(first, sticker_id=entry("dog").sticker_id),
        replace(first, time=NOON + timedelta(microseconds=1)),
        replace(first, kind="send"),
    ]
    assert catalog.put_interactions([*different, *different]) == 6
    assert catalog.put_interactions(iter(different)) == 0
    assert not catalog.record(first)
    assert catalog.record(replace(first, query=""))
    # The same moment in another zone is the same moment.
    assert not catalog.record(replace(first, time=NOON.astimezone(timezone(timedelta(hours=9)))))
    assert len(list(catalog.interactions())) == 7


def test_interactions_come_by_time_and_then_as_they_arrived(catalog: Catalog, cat: str) -> None:
    given_order = [
        Interaction("bob", "b", cat, NOON + SECOND),
        Interaction("bob", "z", cat, NOON),
        Interaction("ann", "a", cat, NOON),
        Interaction("ann", "c", cat, NOON + 2 * SECOND, "favourite"),
    ]
    catalog.put_interactions(given_order)
    b, z, a, c = given_order
    assert list(catalog.interactions()) == [z, a, b, c]
    assert list(catalog.interactions(user="ann")) == [a, c]
    assert list(catalog.interactions(since=NOON + SECOND)) == [b, c]
    assert list(catalog.interactions(until=NOON + SECOND)) == [z, a]
    assert list(catalog.interactions("bob", NOON, NOON + SECOND)) == [z]
    assert list(catalog.interactions(user="nobody")) == []


def test_long_walks_lose_and_repeat_nothing(catalog: Catalog, cat: str) -> None:
    # Ties across the borders between pages: 2,500 picks in 5 moments.
    picks = [Interaction("ann", str(n), cat, NOON + (n % 5) * SECOND) for n in range(2500)]
    assert catalog.put_interactions(picks) == 2500
    assert list(catalog.interactions()) == sorted(picks, key=lambda pick: pick.time)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2026, 1, 1), timezones=st.timezones()))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_time_comes_back_as_the_same_moment_in_utc(catalog: Catalog, cat: str, time: datetime) -> None:
    catalog.clear_picks()
    catalog.record(Interaction("ann", "q", cat, time))
    (found,) = catalog.interactions("ann")
    assert found.time == time.astimezone(UTC)
    assert found.time.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"time": datetime(2024, 3, 1)}, "time zone"),
        ({"time": datetime.min.replace(tzinfo=timezone(SECOND * 3600))}, "does not exist"),
        ({"user": ""}, "empty"),
        ({"user": " \0"}, "control"),
        ({"user": "an\ud800"}, "half a character"),
        ({"user": 5}, "not a text"),
        ({"kind": "stare"}, "pick, send, favourite, simulated"),
    ],
)
def test_interactions_that_cannot_be(catalog: Catalog, cat: str, change: dict[str, object], says: str) -> None:
    good = Interaction("ann", "q", cat, NOON)
    with pytest.raises((CatalogError, QueryError), match=says):
        catalog.put_interactions([good, replace(good, **change)])  # type: ignore[arg-type]
    assert list(catalog.interactions()) == []


def test_an_unknown_sticker_stores_nothing_of_the_batch(catalog: Catalog, cat: str) -> None:
    picks = [Interaction("ann", str(n), cat, NOON) for n in range(700)]
    with pytest.raises(NotFoundError, match="0" * 32):
        catalog.put_interactions([*picks, Interaction("ann", "q", "0" * 32, NOON)])
    assert list(catalog.interactions()) == []


def test_times_without_zone_are_refused_when_asking_too(catalog: Catalog, cat: str) -> None:
    for bounds in ({"since": datetime(2024, 1, 1)}, {"until": datetime(2024, 1, 1)}):
        with pytest.raises(CatalogError, match="time zone"):
            list(catalog.interactions(**bounds))  # type: ignore[arg-type]
    with pytest.raises(CatalogError, match="time zone"):
        catalog.pick_counts(until=datetime(2024, 1, 1))


def test_picks_of_a_loader_are_resolved_and_reported(catalog: Catalog, cat: str) -> None:
    picks = [
        SourcePick("ann", "hi", "cat", NOON),
        SourcePick("ann", "hi", "absent", NOON),
        SourcePick("ann", "hi", "dog", NOON, "send"),
        SourcePick("ann", "hi", "cat", NOON),
    ]
    skipped = (Skipped("absent", "no sticker has this key"),)
    assert catalog.put_picks("emoji", picks) == PickReport(2, 1, skipped)
    assert catalog.put_picks("emoji", picks) == PickReport(0, 3, skipped)
    assert catalog.put_picks("other", picks[:1]).skipped == (Skipped("cat", "no sticker has this key"),)


def test_picks_without_time_are_kept_each_and_only_once(catalog: Catalog, cat: str) -> None:
    picks = [SourcePick("ann", "hi", "cat"), SourcePick("bob", "hi", "cat"), SourcePick("ann", "hi", "cat")] * 300
    assert catalog.put_picks("emoji", picks).new == 900
    assert catalog.put_picks("emoji", iter(picks)) == PickReport(0, 900, ())
    times = [interaction.time for interaction in catalog.interactions("ann")]
    assert times == [EPOCH + timedelta(microseconds=n) for n in range(600)]
    assert catalog.put_picks("emoji", [*picks, picks[0]]).new == 1
    assert catalog.put_picks("emoji", picks[:1], default_time=NOON).new == 1
    assert next(catalog.interactions("ann", since=NOON)).time == NOON


def test_a_pick_from_a_wrong_clock_counts_as_made_now_once(catalog: Catalog, cat: str) -> None:
    ahead = SourcePick("ann", "hi", "cat", datetime(2099, 1, 1, tzinfo=UTC))
    soon = SourcePick("ann", "hi", "cat", datetime.now(UTC) + timedelta(hours=12))
    endless = SourcePick("ann", "hi", "cat", datetime.max.replace(tzinfo=timezone(-SECOND * 3600)))
    before = datetime.now(UTC)
    assert catalog.put_picks("emoji", [ahead, soon, endless]) == PickReport(3, 0, (), ahead=2)
    times = [pick.time for pick in catalog.interactions("ann")]
    assert all(before <= time <= datetime.now(UTC) for time in times[:2])
    assert times[2] == soon.time
    assert catalog.put_picks("emoji", [ahead, endless]) == PickReport(0, 2, (), ahead=2)
    assert not catalog.record(Interaction("ann", "hi", cat, ahead.time))


def test_picks_of_impossible_users_are_skipped_and_the_others_kept(catalog: Catalog, cat: str) -> None:
    picks = [SourcePick(user, "hi", "cat", NOON) for user in ("ann", "bo\0", " ", "x" * 201, "\ud800", " ann ")]
    report = catalog.put_picks("emoji", [*picks, SourcePick("ann", "hi", "cat", datetime(2024, 1, 1))])
    assert (report.new, report.known, len(report.skipped)) == (1, 1, 5)
    assert "control character" in report.skipped[0].reason
    assert "time zone" in report.skipped[-1].reason


def test_one_person_is_one_text(catalog: Catalog, cat: str) -> None:
    catalog.record(Interaction("Zoe\u0301", "hi", cat, NOON))
    assert len(list(catalog.interactions("Zo\u00e9"))) == 1
    for user in ("Zo\u00e9\0", "\ud800", " "):
        with pytest.raises(QueryError):
            list(catalog.interactions(user))
        with pytest.raises(QueryError):
            catalog.forget(user)
    assert catalog.forget(" Zo\u00e9") == 1


def test_hostile_users_and_queries_are_only_text(catalog: Catalog, cat: str) -> None:
    nasty = "'; DROP TABLE interactions; -- %(a)s ? 猫\U0001f63a"
    catalog.record(Interaction(nasty, nasty, cat, NOON))
    assert list(catalog.interactions(nasty)) == [Interaction(nasty, nasty, cat, NOON)]
    catalog.record(Interaction("ann", "a\0b\ud800", cat, NOON))
    assert [pick.query for pick in catalog.interactions("ann")] == ["ab?"]
    assert next(catalog.interactions("ann")).query == "ab?"


def test_each_users_latest_picks_are_walked_through_across_pages(catalog: Catalog, cat: str, entry: MakeEntry) -> None:
    dog = entry("dog").sticker_id
    # More than two pages, users interleaved, many picks of one moment.
    catalog.put_interactions(
        Interaction(f"user{i % 3}", str(i), (cat, dog)[i % 5 == 0], NOON + (i % 70) * SECOND) for i in range(2500)
    )
    catalog.put_interactions([Interaction("only a dog's", "", dog, NOON)])
    for most, stickers in ((5, {cat, dog}), (10_000, {cat})):
        expected: dict[str, list[tuple[str, datetime]]] = {}
        for pick in catalog.interactions():
            if pick.sticker_id in stickers:
                expected.setdefault(pick.user, []).append((pick.sticker_id, pick.time))
        walked = list(catalog.latest_picks(most, stickers))
        assert len(walked) == len(expected) == (4 if dog in stickers else 3)
        assert dict(walked) == {user: picks[-most:] for user, picks in expected.items()}
        assert [user for user, _ in walked] == [user for user, _ in catalog.latest_picks(most, stickers)]
    assert list(catalog.latest_picks(5, set())) == []
