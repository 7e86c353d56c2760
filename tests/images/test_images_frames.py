"""The choice of frames, on thumbnails made by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from persrv.images.frames import frame_samples, representative


def levels(*values: float) -> list[np.ndarray]:
    return [np.full(4, value, np.float32) for value in values]


def test_first_last_then_farthest() -> None:
    assert representative(levels(0, 0.1, 0.45, 0.9, 1.0), 2) == (0, 4)
    assert representative(levels(0, 0.1, 0.45, 0.9, 1.0), 3) == (0, 2, 4)
    assert representative(levels(0, 0.1, 0.45, 0.9, 1.0), 9) == (0, 1, 2, 3, 4)


def test_equal_frames_are_kept_once() -> None:
    assert representative(levels(0.5, 0.5, 0.5), 4) == (0,)
    assert representative(levels(0.5, 0.9, 0.5), 4) == (0, 1)
    assert representative(levels(0.3), 4) == (0,)


def test_ties_go_to_the_earlier_frame() -> None:
    assert representative(levels(0, 0.5, 0.5, 1), 3) == (0, 1, 3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(1, 6))
def test_the_choice_is_bounded_ascending_and_starts_at_the_first(values: list[float], count: int) -> None:
    chosen = representative(levels(*values), count)
    assert chosen[0] == 0
    assert len(chosen) <= count
    assert list(chosen) == sorted(set(chosen))


def test_hidden_colours_do_not_tell_frames_apart() -> None:
    hidden = np.zeros((7, 9, 4), np.uint8)
    other = hidden.copy()
    other[..., 0] = 255
    assert np.array_equal(frame_samples(hidden), frame_samples(other))
    assert frame_samples(other).shape == (1024,)
