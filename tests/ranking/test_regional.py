"""Words by region of style, by hand."""

from __future__ import annotations

import pytest

from persrv.ranking.regional import FREQUENT, MOST_FREQUENT, frequent_words, regional_query, regional_text
from persrv.text.bm25f import SparseVector, token_id

OFTEN, RARE, LAST = 3, 9, 2**32 - 1
TEXT = SparseVector([OFTEN, RARE, LAST], [1.0, 2.5, 0.25])
WORDS = {OFTEN, LAST}


def product(query: SparseVector, stored: SparseVector) -> float:
    values = dict(zip(*stored, strict=True))
    return sum(weight * values.get(index, 0.0) for index, weight in zip(*query, strict=True))


def test_the_most_frequent_words_have_a_dimension_for_each_region() -> None:
    counts = {f"w{number}": FREQUENT + number for number in range(MOST_FREQUENT + 1)} | {"rare": FREQUENT - 1}
    found = frequent_words(counts)
    assert found == sorted(found)
    assert set(found) == {token_id(f"w{number}") for number in range(1, MOST_FREQUENT + 1)}
    assert frequent_words({"one": FREQUENT, "rare": FREQUENT - 1}) == [token_id("one")]
    assert frequent_words({}) == []


def test_frequent_words_score_inside_their_region_times_its_factor() -> None:
    inside, other = regional_text(TEXT, 5, WORDS), regional_text(TEXT, 63, WORDS)
    assert inside.indices == sorted(inside.indices)
    assert max(inside.indices) < 2**32
    asked = regional_query(SparseVector([OFTEN, LAST, 77], [0.5, 4.0, 9.0]), {0: 1.0, 5: 1.5, 11: 1.25}, WORDS)
    assert (len(inside.indices), len(asked.indices)) == (2, 3 + 3)
    assert product(asked, inside) == pytest.approx(1.5 * (1.0 * 0.5 + 0.25 * 4.0))
    assert product(asked, other) == 0.0
    assert regional_query(SparseVector([RARE], [2.0]), {0: 1.0, 5: 1.5}, WORDS) == SparseVector([], [])
    assert regional_text(SparseVector([], []), 1, WORDS) == SparseVector([], [])


def test_dimensions_are_those_of_sparse_vectors_and_seldom_shared() -> None:
    words, regions = range(1, 2**32, 2**25 + 1), range(256)
    found = regional_query(SparseVector([*words], [1.0] * len(words)), dict.fromkeys(regions, 1.0), {*words})
    assert min(found.indices) >= 0
    assert max(found.indices) < 2**32
    assert len(found.indices) >= len(words) * len(regions) - 3


def test_two_pairs_in_one_dimension_add_up() -> None:
    other = (OFTEN + 0x85EBCA6B * pow(0x9E3779B1, -1, 2**32)) % 2**32
    both = regional_query(SparseVector([OFTEN, other], [1.0, 0.5]), {0: 1.0, 1: 2.0}, {OFTEN, other})
    # The first word in region 1 stands where the other one stands in region 0.
    assert sorted(both.values) == [1.0, 1.0, 2.5]
