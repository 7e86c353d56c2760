"""Orders that make a page less alike, against slow and obvious versions of them."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.lab.evaluation.diversity import different, few_in_a_row, marginal_relevance

SCORES = st.lists(st.floats(0.1, 10), min_size=1, max_size=8).map(lambda values: sorted(values, reverse=True))


def alike(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.clip(vectors @ vectors.T, 0, 1)


def obvious(scores: list[float], likeness: np.ndarray, strength: float, k: int) -> list[int]:
    chosen: list[int] = []
    for _ in range(min(k, len(scores))):
        worth = {}
        for at in range(len(scores)):
            if at not in chosen:
                near = max((float(likeness[at, above]) for above in chosen), default=0.0)
                worth[at] = (1 - strength) * scores[at] / scores[0] - strength * near
        chosen.append(max(worth, key=lambda at: (worth[at], -at)))
    return chosen + [at for at in range(len(scores)) if at not in chosen]


@given(SCORES, st.integers(0, 99), st.floats(0, 1), st.integers(0, 9))
def test_marginal_relevance_is_what_its_formula_says(scores: list[float], seed: int, strength: float, k: int) -> None:
    likeness = alike(len(scores), seed)
    found = marginal_relevance(np.array(scores), likeness, strength, k)
    assert found == obvious(scores, likeness, strength, k)
    assert sorted(found) == list(range(len(scores)))


@given(SCORES, st.integers(0, 99))
def test_no_strength_changes_nothing(scores: list[float], seed: int) -> None:
    assert marginal_relevance(np.array(scores), alike(len(scores), seed), 0.0, 8) == list(range(len(scores)))


def test_marginal_relevance_by_hand() -> None:
    likeness = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=np.float64)
    scores = np.array([1.0, 0.9, 0.5])
    assert marginal_relevance(scores, likeness, 0.1, 3) == [0, 1, 2]
    assert marginal_relevance(scores, likeness, 0.5, 3) == [0, 2, 1]
    assert marginal_relevance(scores, likeness, 0.5, 1) == [0, 1, 2]
    assert marginal_relevance(np.zeros(0), np.zeros((0, 0)), 0.5, 3) == []


@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(1, 3))
def test_few_follow_each_other_unless_nothing_else_is_left(groups: list[str], most: int) -> None:
    found = few_in_a_row(groups, most)
    assert sorted(found) == list(range(len(groups)))
    runs = [(group, len(list(run))) for group, run in groupby(groups[at] for at in found)]
    assert all(length <= most for _, length in runs[:-1])
    for group in "abc":
        of_it = [at for at in found if groups[at] == group]
        assert of_it == sorted(of_it)


def test_few_in_a_row_by_hand() -> None:
    assert few_in_a_row(["a", "a", "a", "b", "a"], 2) == [0, 1, 3, 2, 4]
    assert few_in_a_row(["a", "a", "b", "c"], 1) == [0, 2, 1, 3]
    assert few_in_a_row(["", "", "a", "a", ""], 1) == [0, 1, 2, 4, 3]
    assert few_in_a_row(["a", "a"], 1) == [0, 1]


@pytest.mark.parametrize(("k", "count"), [(1, 1), (2, 1), (3, 2), (9, 3)])
def test_what_differs_is_counted_in_the_first_k(k: int, count: int) -> None:
    assert different(["a", "a", "b", "c"], k) == count
