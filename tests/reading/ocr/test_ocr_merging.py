"""Readings of one picture, merged."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from persrv.reading.ocr.engine import Line
from persrv.reading.ocr.merging import merge_frames, merge_grounds, same_text

HERE = (0.1, 0.7, 0.9, 0.9)
THERE = (0.1, 0.1, 0.9, 0.3)

fractions = st.floats(0, 1, allow_nan=False)
frames_ = st.lists(
    st.lists(st.builds(Line, st.text("ab早安", min_size=1, max_size=4), fractions, st.sampled_from([HERE, THERE]))),
    max_size=4,
)


def merged(*frames: list[Line]) -> list[tuple[str, float]]:
    return [(line.text, line.confidence) for line in merge_frames(frames)]


def test_the_same_text_in_several_frames_counts_once_with_its_best_confidence() -> None:
    assert merged([Line("OK", 0.7, HERE)], [Line("ok", 0.9, THERE)], [Line("OK", 0.8, HERE)]) == [("ok", 0.9)]


def test_the_same_text_twice_in_a_frame_stays_twice() -> None:
    frame = [Line("HA", 0.9, THERE), Line("HA", 0.8, HERE)]
    assert merged(frame, frame, frame[:1]) == [("HA", 0.9), ("HA", 0.8)]


def test_nearly_equal_readings_are_one() -> None:
    assert merged([Line("GOOD M0RNING", 0.8, HERE)], [Line("GOOD MORNING", 0.95, HERE)]) == [("GOOD MORNING", 0.95)]
    assert merged([Line("GOOD MORNING", 0.95, HERE)], [Line("GOOD M0RNING", 0.8, HERE)]) == [("GOOD MORNING", 0.95)]


def test_short_captions_that_differ_in_a_character_are_two() -> None:
    assert merged([Line("早安", 0.9, HERE)], [Line("晚安", 0.9, HERE)]) == [("早安", 0.9), ("晚安", 0.9)]
    assert len(merged([Line("good morning", 0.9, HERE)], [Line("good evening", 0.9, HERE)])) == 2


def test_of_a_growing_caption_the_longest_is_kept() -> None:
    small = (0.1, 0.7, 0.3, 0.9)
    assert merged([Line("早", 0.99, small)], [Line("早安", 0.9, HERE)], [Line("早安大家", 0.8, HERE)]) == [
        ("早安大家", 0.8)
    ]
    assert merged([Line("早安大家", 0.8, HERE)], [Line("早", 0.99, small)]) == [("早安大家", 0.8)]


def test_a_beginning_elsewhere_is_no_growing_caption() -> None:
    assert merged([Line("早", 0.9, THERE)], [Line("早安大家", 0.8, HERE)]) == [("早", 0.9), ("早安大家", 0.8)]


def test_lines_come_in_the_order_in_which_they_appear() -> None:
    assert [text for text, _ in merged([Line("b", 0.9, HERE)], [Line("a", 0.9, THERE), Line("b", 0.9, HERE)])] == [
        "b",
        "a",
    ]


@settings(deadline=None)
@given(frames_)
def test_every_line_is_kept_or_stands_for_its_like(frames: list[list[Line]]) -> None:
    answer = merge_frames(frames)
    given_lines = [line for frame in frames for line in frame]
    assert all(line in given_lines for line in answer)
    assert len(answer) >= max(map(len, frames), default=0)
    assert len(answer) <= len(given_lines)


@settings(deadline=None)
@given(st.lists(st.builds(Line, st.text("ab早", min_size=1, max_size=3), fractions, st.just(HERE)), max_size=4))
def test_one_reading_merges_into_itself(frame: list[Line]) -> None:
    assert merge_frames([frame]) == frame
    assert merge_frames([]) == merge_frames([[]]) == merge_grounds([]) == []


def test_of_two_grounds_the_reading_with_more_right_letters_is_kept() -> None:
    part, whole = Line("GO", 0.95, (0.1, 0.7, 0.3, 0.9)), Line("GOOD MORNING", 0.9, HERE)
    assert merge_grounds([[part], [whole]]) == merge_grounds([[whole], [part]]) == [whole]


def test_what_only_one_ground_shows_is_added_in_reading_order() -> None:
    low, high = Line("me", 0.9, HERE), Line("Why", 0.8, THERE)
    assert merge_grounds([[low], [high, low]]) == [high, low]


def test_likeness_ignores_case_spaces_and_forms_of_characters() -> None:
    assert same_text(Line("Good night", 0.9, HERE), Line("ＧＯＯＤＮＩＧＨＴ", 0.5, THERE))
    assert same_text(Line("別鬧", 0.9, HERE), Line("别闹", 0.5, THERE))
