"""Stickers held out by time and by sticker."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.errors import SourceError
from persrv.training.split import PARTS, split

START = datetime(2026, 1, 1, tzinfo=UTC)


def hours(count: int) -> datetime:
    return START + timedelta(hours=count)


def test_new_stickers_are_the_test() -> None:
    first = {f"s{i}": hours(i) for i in range(10)}
    made = split(first, [hours(i) for i in range(10)], {}, validation=0.25, test=0.2)
    assert made.cut == hours(8)
    assert {s for s, part in made.parts.items() if part == "test"} == {"s8", "s9"}
    assert sum(part == "validation" for part in made.parts.values()) == 2


def test_a_new_near_duplicate_of_a_known_sticker_is_not_new() -> None:
    first = {f"s{i}": hours(i) for i in range(10)}
    made = split(first, [hours(i) for i in range(10)], {"s0": "s0", "s9": "s0"}, test=0.2)
    assert made.parts["s9"] == made.parts["s0"] != "test"
    assert made.parts["s8"] == "test"


def test_picks_without_times_are_split_by_sticker() -> None:
    first = {f"s{i}": START + timedelta(microseconds=i) for i in range(20)}
    made = split(first, list(first.values()), {}, validation=0.25, test=0.25)
    assert made.cut is None
    counts = [sum(part == wanted for part in made.parts.values()) for wanted in PARTS]
    assert counts == [11, 4, 5]


def test_too_few_stickers_are_refused() -> None:
    with pytest.raises(SourceError, match=r"only 1 different sticker.*at least three"):
        split({"a": START}, [START], {})
    with pytest.raises(SourceError, match="only 2"):
        split({"a": START, "b": START, "c": START}, [START], {"a": "a", "b": "a"})


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 12)), min_size=3, max_size=60),
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
    st.integers(0, 5),
)
def test_every_part_has_stickers_and_groups_stay_together(
    drawn: list[tuple[int, int]], validation: float, test: float, seed: int
) -> None:
    first = {f"s{i}": hours(hour) for i, (hour, _) in enumerate(drawn)}
    groups = {f"s{i}": f"g{group}" for i, (_, group) in enumerate(drawn)}
    if len(set(groups.values())) < 3:
        with pytest.raises(SourceError):
            split(first, list(first.values()), groups, validation, test, seed)
        return
    made = split(first, list(first.values()), groups, validation, test, seed)
    assert made == split(first, list(first.values()), groups, validation, test, seed)
    assert set(made.parts.values()) == set(PARTS)
    parts_of_group = defaultdict(set)
    for sticker, part in made.parts.items():
        parts_of_group[groups[sticker]].add(part)
        if made.cut is not None:
            assert part != "test" or first[sticker] >= made.cut
    assert all(len(parts) == 1 for parts in parts_of_group.values())
