from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.ranking.style_space.words import WordTable
from persrv.text.bm25f import SparseVector

sparse = st.dictionaries(st.integers(0, 12), st.floats(0.125, 0.875, width=32), max_size=5).map(
    lambda found: SparseVector(sorted(found), [found[key] for key in sorted(found)])
)


def test_a_weight_is_the_value_times_the_words_rarity() -> None:
    table = WordTable.of([SparseVector([7, 9], [0.5, 0.25]), SparseVector([], []), SparseVector([9], [0.75])])
    once, twice = math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5)
    assert (len(table), table.size) == (3, 2)
    assert table.starts.tolist() == [0, 2, 2, 3]
    assert table.words.tolist() == [0, 1, 1]
    assert table.rows.tolist() == [0, 0, 2]
    assert table.weights == pytest.approx([0.5 * once, 0.25 * twice, 0.75 * twice], rel=1e-6)


def test_documents_are_read_once_from_any_source() -> None:
    documents = [SparseVector([1], [0.5]), SparseVector([2, 3], [0.5, 0.5])]
    assert WordTable.of(iter(documents)).words.tolist() == WordTable.of(documents).words.tolist() == [0, 1, 2]


def test_a_word_of_one_owner_weighs_nothing_among_the_shared() -> None:
    documents = [SparseVector([1, 2], [0.5, 0.5]), SparseVector([1], [0.5]), SparseVector([2], [0.5])]
    table = WordTable.of(documents)
    shared = table.shared(np.array([0, 0, 1]))
    assert (shared.weights > 0).tolist() == [False, True, False, True]
    assert shared.weights[1] == table.weights[1]
    assert (table.shared(np.arange(3)).weights > 0).all()


def test_nothing_is_a_table_too() -> None:
    empty = WordTable.of([])
    assert (len(empty), empty.size, empty.shared(np.zeros(0, np.int64)).size) == (0, 0, 0)
    words, block = WordTable.of([SparseVector([], [])]).dense(np.array([0]))
    assert (words.shape, block.shape) == ((0,), (1, 0))


@given(st.lists(sparse, min_size=1, max_size=8), st.data())
def test_dense_rows_hold_what_the_documents_hold(documents: list[SparseVector], data: st.DataObject) -> None:
    table = WordTable.of(documents)
    rows = np.array(data.draw(st.lists(st.integers(0, len(documents) - 1), min_size=1, max_size=5)))
    tokens = sorted({token for document in documents for token in document.indices})
    words, block = table.dense(rows)
    for row, weights in zip(rows.tolist(), block, strict=True):
        start, end = table.starts[row], table.starts[row + 1]
        expected = dict(zip(table.words[start:end].tolist(), table.weights[start:end].tolist(), strict=True))
        assert {
            word: weight for word, weight in zip(words.tolist(), weights.tolist(), strict=True) if weight
        } == expected
        assert [tokens[word] for word in expected] == documents[row].indices
