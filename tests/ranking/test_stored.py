"""What a stored vector holds beyond BM25F, by hand: utility as a factor, and the order of ids among equal texts."""

from __future__ import annotations

import numpy as np
import pytest

from persrv.ranking.stored import TRACE, stored_factor, stored_text, trace_factors, trending
from persrv.text.bm25f import SparseVector

FIRST, MIDDLE, LAST = "0" * 32, "80000000" + "0" * 24, "f" * 32


def test_the_trace_falls_from_id_to_id_and_is_smaller_than_any_difference_that_counts() -> None:
    assert TRACE == 2**-17
    factors = trace_factors([FIRST, MIDDLE, LAST])
    assert factors.tolist() == pytest.approx([1 + 2**-17, 1 + 2**-18, 1.0], abs=1e-12)
    assert 1.0 < factors[2] < factors[1] < factors[0] <= 1.0 + TRACE
    assert trace_factors([]).shape == (0,)
    # Only the first 8 digits of an id leave a trace.
    assert trace_factors(["12345678" + "0" * 24]) == trace_factors(["12345678" + "f" * 24])


def test_utility_multiplies_every_value_of_a_text() -> None:
    words = SparseVector([3, 9], [1.0, 2.5])
    assert stored_factor(0.5, 0.3, MIDDLE) == pytest.approx(1.15 * (1 + 2**-18), rel=1e-12)
    assert stored_factor(0.0, 0.3, LAST) == pytest.approx(1.0, abs=1e-12)
    stored = stored_text(words, 0.5, 0.3, MIDDLE)
    assert stored.indices == [3, 9]
    assert stored.values == pytest.approx([1.15 * (1 + 2**-18), 2.5 * 1.15 * (1 + 2**-18)], rel=1e-12)
    assert stored_text(words, 1.0, 0.0, LAST).values == pytest.approx(words.values, abs=1e-12)


def test_popular_stickers_are_ordered_by_utility_then_by_id() -> None:
    assert trending(0.25, FIRST) == pytest.approx(0.25 + 1e-7, abs=1e-14)
    assert trending(0.25, MIDDLE) == pytest.approx(0.25 + 0.5e-7, abs=1e-14)
    assert trending(0.25, FIRST) > trending(0.25, MIDDLE) > trending(0.25, LAST) >= 0.25
    assert trending(0.250001, LAST) > trending(0.25, FIRST)
    assert np.isclose(trending(0.0, LAST), 0.0, atol=1e-15)
