from __future__ import annotations

from math import exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.errors import QueryError
from persrv.lab.comparison.sequential import evidence, wealth


def uniform_mixture(wins: int, losses: int, chance: float) -> float:
    """The likelihood ratio of a uniform prior over the chance to win against one chance, in closed form."""
    beta = lgamma(wins + 1) + lgamma(losses + 1) - lgamma(wins + losses + 2)
    return exp(beta - wins * log(chance) - losses * log(1 - chance))


@pytest.mark.parametrize(("wins", "losses"), [(1, 0), (3, 3), (12, 5), (60, 40), (10, 60)])
def test_for_wins_and_losses_it_is_the_mixture_probability_ratio_test(wins: int, losses: int) -> None:
    order = np.random.default_rng(0).permutation([1.0] * wins + [0.0] * losses)
    assert wealth(order, 0.5)[-1] == pytest.approx(uniform_mixture(wins, losses, 0.5), rel=0.01)


def test_by_hand() -> None:
    # After a single win the bettors own 1 + g or 1 - g, which is 1 on average; after two 1 + g² or so.
    assert wealth([1.0], 0.5)[0] == pytest.approx(1.0)
    assert wealth([1.0, 1.0], 0.5)[1] == pytest.approx(4 / 3, rel=1e-3)
    assert wealth([0.5, 0.5, 0.5], 0.5) == pytest.approx([1.0, 1.0, 1.0])


def test_nothing_seen_says_nothing() -> None:
    results = evidence([])
    assert (results.mean, results.low, results.high, results.e_value, results.p) == (0.5, 0.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("kind", ["coins", "bounded", "dependent"])
def test_looking_after_every_observation_raises_false_alarms_at_most_as_often_as_promised(kind: str) -> None:
    random = np.random.default_rng(7)
    alarms = 0
    for _ in range(600):
        if kind == "coins":
            values = random.integers(2, size=300).astype(float)
        elif kind == "bounded":
            values = random.beta(0.5, 0.5, size=300)
        else:  # how much is at stake depends on what was seen before, the mean does not
            signs = random.choice([-1.0, 1.0], size=300)
            stake = np.where(np.r_[1.0, signs[:-1]] > 0, 0.5, 0.1)
            values = 0.5 + signs * stake
        alarms += bool(wealth(values, 0.5).max() >= 20)
    assert 0 < alarms / 600 <= 0.05


def test_a_fixed_test_looked_at_as_often_would_not_keep_that_promise() -> None:
    random = np.random.default_rng(7)
    steps = np.arange(1, 301)
    sums = np.cumsum(random.choice([-1.0, 1.0], size=(600, 300)), axis=1)
    assert np.mean((np.abs(sums) / np.sqrt(steps) > 1.96)[:, 20:].any(axis=1)) > 0.2


def test_a_difference_is_found_and_the_interval_holds_the_truth_all_the_time() -> None:
    random = np.random.default_rng(3)
    held = found = 0
    for _ in range(40):
        values = (random.random(300) < 0.65).astype(float)
        result = [evidence(values[:n]) for n in range(20, 301, 40)]
        held += all(one.low <= 0.65 <= one.high for one in result)
        found += result[-1].e_value >= 20
    assert held >= 38
    assert found >= 36


@given(st.lists(st.floats(0, 1), max_size=40))
def test_the_interval_is_what_is_not_refuted(values: list[float]) -> None:
    output = evidence(values)
    assert 0 <= output.low <= output.high <= 1
    assert output.low - 1e-9 <= (np.mean(values) if values else 0.5) <= output.high + 1e-9
    for tested in (0.2, 0.5, 0.9):
        refuted = bool(values) and wealth(values, tested)[-1] >= 20
        assert refuted == (not output.low < tested < output.high)
    mirrored = evidence([1 - value for value in values])
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((output.low, output.high), abs=1e-6)
    assert output.p == pytest.approx(min(1.0, 1.0 / output.e_value))


@given(st.lists(st.sampled_from([0.0, 0.2, 1.0]), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_the_evidence_is_the_wealth_in_the_end(values: list[float], mean: float) -> None:
    assert evidence(values, mean).e_value == pytest.approx(float(wealth(values, mean)[-1]))


def test_very_long_streaks_stay_finite() -> None:
    content = evidence(np.ones(20_000))
    assert np.isfinite(content.e_value)
    assert content.low > 0.99


@pytest.mark.parametrize("values", [[1.1], [-0.1], [float("nan")], [[0.5]]])
def test_what_is_no_observation_is_refused(values: list) -> None:
    with pytest.raises(QueryError):
        evidence(values)


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(QueryError, match="mean"):
        wealth([0.5], 1.0)
    with pytest.raises(QueryError, match="mean"):
        evidence([0.5], mean=0.0)
    with pytest.raises(QueryError, match="alpha"):
        evidence([0.5], alpha=0.0)
