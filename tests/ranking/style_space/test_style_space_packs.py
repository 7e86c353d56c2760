from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from persrv.ranking.style_space.packs import covariance_within, intraclass_correlation, pack_numbers, usable


def test_stickers_without_a_pack_are_on_their_own() -> None:
    assert pack_numbers(["b", "", "a", "b", ""]).tolist() == [0, 1, 2, 0, 3]
    assert pack_numbers([]).tolist() == []


@pytest.mark.parametrize(
    ("packs", "rows"),
    [
        (["a", "b", "a", "b", "c"], [0, 1, 2, 3]),
        (["a", "a", "b", "c"], []),
        (["", "", "", ""], []),
        ([], []),
    ],
)
def test_packs_are_usable_from_two_of_two(packs: list[str], rows: list[int]) -> None:
    assert usable(pack_numbers(packs)).tolist() == rows


def test_covariance_within_by_hand() -> None:
    values = np.array([[0, 0], [2, 4], [10, 5], [10, 7]], np.float32)
    # deviations (-1, -2), (1, 2), (0, -1), (0, 1)
    assert covariance_within(values, np.array([5, 5, 2, 2])) == pytest.approx(np.array([[0.5, 1.0], [1.0, 2.5]]))


def test_likeness_by_hand() -> None:
    owners = np.array([0, 0, 1, 1])
    assert intraclass_correlation(np.array([[0], [0], [2], [2]], np.float32), owners) == pytest.approx(1.0)
    # between 4 - 0 = mean square 9, within mean square 1: (9 - 1) / (9 + 1)
    assert intraclass_correlation(np.array([[0], [2**0.5], [3], [3 + 2**0.5]], np.float32), owners) == pytest.approx(
        0.8, rel=1e-5
    )
    assert intraclass_correlation(np.array([[0], [2], [0], [2]], np.float32), owners) == pytest.approx(-1.0)


def anova(values: NDArray[np.float32], owners: NDArray[np.int64]) -> float:
    """The one-way random-effects estimate from its textbook sums, dimension by dimension."""
    groups = [values[owners == owner].astype(float) for owner in np.unique(owners)]
    n, k = len(values), len(groups)
    within = sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups) / (n - k)
    grand = values.astype(float).mean(axis=0)
    between = sum(len(group) * ((group.mean(axis=0) - grand) ** 2).sum() for group in groups) / (k - 1)
    size = (n - sum(len(group) ** 2 for group in groups) / n) / (k - 1)
    return float((between - within) / (between + (size - 1) * within))


@given(st.integers(0, 2**32))
def test_likeness_is_the_analysis_of_variance(seed: int) -> None:
    random = np.random.default_rng(seed)
    owners = np.concatenate([[3, 3, 8], random.choice([3, 8, 11], 12)])
    values = (random.normal(size=(15, 3)) + random.normal() * owners[:, None]).astype(np.float32)
    assert intraclass_correlation(values, owners) == pytest.approx(anova(values, owners), abs=1e-3)


@given(arrays(np.float32, (6, 2), elements=st.floats(-3, 3, width=32)))
def test_where_it_is_undefined_there_is_no_likeness(values: NDArray[np.float32]) -> None:
    assert intraclass_correlation(values, np.zeros(6, np.int64)) == 0.0
    assert intraclass_correlation(values, np.arange(6)) == 0.0
    assert intraclass_correlation(np.ones((4, 2), np.float32), np.array([0, 0, 1, 1])) == 0.0
