"""How much meaning counts: less where people picked for the query's words, and where picks do not bear it out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.text.meaning.fusion import (
    LEAST_BORNE_OUT,
    PICKS_OF_PRIOR,
    USUAL_LIKENESS,
    WHERE_PICKED,
    beside_picks,
    borne_out,
)


def test_meaning_counts_less_the_more_of_a_query_people_picked_for() -> None:
    assert [beside_picks(0.2, share) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.2, 0.11, 0.2 * WHERE_PICKED])


def test_picks_bear_meaning_out_by_how_near_they_are() -> None:
    prior = np.full(PICKS_OF_PRIOR, 1.0)
    assert borne_out(np.zeros(0)) == 1.0
    assert borne_out(prior * USUAL_LIKENESS) == 1.0
    assert borne_out(prior * 0.0) == 0.5
    assert borne_out(np.full(350, 0.4)) == pytest.approx((350 * 0.2 + 50) / 400)
    assert borne_out(np.full(10_000, -3.0)) == LEAST_BORNE_OUT


@given(st.lists(st.floats(-5, 5), max_size=30), st.floats(0, 5))
def test_a_nearer_pick_never_lowers_it(likeness: list[float], nearer: float) -> None:
    fewer, more = borne_out(np.array([*likeness, 0.0])), borne_out(np.array([*likeness, nearer]))
    assert LEAST_BORNE_OUT <= fewer <= more <= 1.0
