from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from persrv.errors import QueryError
from persrv.lab.evaluation.intervals import bootstrap_mean, holm, paired_gain, sign_flip

NUMBERS = st.lists(st.floats(-5, 5).map(lambda number: round(number, 3)), min_size=1, max_size=8)


def test_the_interval_agrees_with_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(3).exponential(size=60)
    ours = bootstrap_mean(values, seed=1)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, random_state=np.random.default_rng(2)
    ).confidence_interval
    assert ours.mean == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert ours.groups == 60


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        found = bootstrap_mean(random.normal(1.0, 1.0, size=40), seed=trial, resamples=400)
        covered += found.low <= 1.0 <= found.high
    assert 178 <= covered <= 199


@given(NUMBERS)
def test_the_sign_flip_test_is_exact_for_few_groups(differences: list[float]) -> None:
    flipped = [math.fsum(s * d for s, d in zip(signs, differences, strict=True)) for signs in _signs(len(differences))]
    observed = abs(math.fsum(differences))
    expected = np.mean([abs(total) >= observed - 1e-9 for total in flipped])
    assert sign_flip(differences) == pytest.approx(expected)


def _signs(count: int) -> list[tuple[int, ...]]:
    return list(product((-1, 1), repeat=count))


def test_the_drawn_test_agrees_with_scipys_permutation_test() -> None:
    differences = np.random.default_rng(5).normal(0.25, 1.0, size=40)
    theirs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=10_000, random_state=np.random.default_rng(1)
    ).pvalue
    assert sign_flip(differences, seed=4) == pytest.approx(theirs, abs=0.02)


def test_a_drawn_p_value_is_never_zero_and_rejects_rarely_without_a_difference() -> None:
    assert sign_flip(np.ones(40), resamples=99) == pytest.approx(1 / 100)
    random = np.random.default_rng(7)
    rejected = sum(sign_flip(random.normal(size=20), seed=trial, resamples=199) <= 0.05 for trial in range(200))
    assert rejected <= 22


def test_no_difference_has_p_1() -> None:
    assert sign_flip(np.zeros(5)) == 1.0
    assert sign_flip(np.zeros(50)) == 1.0


def test_a_gain_is_paired() -> None:
    worse = np.random.default_rng(1).normal(size=30) * 10
    found = paired_gain(worse + 0.5, worse)
    assert (found.interval.mean, found.interval.low, found.interval.high) == pytest.approx((0.5, 0.5, 0.5))
    assert found.p < 0.001


def test_holm_by_hand_and_in_the_given_order() -> None:
    corrected = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert list(corrected) == ["a", "b", "c", "d"]
    assert corrected == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=6))
def test_holm_keeps_the_order_and_never_helps(p_values: dict[str, float]) -> None:
    corrected = holm(p_values)
    assert all(p <= corrected[name] <= 1 for name, p in p_values.items())
    by_p = [corrected[name] for name in sorted(p_values, key=lambda name: p_values[name])]
    assert by_p == sorted(by_p)


def test_the_same_seed_gives_the_same_digits() -> None:
    values = np.random.default_rng(0).random(100)
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    assert bootstrap_mean(values, seed=3) != bootstrap_mean(values, seed=4)
    assert sign_flip(values - 0.45, seed=3) == sign_flip(values - 0.45, seed=3)


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, 1.0], [[1.0], [2.0]]])
def test_what_is_no_sample_is_refused(values: list[float]) -> None:
    for estimate in (bootstrap_mean, sign_flip):
        with pytest.raises(QueryError, match="no finite numbers"):
            estimate(values)


def test_other_impossible_arguments_are_refused() -> None:
    with pytest.raises(QueryError, match="level = 1"):
        bootstrap_mean([1.0], level=1.0)
    with pytest.raises(QueryError, match="resamples = 0"):
        sign_flip([1.0], resamples=0)
    with pytest.raises(QueryError, match="2 groups cannot be compared with 1"):
        paired_gain([1.0, 2.0], [1.0])
    with pytest.raises(QueryError, match=r"p = 1.5 of 'a'"):
        holm({"a": 1.5})
