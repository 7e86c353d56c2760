from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persrv.catalog import Catalog, Entry, PickCounts, UserSummary
from persrv.catalog.phrases import fold_query
from persrv.records import Interaction, Semantics

MakeEntry = Callable[..., Entry]
START = datetime(2024, 3, 1, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


@pytest.fixture
def ids(catalog: Catalog, entry: MakeEntry) -> list[str]:
    made = [entry(name) for name in ("cat", "dog", "owl")]
    catalog.put(made)
    return [one.sticker_id for one in made]


def test_users_and_their_sums(catalog: Catalog, ids: list[str]) -> None:
    assert catalog.users() == []
    catalog.put_interactions(
        [
            Interaction("Zoe", "a", ids[0], at(5)),
            Interaction("ann", "a", ids[0], at(1)),
            Interaction("ann", "a", ids[1], at(9), "simulated"),
        ]
    )
    assert catalog.users() == [UserSummary("Zoe", 1, at(5), at(5)), UserSummary("ann", 2, at(1), at(9))]


def test_counts_by_hand(catalog: Catalog, ids: list[str]) -> None:
    cat, dog, _ = ids
    assert catalog.newest_pick() is None
    catalog.put_interactions(
        [
            Interaction("ann", "Hello", cat, at(1)),
            Interaction("ann", " hello ", cat, at(2)),
            Interaction("bob", "", cat, at(3)),
            Interaction("bob", "bye", cat, at(4), "simulated"),
            Interaction("bob", "", dog, at(5)),
        ]
    )
    assert catalog.pick_counts() == {cat: PickCounts(4, 2, 2, at(4)), dog: PickCounts(1, 1, 0, at(5))}
    assert list(catalog.pick_counts()) == sorted([cat, dog])
    assert catalog.pick_counts(until=at(3)) == {cat: PickCounts(2, 1, 1, at(2))}
    assert catalog.pick_counts(until=at(0)) == {}
    assert catalog.newest_pick() == at(5)


def test_recent_picks_are_each_once_and_newest_first(catalog: Catalog, ids: list[str]) -> None:
    cat, dog, owl = ids
    for user, sticker, second in [("ann", cat, 1), ("ann", dog, 2), ("bob", owl, 3), ("ann", cat, 4)]:
        catalog.record(Interaction(user, "q", sticker, at(second)))
    assert catalog.recent("ann", 9) == [cat, dog]
    assert catalog.recent("ann", 1) == [cat]
    assert catalog.recent("ann", 0) == []
    assert catalog.recent("nobody", 9) == []
    for sticker in ids:
        catalog.record(Interaction("cleo", "q", sticker, at(9)))
    assert catalog.recent("cleo", 9) == sorted(ids)


def test_historical_queries_by_hand(catalog: Catalog, ids: list[str], entry: MakeEntry) -> None:
    cat, dog, _ = ids
    catalog.put([entry("cat", semantics=Semantics(queries=("From Source", "Bye")))])
    catalog.put_interactions(
        [
            Interaction("ann", "often but by one", cat, at(1)),
            Interaction("ann", "often but by one", cat, at(2)),
            Interaction("ann", "often but by one", cat, at(3)),
            Interaction("ann", "shared", cat, at(4)),
            Interaction("bob", "SHARED", cat, at(5)),
            Interaction("bob", "recent", cat, at(8)),
            Interaction("bob", "bye", cat, at(9)),
            Interaction("bob", "", cat, at(9)),
            Interaction("bob", "tie b", dog, at(9)),
            Interaction("bob", "tie a", dog, at(9)),
        ]
    )

    def queries(**options: object) -> tuple[str, ...]:
        (sticker,) = catalog.stickers([cat], **options)  # type: ignore[arg-type]
        return sticker.semantics.queries

    assert queries(min_users=1) == ("From Source", "Bye", "shared", "recent", "often but by one")
    assert queries(min_users=1, typed=3) == ("From Source", "Bye", "shared", "recent")
    assert queries(min_users=1, typed=0) == ("From Source", "Bye")
    assert queries() == ("From Source", "Bye", "shared")
    assert queries(min_users=1, until=at(5)) == ("From Source", "Bye", "shared", "often but by one")
    assert next(catalog.stickers([dog], min_users=1)).semantics.queries == ("tie a", "tie b")
    assert catalog.sticker(dog).semantics.queries == ()


def test_what_looks_private_is_never_public_and_simulated_picks_are_nobodys(catalog: Catalog, ids: list[str]) -> None:
    cat = ids[0]
    private = ("ann@home.org", "@ann hi", "www.ann.net", "+49 170 1234567", "https://x.org/ann")
    catalog.put_interactions(
        [Interaction(user, query, cat, at(9)) for user in ("ann", "bob") for query in private]
        + [Interaction(user, "233333", cat, at(1)) for user in ("ann", "bob")]
        + [Interaction("robot", "simulated words", cat, at(0), "simulated")]
    )
    assert catalog.sticker(cat).semantics.queries == ("233333", "simulated words")


picks = st.lists(
    st.builds(
        lambda user, query, sticker, second: (user, query, sticker, second),
        st.sampled_from(["ann", "bob", "cleo", "Ann"]),
        st.sampled_from(["", "hi", "HI ", "ｈｉ", "Ä", "ä", "Zebra", "_", "猫", "猫 猫", "~"]),
        st.integers(0, 2),
        st.integers(0, 6),
    ),
    max_size=60,
)


@given(picks, st.none() | st.integers(0, 7), st.integers(0, 4), st.integers(1, 3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_agree_with_plain_python(
    catalog: Catalog,
    ids: list[str],
    rows: list[tuple[str, str, int, int]],
    last: int | None,
    limit: int,
    min_users: int,
) -> None:
    catalog.clear_picks()
    batch = [Interaction(user, query, ids[sticker], at(second)) for user, query, sticker, second in rows]
    catalog.put_interactions(batch)
    until = None if last is None else at(last)
    counted = [pick for pick in set(batch) if until is None or pick.time < until]

    by_sticker: dict[str, list[Interaction]] = defaultdict(list)
    for pick in counted:
        by_sticker[pick.sticker_id].append(pick)
    assert catalog.pick_counts(until) == {
        sticker_id: PickCounts(
            len(found),
            len({pick.user for pick in found}),
            len({fold_query(pick.query) for pick in found} - {""}),
            max(pick.time for pick in found),
        )
        for sticker_id, found in by_sticker.items()
    }

    for sticker in catalog.stickers(typed=limit, min_users=min_users, until=until):
        users: dict[str, set[str]] = defaultdict(set)
        newest: dict[str, datetime] = {}
        for pick in by_sticker[sticker.id]:
            if folded := fold_query(pick.query):
                users[folded].add(pick.user)
                newest[folded] = max(pick.time, newest.get(folded, pick.time))
        enough = [query for query in users if len(users[query]) >= min_users]
        enough.sort(key=lambda query: (-len(users[query]), -newest[query].timestamp(), query.encode()))
        assert sticker.semantics.queries == tuple(enough[:limit])


picks = st.tuples(
    st.sampled_from(["ann", "bo", "zoe"]), st.sampled_from(["", "Hi", "hi", "good night", "x"]), st.integers(0, 2)
)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.tuples(picks, st.integers(0, 9)), min_size=1, max_size=6)),
        st.tuples(st.just("forget"), st.sampled_from(["ann", "bo", "zoe", "nobody"])),
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(steps=changes)
def test_kept_sums_are_those_over_all_picks(catalog: Catalog, ids: list[str], steps: list[tuple[str, Any]]) -> None:
    catalog.clear_picks()
    # Dated after any forgetting, so that whoever comes back is a new person.
    start = datetime.now(UTC) + timedelta(hours=1)
    for step, what in steps:
        if step == "put":
            catalog.put_interactions(
                Interaction(user, query, ids[sticker], start + timedelta(seconds=second))
                for (user, query, sticker), second in what
            )
        else:
            catalog.forget(what)
        counts = catalog.pick_counts()
        assert counts == catalog.pick_counts(until=start + timedelta(days=1))
        assert catalog.pick_counts(stickers=ids[:1]) == {one: n for one, n in counts.items() if one == ids[0]}
