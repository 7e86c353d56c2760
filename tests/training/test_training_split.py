"""Stickers held out by time and by sticker."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.errors import SourceError
from persrv.training.split import PARTS, Part, asked_shares, limited, split_by_sticker, split_by_time, too_small

START = datetime(2026, 1, 1, tzinfo=UTC)


def hours(count: int) -> datetime:
    return START + timedelta(hours=count)


def counts_of(parts: dict[str, Part]) -> list[int]:
    return [sum(part == wanted for part in parts.values()) for wanted in PARTS]


def test_new_stickers_are_the_test() -> None:
    parts = split_by_time({f"s{i}": hours(i) for i in range(10)}, hours(8), {}, 0.25, seed=0)
    assert parts is not None
    assert {sticker for sticker, part in parts.items() if part == "test"} == {"s8", "s9"}
    assert counts_of(parts) == [6, 2, 2]


def test_a_new_near_duplicate_of_a_known_sticker_is_not_new() -> None:
    first = {f"s{i}": hours(i) for i in range(10)}
    parts = split_by_time(first, hours(8), {"s0": "s0", "s9": "s0"}, 0.1, seed=0)
    assert parts is not None
    assert parts["s9"] == parts["s0"] != "test"
    assert parts["s8"] == "test"


def test_no_split_by_time_without_new_or_known_stickers() -> None:
    first = {f"s{i}": hours(i) for i in range(4)}
    assert split_by_time(first, hours(4), {}, 0.1, seed=0) is None
    assert split_by_time(first, hours(1), {}, 0.1, seed=0) is None
    assert split_by_time(first, hours(2), {}, 0.1, seed=0) is not None


def test_stickers_are_shared_out_by_hash() -> None:
    stickers = {f"s{i}" for i in range(20)}
    assert counts_of(split_by_sticker(stickers, {}, 0.25, 0.25, seed=0)) == [12, 3, 5]
    assert split_by_sticker(stickers, {}, 0.25, 0.25, seed=0) != split_by_sticker(stickers, {}, 0.25, 0.25, seed=1)


def test_a_large_group_of_near_duplicates_does_not_fill_the_test() -> None:
    stickers = {f"s{i:02d}" for i in range(40)}
    groups = {f"s{i:02d}": "crowd" for i in range(20)}
    for seed in range(20):
        parts = split_by_sticker(stickers, groups, 0.1, 0.2, seed)
        assert parts["s00"] == "train"
        assert not too_small(dict(zip(PARTS, counts_of(parts), strict=True)), asked_shares(0.1, 0.2))


def test_too_few_stickers_are_refused() -> None:
    with pytest.raises(SourceError, match=r"only 1 different sticker.*at least three"):
        split_by_sticker({"a"}, {}, 0.1, 0.2, seed=0)
    with pytest.raises(SourceError, match="only 2"):
        split_by_sticker({"a", "b", "c"}, {"a": "a", "b": "a"}, 0.1, 0.2, seed=0)


def test_a_limit_keeps_the_shares() -> None:
    parts: dict[str, Part] = {f"s{i}": "train" for i in range(70)}
    parts |= {f"v{i}": "validation" for i in range(10)} | {f"t{i}": "test" for i in range(20)}
    assert counts_of({sticker: parts[sticker] for sticker in limited(parts, 50, seed=0)}) == [35, 5, 10]
    assert counts_of({sticker: parts[sticker] for sticker in limited(parts, 3, seed=0)}) == [1, 1, 1]
    assert sorted(limited(parts, 1000, seed=0)) == sorted(parts)


@given(
    st.lists(st.integers(0, 12), min_size=3, max_size=60),
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
    st.integers(0, 5),
)
def test_every_part_has_stickers_and_groups_stay_together(
    drawn: list[int], validation: float, test: float, seed: int
) -> None:
    groups = {f"s{i}": f"g{group}" for i, group in enumerate(drawn)}
    if len(set(groups.values())) < 3:
        with pytest.raises(SourceError):
            split_by_sticker(groups.keys(), groups, validation, test, seed)
        return
    parts = split_by_sticker(groups.keys(), groups, validation, test, seed)
    assert parts == split_by_sticker(groups.keys(), groups, validation, test, seed)
    assert set(parts.values()) == set(PARTS)
    parts_of_group = defaultdict(set)
    for sticker, part in parts.items():
        parts_of_group[groups[sticker]].add(part)
    assert all(len(together) == 1 for together in parts_of_group.values())


@given(st.integers(20, 400), st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.integers(0, 5))
def test_without_near_duplicates_no_part_is_too_small(count: int, validation: float, test: float, seed: int) -> None:
    parts = split_by_sticker({f"s{i}" for i in range(count)}, {}, validation, test, seed)
    assert not too_small(dict(zip(PARTS, counts_of(parts), strict=True)), asked_shares(validation, test))
