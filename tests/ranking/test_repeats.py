"""What own earlier picks are worth: by hand, by brute force, and where there is nothing to learn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from persrv.ranking.repeats import LEAST, MOST, RepeatEvent, RepeatWeights, strengths


def test_strengths_by_hand() -> None:
    of, kinds, ages = [0, 0, 0, 0, 1], [0, 2, 2, 2, 0], np.array([0.0, 0.0, 0.0, 0.0, 10.0])
    assert strengths(of, kinds, ages, 2, None).tolist() == [[1.0, 0.0, 2.0], [1.0, 0.0, 0.0]]
    # One half-life ago: half a pick.
    assert strengths(of, kinds, ages, 2, 10.0)[1] == pytest.approx((np.log2(1.5), 0.0, 0.0))
    assert strengths([], [], np.zeros(0), 0, 10.0).shape == (0, 3)


def test_factors_multiply_and_are_bounded() -> None:
    weights = RepeatWeights(exact=np.log(3.0), near=-1.0, anywhere=0.0)
    table = [[0.0, 0.0, 0.0], [1.0, 0.0, 5.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]]
    assert weights.factors(table, 1.0) == pytest.approx([1.0, 3.0, 9.0, np.exp(-1.0), MOST, LEAST])
    assert weights.factors(table, 0.0).tolist() == [1.0] * 6
    assert weights.factors(table[:2], 0.5) == pytest.approx([1.0, np.sqrt(3.0)])


def test_own_picks_count_more_for_somebody_without_styles() -> None:
    weights = RepeatWeights(exact=np.log(3.0), near=np.log(1.2), anywhere=np.log(1.25))
    table = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 9.0]]
    assert weights.factors(table, 1.0) == pytest.approx([3.0, 1.2, 1.25, 1.5])
    assert weights.factors(table, 1.0, styled=False) == pytest.approx([3.0**1.5, 1.2**1.5, 1.25**1.5, 4.0])
    never = RepeatWeights(0.0, 0.0, -0.5)
    assert never.factors(table, 1.0, styled=False)[2] == pytest.approx(np.exp(-0.75))


def test_without_events_weights_are_those_assumed() -> None:
    assert RepeatWeights.fit([]) == RepeatWeights()
    assert RepeatWeights().exact > RepeatWeights().near > RepeatWeights().anywhere > 0


def events(repeats: float, count: int = 400) -> list[RepeatEvent]:
    """People who pick again, with this chance, what they picked before for the query; else another of four."""
    random = np.random.default_rng(0)
    own = np.array([[1.0, 0.0, 0.0]] + [[0.0, 0.0, 0.0]] * 3)
    return [
        RepeatEvent(np.ones(4), own, 0 if random.random() < repeats else int(random.integers(1, 4)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("repeats", [0.7, 0.25, 0.02])
def test_weights_are_the_odds_of_a_repetition(repeats: float) -> None:
    found = RepeatWeights.fit(events(repeats, 4000))
    # The chance is e^w / (e^w + 3).
    assert np.exp(found.exact) == pytest.approx(3 * repeats / (1 - repeats), rel=0.2)
    assert (found.near, found.anywhere) == pytest.approx((RepeatWeights().near, RepeatWeights().anywhere))


def test_what_is_never_picked_twice_counts_against() -> None:
    assert RepeatWeights.fit(events(0.0)).exact < -2.0
    assert RepeatWeights.fit(events(0.0, 1)).exact > 0.5, "one pick says little"


@pytest.mark.parametrize("count", [60, 4])
def test_no_other_weights_are_likelier(count: int) -> None:
    random = np.random.default_rng(1)
    made = [
        RepeatEvent(
            random.uniform(0.5, 3.0, 5), random.integers(0, 3, (5, 3)).astype(float), int(random.integers(-1, 5))
        )
        for _ in range(count)
    ]
    found = RepeatWeights.fit(made)

    def loss(value: np.ndarray) -> float:
        weights, other = value[:3], value[3]
        total = float(((weights - np.log([3.0, 1.5, 1.2])) ** 2).sum()) / 2 + other**2 / (2 * 3.0**2)
        for event in made:
            scores = event.base * np.exp(event.strengths @ weights)
            chosen = scores[event.chosen] if event.chosen >= 0 else np.exp(other)
            total -= float(np.log(chosen / (scores.sum() + np.exp(other))))
        return total

    likeliest = minimize(loss, np.zeros(4), tol=1e-10).x[:3]
    assert [found.exact, found.near, found.anywhere] == pytest.approx(likeliest, abs=1e-5)


def test_strengths_beyond_all_bounds_bring_no_overflow() -> None:
    found = RepeatWeights.fit([RepeatEvent(np.ones(2), np.array([[1e4, 0.0, 0.0], [0.0, 0.0, 0.0]]), 1)])
    assert np.isfinite([found.exact, found.near, found.anywhere]).all()
