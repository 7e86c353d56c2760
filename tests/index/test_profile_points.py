"""A taste in the dashboard shows what a person wants to know, and comes back as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from persrv.errors import VectorIndexError
from persrv.index.language import Record
from persrv.index.profile_points import STATE, StyleExample, points_of, profile_of
from persrv.ranking.profile import StyleProfile

PROFILE = StyleProfile(sums=np.array([[3.0, 0.0], [0.0, 0.5]]), mass=np.array([4.0, 1.0]), day=20_000.5)
EXAMPLES = [StyleExample("a" * 32, "cat", "http://x/a.webp", 0.9), StyleExample("b" * 32, "dog", "", 0.8)]


def test_what_a_person_sees_comes_first_and_what_the_program_needs_stands_apart() -> None:
    for point in points_of("ann", PROFILE, EXAMPLES):
        assert list(point.payload) == ["image_url", "title", "user", "share", STATE]
    assert [point.payload["share"] for point in points_of("ann", PROFILE, EXAMPLES)] == [0.8, 0.2]


def test_a_profile_comes_back_from_its_points_in_any_order() -> None:
    points = points_of("ann", PROFILE, EXAMPLES)
    records = [Record(point.id, point.payload, point.vectors) for point in reversed(points)]
    profile, examples = profile_of(records)
    np.testing.assert_allclose(profile.sums, PROFILE.sums)
    assert profile.mass.tolist() == PROFILE.mass.tolist()
    assert profile.day == PROFILE.day
    assert examples == EXAMPLES


def test_a_style_that_lost_its_vector_or_its_state_is_damage_and_no_taste() -> None:
    whole = [Record(point.id, point.payload, point.vectors) for point in points_of("ann", PROFILE, EXAMPLES)]
    state = {key: value for key, value in whole[1].payload[STATE].items() if key != "mass"}
    for broken in (
        replace(whole[1], vectors={}),
        replace(whole[1], payload={}),
        replace(whole[1], payload={**whole[1].payload, STATE: state}),
    ):
        with pytest.raises(VectorIndexError, match="run persrv build --rebuild"):
            profile_of([whole[0], broken])
