from __future__ import annotations

import math
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.ranking.affinity import (
    agreement,
    covered_share,
    damped_people,
    picked_vector,
    query_dimension,
    with_affinity,
    word_weights,
)
from persrv.text.bm25f import token_id


def test_people_are_damped() -> None:
    assert damped_people([0, 1, 2, 0.5]).tolist() == pytest.approx([0, math.log(2), math.log(3), math.log(1.5)])


def test_a_word_counts_by_its_rarity_and_the_length_of_the_query() -> None:
    weights = word_weights(["good", "night", "good", "brb"], {"good": 50, "night": 5}, 100)
    assert weights == pytest.approx({"good": math.log1p(50.5 / 50.5) / 3, "night": math.log1p(95.5 / 5.5) / 3})
    assert word_weights(["brb"], {}, 100) == {}
    assert word_weights([], {"good": 1}, 100) == {}


def test_how_much_of_a_query_was_picked_for_is_counted_by_its_rare_words() -> None:
    good, night, elephant = math.log1p(50.5 / 50.5), math.log1p(95.5 / 5.5), math.log1p(100.5 / 0.5)
    words = ["good", "night", "elephant", "night"]
    share = covered_share(words, {"night": 5}, {"good": 50}, 100)
    assert share == pytest.approx(night / (good + night + elephant))
    assert covered_share(words, {"good": 50, "night": 5, "elephant": 1}, {}, 100) == 1.0
    assert covered_share(words, {}, {"good": 50}, 100) == 0.0
    assert covered_share([], {}, {}, 0) == 0.0


def test_scores_by_hand() -> None:
    text, exact, words = np.array([2.0, 0.0, 1.0]), np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.5])
    assert with_affinity(text, exact, words, omega=2.0, delta=4.0).tolist() == [2.0, 2.0 * 3.0, 2.0 * 5.0]
    assert with_affinity(text, exact, words, omega=0.0, delta=0.0).tolist() == text.tolist()


def test_picks_of_others_count_the_less_the_less_their_styles_are_ones_own() -> None:
    agreed = agreement(np.array([1.0, 0.5, 0.0, -1.0]))
    assert agreed.tolist() == pytest.approx([1.0, (4 / 3 / 1.5) ** 20, 1.5**-20, 3.0**-20])
    text, exact, words = np.full(4, 2.0), np.ones(4), np.ones(4)
    scores = with_affinity(text, exact, words, 1.0, 2.0, agreed)
    assert scores[0] == with_affinity(text, exact, words, 1.0, 2.0)[0] == 9.0
    assert (np.diff(scores) < 0).all()
    # Nothing that picks alone lead to is lost.
    assert (with_affinity(np.zeros(4), exact, words, 1.0, 2.0, agreed) > 0).all()


def test_what_a_sticker_was_picked_for_stands_in_one_vector() -> None:
    vector = picked_vector({"good night": 3.0, "brb": 1.0}, {"good": 3.0, "night": 0.5}, factor=1.5)
    values = dict(zip(vector.indices, vector.values, strict=True))
    assert vector.indices == sorted(values)
    assert values == pytest.approx(
        {
            query_dimension("good night"): math.log(4),
            query_dimension("brb"): math.log(2),
            token_id("good"): 1.5 * math.log(4),
            token_id("night"): 1.5 * math.log(1.5),
        }
    )
    assert picked_vector({}, {}, 1.0).indices == []


def test_a_query_has_another_dimension_than_its_only_word() -> None:
    assert query_dimension("brb") != token_id("brb")
    assert 0 <= query_dimension("") < 2**32
    assert query_dimension("\ud800") == query_dimension("\ud800")
    # Stored in every index: it may never change.
    assert query_dimension("good night") == int.from_bytes(
        blake2b(b"good night", digest_size=4, person=b"query").digest(), "big"
    )


@given(st.floats(0, 1e3), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_people_never_lower_a_score(text: float, fewer: int, more: int) -> None:
    low, high = sorted((fewer, more))
    scores = with_affinity(np.full(2, text), damped_people([low, high]), damped_people([low, high]), 2.0, 4.0)
    assert scores[0] <= scores[1]
