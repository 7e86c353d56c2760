"""Lines of text: made from an engine's answer, compared, and put in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from persrv.reading.ocr.engine import Line

Box = tuple[float, float, float, float]

_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_MEANT_MARKS = frozenset("?!？！")
_UPRIGHT = 1.5
"""Height over width from which a line of several characters counts as written from top to bottom."""


def line(text: str, confidence: float, corners: Iterable[Sequence[float]], width: int, height: int) -> Line | None:
    """Return an engine's answer as a line, ``None`` where it says nothing.

    Args:
        text: As the engine read it; runs of space and control characters become one space.
        confidence: Clipped to [0, 1].
        corners: Points (x, y) of a polygon, in pixels.
        width: Of the frame, in pixels, >= 1.
        height: Of the frame, in pixels, >= 1.

    Returns:
        ``None`` for a text without a letter or digit that is not made of ``?`` and ``!`` alone: drawings are full of
        shapes that look like other marks.
    """
    text = _SPACE.sub(" ", text).strip()
    if not text or not (any(c.isalnum() for c in text) or set(text) <= _MEANT_MARKS):
        return None
    xs, ys = zip(*((float(x) / width, float(y) / height) for x, y in corners), strict=True)
    box = (_clip(min(xs)), _clip(min(ys)), _clip(max(xs)), _clip(max(ys)))
    return Line(text, _clip(float(confidence)), box)


def overlap(a: Box, b: Box) -> float:
    """Return the shared area of two boxes as a part of the smaller one, in [0, 1]; 0.0 where one has no area."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return min(1.0, width * height / smaller) if width > 0 and height > 0 and smaller > 0 else 0.0


def reading_order(lines: Sequence[Line]) -> list[Line]:
    """Return lines as they are read: rows from top to bottom, each from left to right.

    Where most lines are written from top to bottom, as Chinese and Japanese may be, columns go from right to left.
    A line belongs to a row (or column) when its middle lies between the edges of the row's first line. The order
    does not depend on the order given.
    """
    upright = sum(_is_upright(each) for each in lines)
    if 2 * upright > len(lines):
        return _banded(lines, along=1, across=0, sign=-1)
    return _banded(lines, along=0, across=1, sign=1)


def joined_columns(lines: Sequence[Line]) -> list[Line]:
    """Return lines in their order, a lone character above or below a column written from top to bottom joined to it.

    Engines often find the first or last character of such a column apart from it, and are unsure of it alone.
    """
    joined = list(lines)
    for lone in [each for each in lines if len(each.text) == 1]:
        column = next((each for each in joined if each is not lone and _continues(each, lone)), None)
        if column is None:
            continue
        first, second = sorted((column, lone), key=lambda each: each.box[1])
        (left, top, right, _), (other_left, _, other_right, bottom) = first.box, second.box
        confidence = (column.confidence * len(column.text) + lone.confidence) / (len(column.text) + 1)
        box = (min(left, other_left), top, max(right, other_right), max(first.box[3], bottom))
        joined[joined.index(column)] = Line(first.text + second.text, confidence, box)
        joined.remove(lone)
    return joined


def _continues(column: Line, lone: Line) -> bool:
    """Whether a character stands right above or below a column, as wide as it."""
    if not _is_upright(column):
        return False
    left, top, right, bottom = column.box
    width = right - left
    middle = (lone.box[0] + lone.box[2]) / 2
    gap = max(lone.box[1] - bottom, top - lone.box[3])
    alike = 0.5 * width <= lone.box[2] - lone.box[0] <= 1.5 * width
    return alike and left <= middle <= right and -0.5 * width <= gap <= 0.75 * width


def _banded(lines: Sequence[Line], along: int, across: int, sign: int) -> list[Line]:
    """Sort into bands by the axis ``across``, backwards for sign -1, and within each by ``along``; 0 is x, 1 is y."""

    def middle(each: Line) -> float:
        return (each.box[across] + each.box[across + 2]) / 2

    def key(each: Line) -> tuple[object, ...]:
        return each.box[along], sign * middle(each), each.text, -each.confidence, each.box

    bands: list[list[Line]] = []
    for each in sorted(lines, key=lambda each: (sign * middle(each), *key(each))):
        if bands and bands[-1][0].box[across] <= middle(each) <= bands[-1][0].box[across + 2]:
            bands[-1].append(each)
        else:
            bands.append([each])
    return [each for band in bands for each in sorted(band, key=key)]


def _is_upright(each: Line) -> bool:
    left, top, right, bottom = each.box
    return len(each.text) > 1 and bottom - top >= _UPRIGHT * (right - left)


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))
