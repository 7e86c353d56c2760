from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.ranking.utility import UtilityScale, age_decay, damped, utilities
from persrv.recipe import UtilityWeights

counts = st.lists(st.tuples(*[st.integers(0, 10_000)] * 3), min_size=1, max_size=30)


def test_damped_by_hand() -> None:
    assert damped([0, 3, 9], pseudo=0.0, largest=9).tolist() == pytest.approx([0.0, math.log(4) / math.log(10), 1.0])
    assert damped([0], pseudo=1.0, largest=3).tolist() == pytest.approx([math.log(2) / math.log(5)])


def test_a_count_that_grew_beyond_the_largest_of_the_fit_earns_no_more_than_1() -> None:
    assert damped([9, 20, 1000], pseudo=0.0, largest=9).tolist() == [1.0, 1.0, 1.0]


def test_nobody_picked_anything() -> None:
    assert [u.total for u in utilities(np.zeros((3, 3)), UtilityWeights())] == [0.0, 0.0, 0.0]
    assert utilities(np.zeros((0, 3)), UtilityWeights()) == []


def test_total_by_hand() -> None:
    weights = UtilityWeights(popularity=2, cross_user=1, query=1, prior=0)
    first, second = utilities([[9, 3, 1], [0, 0, 0]], weights)
    assert (first.popularity, first.cross_user, first.query, first.total) == (1.0, 1.0, 1.0, 1.0)
    assert second.total == 0.0
    third = utilities([[9, 3, 1], [3, 0, 0]], weights)[1]
    assert third.total == pytest.approx(0.5 * math.log(4) / math.log(10))


def test_a_prior_lifts_a_new_sticker_above_zero() -> None:
    assert utilities([[4, 2, 1], [0, 0, 0]], UtilityWeights(prior=1))[1].total > 0


def test_rounding_of_the_weights_lifts_no_total_above_1() -> None:
    weights = UtilityWeights(popularity=0.8, cross_user=0.2, query=0.2, prior=0)
    assert utilities([[9, 9, 9]], weights)[0].total == 1.0


def test_age_decays_the_counts_and_then_they_are_smoothed() -> None:
    weights = UtilityWeights(half_life_days=10)
    fresh, old, ancient, never = utilities([[6, 6, 6], [6, 6, 6], [6, 6, 6], [0, 0, 0]], weights, [0, 10, 4000, 0])
    mean = 18 / 4
    assert old.total == pytest.approx(np.log1p(3 + mean) / np.log1p(6 + mean))
    assert fresh.total > old.total > ancient.total
    assert ancient.total == pytest.approx(never.total)
    assert ancient.total >= never.total > 0
    assert age_decay([-3, 0], 10).tolist() == [1.0, 1.0]


@given(counts)
def test_every_part_lies_between_0_and_1(table: list[tuple[int, int, int]]) -> None:
    for u in utilities(table, UtilityWeights()):
        assert all(0.0 <= part <= 1.0 for part in (u.popularity, u.cross_user, u.query, u.total))


@given(counts, st.integers(0, 2))
def test_more_never_hurts_under_one_scale(table: list[tuple[int, int, int]], column: int) -> None:
    scale = UtilityScale.fit(table, prior=1.0)
    more = np.array(table)
    more[0, column] += 1
    before = utilities(table, UtilityWeights(), scale=scale)[0].total
    assert utilities(more, UtilityWeights(), scale=scale)[0].total >= before - 1e-12


@given(counts)
def test_one_stickers_refresh_equals_the_whole(table: list[tuple[int, int, int]]) -> None:
    scale = UtilityScale.fit(table, prior=1.0)
    alone, among_all = utilities(table[:1], UtilityWeights(), scale=scale)[0], utilities(table, UtilityWeights())[0]
    assert alone.total == pytest.approx(among_all.total, abs=1e-12)
