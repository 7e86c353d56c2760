"""Grounds and sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import drawing, encoded, solid

from persrv.images.compositing import content_box, fit, on_neutral
from persrv.images.decode import open_picture


def test_transparent_never_turns_black() -> None:
    frame = open_picture(encoded(drawing(), "PNG")).frames[0]
    assert on_neutral(frame)[0, 0].tolist() == [128, 128, 128]
    assert on_neutral(frame, 255)[0, 0].tolist() == [255, 255, 255]
    assert on_neutral(frame)[20, 30].tolist() == [30, 60, 200]


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_blending_is_the_rounded_formula(colour: int, alpha: int, grey: int) -> None:
    pixel = np.array([[[colour, colour, colour, alpha]]], np.uint8)
    exact = (alpha * colour + (255 - alpha) * grey) / 255
    assert abs(int(on_neutral(pixel, grey)[0, 0, 0]) - exact) <= 0.5


def test_the_box_ignores_faint_dirt_but_finds_faint_drawings() -> None:
    frame = np.zeros((20, 20, 4), np.uint8)
    assert content_box(frame) is None
    frame[3, 4, 3] = 10
    assert content_box(frame) == (4, 3, 5, 4)
    frame[10:12, 8:13, 3] = 255
    assert content_box(frame) == (8, 10, 13, 12)


def test_fit_centres_and_keeps_the_aspect_ratio() -> None:
    fitted = fit(solid((9, 200, 40), 10, 40), 32, margin=2)
    box = content_box(fitted)
    assert box is not None
    left, top, right, bottom = box
    assert (left, right) == (2, 30)
    assert (top, bottom) == (12, 19)
    assert fitted[15, 15].tolist() == [9, 200, 40, 255]


def test_fit_leaks_no_colour_from_transparent_pixels() -> None:
    frame = np.zeros((100, 100, 4), np.uint8)
    frame[..., 1] = 255
    frame[30:70, 30:71] = (200, 10, 10, 255)
    fitted = fit(frame, 16)
    visible = fitted[fitted[..., 3] > 0]
    assert np.abs(visible[:, :3].astype(int) - (200, 10, 10)).max() <= 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 999)])
def test_fit_takes_extreme_shapes(shape: tuple[int, int]) -> None:
    fitted = fit(solid((1, 2, 3), *shape), 64, 2)
    assert fitted.shape == (64, 64, 4)
    assert fitted[..., 3].max() == 255


def test_nothing_visible_stays_nothing() -> None:
    frame = solid((1, 2, 3))
    frame[..., 3] = 0
    assert not fit(frame, 16).any()


@settings(max_examples=30)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_empty_canvas_around_a_drawing_changes_nothing(top: int, bottom: int, left: int, right: int) -> None:
    frame = drawing()
    padded = np.pad(frame, ((top, bottom), (left, right), (0, 0)))
    assert np.array_equal(fit(frame, 48), fit(padded, 48))
