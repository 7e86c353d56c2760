from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.ranking.affinity import agreement, damped_people, with_affinity, word_weights


def test_people_are_damped() -> None:
    assert damped_people([0, 1, 2, 0.5]).tolist() == pytest.approx([0, math.log(2), math.log(3), math.log(1.5)])


def test_a_word_counts_by_its_rarity_and_the_length_of_the_query() -> None:
    weights = word_weights(["good", "night", "good", "brb"], {"good": 50, "night": 5}, 100)
    assert weights == pytest.approx({"good": math.log1p(50.5 / 50.5) / 3, "night": math.log1p(95.5 / 5.5) / 3})
    assert word_weights(["brb"], {}, 100) == {}
    assert word_weights([], {"good": 1}, 100) == {}


def test_scores_by_hand() -> None:
    text, exact, words = np.array([2.0, 0.0, 1.0]), np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.5])
    assert with_affinity(text, exact, words, omega=2.0, delta=4.0).tolist() == [2.0, 2.0 * 3.0, 2.0 * 5.0]
    assert with_affinity(text, exact, words, omega=0.0, delta=0.0).tolist() == text.tolist()


def test_picks_of_others_count_the_less_the_less_their_styles_are_ones_own() -> None:
    agreed = agreement(np.array([1.0, 0.5, 0.0, -1.0]))
    assert agreed.tolist() == pytest.approx([1.0, (4 / 3 / 1.5) ** 16, 1.5**-16, 3.0**-16])
    text, exact, words = np.full(4, 2.0), np.ones(4), np.ones(4)
    scores = with_affinity(text, exact, words, 1.0, 2.0, agreed)
    assert scores[0] == with_affinity(text, exact, words, 1.0, 2.0)[0] == 9.0
    assert (np.diff(scores) < 0).all()
    # Nothing that picks alone lead to is lost.
    assert (with_affinity(np.zeros(4), exact, words, 1.0, 2.0, agreed) > 0).all()


@given(st.floats(0, 1e3), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_people_never_lower_a_score(text: float, fewer: int, more: int) -> None:
    low, high = sorted((fewer, more))
    scores = with_affinity(np.full(2, text), damped_people([low, high]), damped_people([low, high]), 2.0, 4.0)
    assert scores[0] <= scores[1]
