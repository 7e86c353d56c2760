"""Inverted lists, and several of them as one, some dimensions at a time."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict

import numpy as np
import pytest

from persrv.index.columns import postings as postings_module
from persrv.index.columns.postings import Postings, merged

Lists = dict[int, list[tuple[int, float]]]


def drawn(seed: int, rows: int) -> Postings:
    rng = np.random.default_rng(seed)
    every = [(dimension, row) for dimension in (0, 3, 4, 9, 2**32 - 1, 2**64 - 1) for row in range(rows)]
    pairs = [every[number] for number in rng.permutation(len(every))[: rows * 3]]
    dimensions, numbers = (np.array(column, np.uint64) for column in zip(*pairs, strict=True))
    return Postings.sorted(dimensions, numbers.astype(np.uint32), rng.uniform(size=len(pairs)).astype(np.float32))


def as_lists(*parts: Postings) -> Lists:
    found: Lists = defaultdict(list)
    for part in parts:
        for dimension in part.dimensions.tolist():
            rows, values = part.of(dimension)
            assert dimension not in found
            found[dimension] = [*zip(rows.tolist(), values.tolist(), strict=True)]
    return dict(found)


def test_lists_of_postings_in_any_order() -> None:
    lists = Postings.sorted(
        np.array([7, 2, 7], np.uint64), np.array([4, 1, 0], np.uint32), np.array([0.5, 1.5, 2.5], np.float32)
    )
    assert as_lists(lists) == {2: [(1, 1.5)], 7: [(0, 2.5), (4, 0.5)]}
    assert lists.fits


def test_what_nothing_has_finds_nothing() -> None:
    lists = drawn(0, 20)
    nothing = Postings.sorted(np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(0, np.float32))
    assert nothing.fits
    for dimension in (1, 5, 2**64 - 2):
        assert [len(each) for each in lists.of(dimension)] == [0, 0]
        assert [len(each) for each in nothing.of(dimension)] == [0, 0]


@pytest.mark.parametrize("at_once", [1, 7, 60, 1 << 20])
def test_parts_become_one_whatever_is_merged_at_once(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings_module, "AT_ONCE", at_once)
    parts = [drawn(seed, rows) for seed, rows in ((1, 30), (2, 1), (3, 45))]
    kept = [np.random.default_rng(seed).random(rows) < 0.6 for seed, rows in ((4, 30), (5, 1), (6, 45))]
    numbers, expected, before = [], defaultdict(list), 0
    for part, each in zip(parts, kept, strict=True):
        new = np.where(each, np.cumsum(each) - 1 + before, -1)
        before += int(each.sum())
        numbers.append(new)
        for dimension, pairs in as_lists(part).items():
            expected[dimension] += [(int(new[row]), value) for row, value in pairs if new[row] >= 0]
    turns = [*merged([*zip(parts, numbers, strict=True)])]
    assert all(turn.fits for turn in turns)
    assert {key: pairs for key, pairs in as_lists(*turns).items() if pairs} == {
        key: pairs for key, pairs in expected.items() if pairs
    }
    dimensions = np.concatenate([turn.dimensions for turn in turns])
    assert np.all(dimensions[1:] > dimensions[:-1])
    # In several turns where not all fits into one.
    assert (len(turns) > 1) == (at_once < sum(len(part.rows) for part in parts))


def test_the_largest_dimension_is_merged_too() -> None:
    edge = np.array([0, 2**64 - 2, 2**64 - 1], np.uint64)
    part = Postings.sorted(edge, np.zeros(3, np.uint32), np.ones(3, np.float32))
    (turn,) = merged([(part, np.zeros(1, np.int64))])
    assert turn.dimensions.tolist() == edge.tolist()


def test_what_a_merge_holds_does_not_grow_with_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings_module, "AT_ONCE", 1_000)
    rng = np.random.default_rng(7)
    count, dimensions = 40, 5_000
    none = np.zeros(0, np.float32)
    parts = [
        (
            Postings.sorted(rng.integers(0, 2**64, dimensions, np.uint64), np.zeros(dimensions, np.uint32), none),
            np.array([number]),
        )
        for number in range(count)
    ]
    tracemalloc.start()
    try:
        postings = sum(len(turn.rows) for turn in merged(parts))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert postings == count * dimensions
    assert peak < count * dimensions * 8 / 4  # a quarter of all their dimensions' bytes


def test_lengths_that_do_not_belong_together_are_seen() -> None:
    lists = drawn(0, 20)
    assert lists.fits
    assert not Postings(lists.dimensions[1:], lists.starts, lists.rows, lists.values).fits
    assert not Postings(lists.dimensions, lists.starts, lists.rows[1:], lists.values[1:]).fits
    assert not Postings(lists.dimensions, lists.starts, lists.rows, lists.values[1:]).fits
    assert not Postings(lists.dimensions, lists.starts + 1, lists.rows, lists.values).fits
