from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from persrv.ranking.style_space.predict import PRIOR, predicted
from persrv.ranking.style_space.words import WordTable


def table_of(weights: list[list[float]] | NDArray[np.float32]) -> WordTable:
    dense = np.array(weights, np.float32)
    rows, words = np.nonzero(dense)
    starts = np.searchsorted(rows, np.arange(len(dense) + 1))
    return WordTable(starts.astype(np.int64), words.astype(np.int64), dense[rows, words], *words_of(dense))


def words_of(dense: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    return np.arange(dense.shape[1]), np.ones(dense.shape[1], np.float32)


def oracle(values: NDArray[np.float32], weights: NDArray[np.float32], owners: NDArray[np.int64]) -> NDArray[np.float64]:
    """The two sums, written out."""
    answer = np.zeros(values.shape)
    for i in range(len(values)):
        total = 0.0
        for t in range(weights.shape[1]):
            look, mass = np.zeros(values.shape[1]), PRIOR
            for j in range(len(values)):
                if owners[j] != owners[i]:
                    look, mass = look + float(weights[j, t]) * values[j], mass + float(weights[j, t])
            answer[i] += float(weights[i, t]) * look / mass
            total += float(weights[i, t])
        answer[i] /= total or 1.0
    return answer


def test_the_look_of_a_word_comes_from_other_stickers_by_hand() -> None:
    values = np.array([[8.0], [2.0], [5.0]], np.float32)
    table = table_of([[1, 0], [1, 3], [0, 3]])
    answer = predicted(values, table, np.arange(3))
    # sticker 1: word 0 is known from 8 alone, 8 / (1 + 1); word 1 from 5 alone, 3 * 5 / (3 + 1); weights 1 and 3.
    assert answer[:, 0] == pytest.approx([2 / 2, (1 * 4 + 3 * 3.75) / 4, 3 * 2 / 4])


def test_a_pack_learns_nothing_from_itself() -> None:
    values = np.array([[8.0], [2.0], [5.0], [4.0]], np.float32)
    table = table_of([[1, 0], [1, 1], [1, 1], [0, 1]])
    answer = predicted(values, table, np.array([1, 1, 0, 0]))
    assert answer[:, 0] == pytest.approx([5 / 2, (5 / 2 + 9 / 3) / 2, (10 / 3 + 2 / 2) / 2, 2 / 2])
    alone = predicted(values, table_of([[1, 0], [1, 0], [0, 1], [0, 1]]), np.array([1, 1, 0, 0]))
    assert alone == pytest.approx(np.zeros((4, 1)), abs=1e-6)


def test_words_without_others_and_stickers_without_words_predict_nothing() -> None:
    values = np.array([[8.0], [2.0], [5.0]], np.float32)
    assert not predicted(values, table_of([[1, 0, 0], [0, 1, 0], [0, 0, 0]]), np.arange(3)).any()
    assert predicted(
        np.zeros((0, 2), np.float32), table_of(np.zeros((0, 0), np.float32)), np.zeros(0, np.int64)
    ).shape == (0, 2)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_it_is_what_the_sums_say(data: st.DataObject) -> None:
    n, words = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5))
    weight = st.sampled_from([0.0, 0.0, 0.5, 1.0, 3.0])
    weights = data.draw(arrays(np.float32, (n, words), elements=weight))
    values = data.draw(arrays(np.float32, (n, 2), elements=st.floats(-3, 3, width=32)))
    owners = data.draw(arrays(np.int64, n, elements=st.integers(0, n - 1)))
    answer = predicted(values, table_of(weights), owners)
    assert answer.dtype == np.float32
    assert answer == pytest.approx(oracle(values, weights, owners), abs=1e-4)


def test_packs_and_texts_of_more_than_one_block_agree_with_the_sums() -> None:
    random = np.random.default_rng(0)
    weights = np.where(random.random((150, 40)) < 0.1, random.random((150, 40)), 0).astype(np.float32)
    values = random.normal(size=(150, 3)).astype(np.float32)
    owners = np.where(random.random(150) < 0.3, np.arange(150), random.integers(0, 2, 150))
    assert predicted(values, table_of(weights), owners) == pytest.approx(oracle(values, weights, owners), abs=1e-4)
    own = np.arange(150)
    assert predicted(values, table_of(weights), own) == pytest.approx(oracle(values, weights, own), abs=1e-4)
