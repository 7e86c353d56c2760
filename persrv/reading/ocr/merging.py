"""One list of lines from several readings of one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz

from persrv.reading.ocr.engine import Line
from persrv.reading.ocr.lines import overlap, reading_order
from persrv.text.folding import normalise

_SAME_PLACE = 0.5
"""Part of the smaller box that two boxes share when they hold the same line."""

_NEAR = 0.8
"""Similarity from which two texts count as readings of one: one letter in five may differ, so 早安 is not 晚安."""


def merge_grounds(readings: Sequence[Sequence[Line]]) -> list[Line]:
    """Merge readings of one frame on several grounds, in reading order.

    Lines in the same place are one line; of them the one with the most letters expected to be right is kept, that is
    confidence times length.
    """
    merged: list[Line] = []
    for reading in readings:
        # Only what earlier readings found can be the same line: lines of one reading are different ones.
        free = list(range(len(merged)))
        for each in reading:
            at = max(free, key=lambda at: (overlap(merged[at].box, each.box), -at), default=None)
            if at is None or overlap(merged[at].box, each.box) < _SAME_PLACE:
                merged.append(each)
                continue
            free.remove(at)
            merged[at] = max(merged[at], each, key=lambda line: line.confidence * len(line.text))
    return reading_order(merged)


def merge_frames(frames: Iterable[Sequence[Line]]) -> list[Line]:
    """Merge the lines of an animation's frames, in the order in which they appear.

    A line of a frame joins at most one line of the frames before, and no other line of its frame does, so a text that
    stands twice in a frame stays twice. Equal and nearly equal texts are one, with the best confidence; a text that
    another one in its place begins with is that caption while it grows, and the longest is kept.

    Args:
        frames: Each frame's lines in reading order.
    """
    merged: list[Line] = []
    for frame in frames:
        pairs = sorted(
            (-_likeness(known, each), -overlap(known.box, each.box), at, number)
            for at, known in enumerate(merged)
            for number, each in enumerate(frame)
            if same_text(known, each)
        )
        joined: dict[int, int] = {}
        for *_, at, number in pairs:
            if at not in joined.values() and number not in joined:
                joined[number] = at
        for number, each in enumerate(frame):
            if number in joined:
                merged[joined[number]] = _better(merged[joined[number]], each)
            else:
                merged.append(each)
    return merged


def same_text(a: Line, b: Line) -> bool:
    """Whether two lines of different frames are readings of one caption, maybe still growing."""
    return _likeness(a, b) >= _NEAR


def _likeness(a: Line, b: Line) -> float:
    """Return 1.0 for equal texts and stages of one caption, else the share of letters in common, in [0, 1]."""
    first, second = _bare(a), _bare(b)
    return 1.0 if first == second or _grows(a, b) else fuzz.ratio(first, second) / 100


def _better(known: Line, each: Line) -> Line:
    if _grows(known, each):
        return max(known, each, key=lambda line: len(_bare(line)))
    return max(known, each, key=lambda line: line.confidence)


def _grows(a: Line, b: Line) -> bool:
    shorter, longer = sorted((_bare(a), _bare(b)), key=len)
    return shorter != longer and longer.startswith(shorter) and overlap(a.box, b.box) >= _SAME_PLACE


def _bare(line: Line) -> str:
    return normalise(line.text).replace(" ", "")
