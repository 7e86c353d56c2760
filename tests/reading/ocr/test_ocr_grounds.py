"""Which grounds and sizes an engine is shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from persrv.reading.ocr.grounds import GROUNDS, grounds, pictures_to_read


def strokes(*greys: int, side: int = 64) -> NDArray[np.uint8]:
    """Return separate one-pixel strokes, as many of each grey, on nothing."""
    frame = np.zeros((side, side, 4), np.uint8)
    for number in range(side // 4):
        frame[2:-2, 4 * number + 1] = (*[greys[number % len(greys)]] * 3, 255)
    return frame


@pytest.mark.parametrize(("ink", "ground"), [(0, 128), (255, 128), (128, 64), (100, 192), (150, 64)])
def test_one_ink_gets_a_ground_that_it_stands_out_on(ink: int, ground: int) -> None:
    assert grounds(strokes(ink)) == (ground,)


def test_black_and_white_together_need_one_ground() -> None:
    assert grounds(strokes(0, 255)) == (128,)


def test_inks_that_no_one_ground_shows_get_two() -> None:
    frame = strokes(64, 128, 192, 255)
    chosen = grounds(frame)
    assert len(chosen) == 2
    for ink in (64, 128, 192, 255):
        assert max(abs(ink - ground) for ground in chosen) >= 48


def test_a_colour_stands_out_on_a_grey_of_its_lightness() -> None:
    frame = np.zeros((9, 9, 4), np.uint8)
    frame[2:7, 4] = (220, 100, 100, 255)
    assert grounds(frame) == (128,)


def test_only_the_outline_counts() -> None:
    frame = np.zeros((64, 64, 4), np.uint8)
    frame[4:60, 4:60] = (128, 128, 128, 255)
    frame[4:60, (4, 59)] = frame[(4, 59), 4:60] = (0, 0, 0, 255)
    assert grounds(frame) == (128,)


def test_without_transparency_the_ground_does_not_matter_and_without_ink_there_is_none() -> None:
    assert grounds(np.full((8, 8, 4), 255, np.uint8)) == (GROUNDS[0],)
    assert grounds(np.zeros((8, 8, 4), np.uint8)) == ()
    assert pictures_to_read(np.zeros((8, 8, 4), np.uint8), 320) == []


@pytest.mark.parametrize(
    ("shape", "max_side", "expected"),
    [
        ((96, 64), 320, (320, 213)),
        ((10, 10), 320, (40, 40)),
        ((320, 200), 320, (320, 200)),
        ((1000, 500), 320, (1000, 500)),
        ((2560, 1280), 320, (1280, 640)),
        ((4000, 125), 320, (1280, 40)),
    ],
)
def test_small_frames_are_enlarged_and_huge_ones_reduced(
    shape: tuple[int, int], max_side: int, expected: tuple[int, int]
) -> None:
    assert [picture.shape for picture in pictures_to_read(np.full((*shape, 4), 255, np.uint8), max_side)] == [
        (*expected, 3)
    ]


@pytest.mark.parametrize("shape", [(1, 33), (4000, 124)])
def test_a_frame_too_thin_for_a_line_is_not_shown(shape: tuple[int, int]) -> None:
    assert pictures_to_read(np.full((*shape, 4), 255, np.uint8), 320) == []


@settings(deadline=None)
@given(st.binary(min_size=4 * 4 * 5, max_size=4 * 4 * 5))
def test_any_frame_gets_at_most_two_different_grounds(content: bytes) -> None:
    frame = np.frombuffer(content, np.uint8).reshape(4, 5, 4)
    chosen = grounds(frame)
    assert len(set(chosen)) == len(chosen) <= 2
    assert set(chosen) <= set(GROUNDS)
    assert bool(chosen) == bool(frame[..., 3].any())
