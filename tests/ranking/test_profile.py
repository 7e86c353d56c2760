from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from persrv.ranking.profile import StyleProfile, days_since_epoch, unit

E = np.eye(4)
rows = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (n, 4), elements=st.floats(-1, 1, width=32)))


def groups(*sizes: int, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit(np.vstack([E[i] + rng.normal(0, spread, (size, 4)) for i, size in enumerate(sizes)]))


def test_a_profile_lists_its_largest_style_first() -> None:
    profile = StyleProfile.fit(groups(4, 9), np.zeros(13), half_life_days=None)
    assert profile.shares.tolist() == pytest.approx([9 / 13, 4 / 13])
    assert profile.weights.tolist() == pytest.approx([1.0, 4 / 9])
    assert profile.centroids[0] @ E[1] > 0.95


def test_recent_picks_weigh_more() -> None:
    picks = np.stack([E[0]] * 4 + [E[1]] * 4)
    days = np.array([0.0] * 4 + [30.0] * 4)
    profile = StyleProfile.fit(picks, days, half_life_days=10)
    assert profile.centroids[0] @ E[1] == pytest.approx(1.0)
    assert profile.weights[1] == pytest.approx(1 / 8)


def test_nobody_has_more_than_five_styles_unless_a_recipe_says_so() -> None:
    picks = np.repeat(np.eye(7), 6, axis=0)
    assert len(StyleProfile.fit(picks, np.zeros(42)).mass) == 5
    assert len(StyleProfile.fit(picks, np.zeros(42), most=7).mass) == 7
    five = StyleProfile(np.eye(7)[:5], np.ones(5), 0.0)
    assert len(five.after(-np.ones(7), 0.0).mass) == 5
    assert len(five.after(-np.ones(7), 0.0, most=6).mass) == 6


def test_nobody_and_pictureless_picks() -> None:
    assert len(StyleProfile.fit(np.zeros((0, 4)), np.zeros(0)).mass) == 0
    assert len(StyleProfile.fit(np.zeros((3, 4)), np.zeros(3)).mass) == 0
    assert StyleProfile.empty(4).centroids.shape == (0, 4)
    assert len(StyleProfile.empty(4).after(np.zeros(4), 0).mass) == 0


@given(rows)
@settings(max_examples=50)
def test_one_style_moved_pick_by_pick_equals_a_fit(vectors: np.ndarray) -> None:
    picks = unit(vectors)
    picks = picks[np.linalg.norm(picks, axis=1) > 0]
    profile = StyleProfile.empty(4)
    for pick in picks:
        profile = profile.after(pick, 1.0, most=1)
    fitted = StyleProfile.fit(picks, np.ones(len(picks)), most=1, half_life_days=None)
    assert np.allclose(profile.sums, fitted.sums, atol=1e-9)
    assert np.allclose(profile.mass, fitted.mass)


def test_a_pick_moves_the_nearest_style_and_leaves_the_other() -> None:
    profile = StyleProfile.fit(groups(6, 6, spread=0.01), np.zeros(12), half_life_days=None)
    near_first = unit(profile.centroids[0] + 0.3 * E[3])
    moved = profile.after(near_first, 0.0)
    assert moved.centroids[0] @ near_first > profile.centroids[0] @ near_first
    assert np.allclose(moved.centroids[1], profile.centroids[1])
    assert moved.mass.tolist() == [7.0, 6.0]


def test_an_unlike_pick_opens_a_style_while_there_is_room() -> None:
    one = StyleProfile.fit(np.stack([E[0]] * 3), np.zeros(3), half_life_days=None)
    assert len(one.after(-E[0], 0.0, most=2).mass) == 2
    assert len(one.after(-E[0], 0.0, most=1).mass) == 1


def test_time_fades_old_mass() -> None:
    profile = StyleProfile.empty(4).after(E[0], 0.0, half_life_days=10).after(E[0], 10.0, half_life_days=10)
    assert profile.mass.tolist() == pytest.approx([1.5])
    late = profile.after(E[0], 0.0, half_life_days=10)
    assert late.mass.tolist() == pytest.approx([2.0])
    assert late.day == 10.0


def test_directions_fade_with_their_mass_and_a_late_report_has_faded_too() -> None:
    beside = unit(E[0] + E[1])
    profile = StyleProfile.empty(4).after(E[0], 0.0, half_life_days=10).after(beside, 10.0, half_life_days=10)
    np.testing.assert_allclose(profile.sums, [0.5 * E[0] + beside])
    late = profile.after(beside, 0.0, half_life_days=10)
    np.testing.assert_allclose(late.sums, [0.5 * E[0] + 1.5 * beside])
    fitted = StyleProfile.fit(np.stack([E[0], beside]), np.array([0.0, 10.0]), most=1, half_life_days=10)
    np.testing.assert_allclose(fitted.sums, profile.sums)


def test_a_first_pick_is_of_its_day() -> None:
    first = StyleProfile.empty(4).after(E[0], 0.5, half_life_days=10)
    assert (first.day, first.mass.tolist()) == (0.5, [1.0])


def test_a_late_report_of_something_unlike_opens_a_faded_style() -> None:
    profile = StyleProfile.empty(4).after(E[0], 10.0, half_life_days=10).after(-E[0], 0.0, half_life_days=10)
    np.testing.assert_allclose(profile.sums, [E[0], -0.5 * E[0]])
    np.testing.assert_allclose(profile.mass, [1.0, 0.5])


def test_a_pick_that_has_nothing_in_common_opens_no_style() -> None:
    assert len(StyleProfile.empty(4).after(E[0], 0.0).after(E[1], 0.0).mass) == 1


def test_a_day_has_86400_seconds() -> None:
    assert days_since_epoch(datetime(1970, 1, 11, 12, tzinfo=UTC)) == 10.5
    assert days_since_epoch(datetime(2026, 1, 1, tzinfo=UTC)) == 20_454.0


def test_same_input_same_profile() -> None:
    picks = groups(7, 5, 6, spread=0.4)
    first, again = (StyleProfile.fit(picks, np.arange(18.0), half_life_days=5, seed=3) for _ in range(2))
    assert np.array_equal(first.sums, again.sums)
