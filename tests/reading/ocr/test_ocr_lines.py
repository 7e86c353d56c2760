"""Lines: made, compared, ordered."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persrv.reading.ocr.engine import Line
from persrv.reading.ocr.lines import line, overlap, reading_order

SQUARE = [(10, 20), (30, 20), (30, 40), (10, 40)]

fractions = st.floats(0, 1, allow_nan=False)
boxes = st.tuples(fractions, fractions, fractions, fractions).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)
lines_ = st.lists(st.builds(Line, st.text("ab早安", min_size=1, max_size=3), fractions, boxes), max_size=6)


def at(text: str, left: float, top: float, right: float, bottom: float) -> Line:
    return Line(text, 0.9, (left, top, right, bottom))


def test_a_line_is_cleaned_and_its_box_is_relative() -> None:
    assert line(" good\n\t morning\x00", 0.75, SQUARE, 100, 200) == Line("good morning", 0.75, (0.1, 0.1, 0.3, 0.2))


def test_a_slanted_box_becomes_the_upright_one_around_it_within_the_picture() -> None:
    made = line("早安", 1.2, [(-5, 10), (50, -5), (120, 20), (60, 60)], 100, 50)
    assert made == Line("早安", 1.0, (0.0, 0.0, 1.0, 1.0))


@pytest.mark.parametrize("text", ["", "  ", "\n", "☆", "-", "。", "♡♡", "!?*"])
def test_marks_without_a_letter_say_nothing(text: str) -> None:
    assert line(text, 0.9, SQUARE, 100, 100) is None


@pytest.mark.parametrize("text", ["???", "!?", "？！", "7", "哈", "é"])
def test_letters_digits_and_meant_marks_are_kept(text: str) -> None:
    made = line(text, 0.9, SQUARE, 100, 100)
    assert made is not None
    assert made.text == text


def test_overlap_is_a_part_of_the_smaller_box() -> None:
    assert overlap((0, 0, 0.4, 0.4), (0.2, 0.0, 0.6, 0.2)) == pytest.approx(0.5)
    assert overlap((0, 0, 1, 1), (0.2, 0.2, 0.3, 0.3)) == pytest.approx(1)
    assert overlap((0, 0, 0.5, 0.5), (0.5, 0, 1, 0.5)) == 0
    assert overlap((0, 0, 1, 1), (0.5, 0.5, 0.5, 0.5)) == 0


@settings(deadline=None)
@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    first, second = (a[0], a[1], a[2], a[3]), (b[0], b[1], b[2], b[3])
    assert overlap(first, second) == overlap(second, first)
    assert 0 <= overlap(first, second) <= 1


def test_rows_are_read_from_the_left_though_their_boxes_are_not_quite_level() -> None:
    first, second, third = at("b", 0.6, 0.08, 0.9, 0.22), at("a", 0.1, 0.1, 0.4, 0.25), at("c", 0.1, 0.5, 0.9, 0.7)
    assert reading_order([first, second, third]) == [second, first, third]


def test_columns_of_upright_text_are_read_from_the_right() -> None:
    left, right, low = (
        at("努力", 0.1, 0.1, 0.3, 0.6),
        at("今天", 0.6, 0.12, 0.8, 0.5),
        at("也要", 0.6, 0.55, 0.8, 0.9),
    )
    assert reading_order([left, low, right]) == [right, low, left]


def test_a_lone_tall_character_does_not_make_a_column() -> None:
    ones = [at("1", 0.1, 0.1, 0.12, 0.3), at("1", 0.5, 0.1, 0.52, 0.3)]
    assert reading_order(ones[::-1]) == ones


@settings(deadline=None)
@given(lines_, st.randoms())
def test_the_order_given_does_not_matter(lines: list[Line], random: Random) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert reading_order(shuffled) == reading_order(lines)
    assert sorted(map(repr, reading_order(lines))) == sorted(map(repr, lines))
