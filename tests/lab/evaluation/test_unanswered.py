"""Queries whose answers were taken out, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from persrv.lab.stickerqueries.dataset import Dataset, LabelledSticker, searches
from persrv.lab.stickerqueries.systems import Scores
from persrv.lab.stickerqueries.unanswered import judge_unanswered, unanswered

STICKERS: Sequence[Sequence[str]] = (
    ("overtime", "tired", "at work"),
    ("so tired", "tired", "sleepy"),
    ("work", "happy at work today", "office"),
    ("cake", "party", "fun"),
)


def data() -> Dataset:
    stickers = (LabelledSticker(f"{n:032x}", f"{n}.png", tuple(queries)) for n, queries in enumerate(STICKERS))
    return Dataset(tuple(stickers), ())


def test_what_answers_is_taken_out_and_what_shares_a_phrase_is_good() -> None:
    found = {one.search.query: (one.out, one.good) for one in unanswered(data(), searches(data()))}
    assert found["overtime"] == ({0}, {1})
    assert found["at work"] == ({0, 2}, {1})  # "happy at work today" has all of its words
    assert "tired" not in found  # "so tired" has it too, and nothing good is left
    assert "cake" not in found


def scores(words: Sequence[float], total: Sequence[float]) -> Scores:
    return Scores(np.array(words), np.array(total), 1.0)


@pytest.mark.parametrize(
    ("words", "total", "claimed", "precision", "presented"),
    [
        ([9, 0.5, 0.3, 0], [9, 0.5, 0.3, 0], 1.0, 1 / 3, 1 / 2),  # what was taken out counts for nothing
        ([9, 0.1, 0.2, 0], [9, 0.1, 0.2, 0], 0.0, 1 / 3, 1.0),  # shown, but not as an answer
        ([9, 0.0, 0.1, 0], [9, 0.6, 0.1, 0.2], 0.0, 1 / 3, 1 / 3),  # by meaning
        ([9, 0.0, 0.0, 0], [9, 0.0, 0.0, 0], 0.0, 0.0, 1.0),  # nothing
    ],
)
def test_pages_are_judged_by_hand(
    words: list[float], total: list[float], claimed: float, precision: float, presented: float
) -> None:
    (query,) = (one for one in unanswered(data(), searches(data())) if one.search.query == "overtime")
    ids = [sticker.id for sticker in data().stickers]
    report = judge_unanswered([query], [scores(words, total)], ids)
    assert (report.queries, report.claimed) == (1, claimed)
    assert (report.precision, report.presented) == (pytest.approx(precision), pytest.approx(presented))
