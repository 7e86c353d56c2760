from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from persrv.ranking.formula import SIGNIFICANT, final_scores, order, rounded, style_similarity
from persrv.ranking.profile import unit

E1, E2 = np.array([1.0, 0.0]), np.array([0.0, 1.0])
vectors = arrays(np.float64, (6, 3), elements=st.floats(-1, 1, width=32)).map(unit)


def test_final_score_by_hand() -> None:
    scores = final_scores(
        text=np.array([2.0, 2.0, 1.0]),
        utility=np.array([0.5, 0.0, 1.0]),
        images=np.stack([E1, E2, np.zeros(2)]),
        centroids=np.stack([E1, -E2]),
        weights=np.array([1.0, 0.5]),
        beta=0.4,
        gamma=1.0,
    )
    assert scores.tolist() == pytest.approx([2 * 1.2 * 2, 2 * 1 * 1, 1 * 1.4 * 1])


def test_the_similarity_names_its_centroid() -> None:
    similarity, nearest = style_similarity(np.stack([E1, E2]), np.stack([E1, -E2]), np.array([1.0, 0.5]))
    assert similarity.tolist() == [1.0, 0.0]
    assert nearest.tolist() == [0, 0]


def test_a_stranger_is_ranked_by_text_and_utility_alone() -> None:
    scores = final_scores(
        np.array([1.0]), np.array([0.5]), np.stack([E1]), np.zeros((0, 2)), np.zeros(0), beta=1.0, gamma=1.0
    )
    assert scores.tolist() == [1.5]
    assert style_similarity(np.stack([E1]), np.zeros((0, 2)), np.zeros(0))[1].tolist() == [-1]


@given(vectors, vectors)
def test_scores_are_never_negative(images: np.ndarray, centroids: np.ndarray) -> None:
    scores = final_scores(np.ones(6), np.zeros(6), images, centroids, np.ones(6), beta=0.5, gamma=1.0)
    assert (scores >= -1e-9).all()
    assert (scores <= 2 + 1e-9).all()


def test_order_breaks_ties_by_id_and_ignores_float32_noise() -> None:
    assert order(np.array([1.0, 2.0, 2.0 + 1e-7, 3.0]), ["d", "c", "b", "a"]) == [3, 2, 1, 0]


@given(st.permutations(list("abcdef")))
def test_order_does_not_depend_on_the_input_order(ids: list[str]) -> None:
    scores = {name: float(ord(name) // 2) for name in ids}
    assert [ids[i] for i in order(np.array([scores[i] for i in ids]), ids)] == ["f", "d", "e", "b", "c", "a"]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_rounding_keeps_six_digits(values: list[float]) -> None:
    assert rounded(np.array(values)).tolist() == pytest.approx(values, rel=1e-5)
    assert rounded(np.zeros(1)).tolist() == [0.0]
    # Nothing is as small as this, and its rounding step would be 0.
    assert rounded(np.array([1e-310, -1e-310])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("score", [0.000123456789, 0.9876543219, 3.14159265358, 12345.6789012, 99999.96])
def test_scores_are_rounded_to_significant_decimal_digits(score: float) -> None:
    expected = float(f"{score:.{SIGNIFICANT - 1}e}")
    assert rounded(np.array([score])).tolist() == pytest.approx([expected], rel=1e-14)


def test_order_keeps_equal_scores_together_wherever_digits_would_be_rounded() -> None:
    assert order(np.array([2.92686507, 2.92686494]), ["f4", "3e"]) == [1, 0]
    assert order(np.array([2.92686507, 2.92680000]), ["f4", "3e"]) == [0, 1]
    # A millionth less is the same, and any more is not.
    assert order(np.array([1e6, 1e6 - 1.0]), ["f4", "3e"]) == [1, 0]
    assert order(np.array([1e6, 1e6 - 1.001]), ["f4", "3e"]) == [0, 1]
