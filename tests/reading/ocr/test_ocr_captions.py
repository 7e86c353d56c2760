"""Captions as memes have them: a few of each kind that ``python -m benchmarks.captions`` measures."""

from __future__ import annotations

import random

import pytest

from benchmarks.captions import KINDS, changing, run
from persrv.images.decode import open_picture
from persrv.reading.ocr.engine import Line
from persrv.reading.ocr.lines import joined_columns
from persrv.reading.ocr.picture_text import MORE_FRAMES, read_picture
from persrv.reading.ocr.rapid import RapidOcrEngine


def test_nearly_every_caption_of_every_kind_is_read() -> None:
    scores = run(4, 1)
    assert {score.kind for score in scores} > {kind for kind, _, _ in KINDS}
    assert sum(score.read for score in scores) >= 0.95 * sum(score.of for score in scores)
    assert all(score.read >= 0.7 * score.of for score in scores)


def test_captions_that_change_are_all_read_and_a_still_one_is_read_from_few_frames() -> None:
    engine = RapidOcrEngine(("en",))
    frames: list[int] = []

    def read(captions: list[str]) -> list[str]:
        content = changing(random.Random(3), captions)

        def more() -> object:
            frames.append(MORE_FRAMES)
            return open_picture(content, max_frames=MORE_FRAMES)

        found = read_picture(engine, open_picture(content), min_confidence=0.6, max_side=320, more=more)  # type: ignore[arg-type]
        return [line.text for line in found.lines]

    several = ["hello", "what now", "oh no", "see you", "not again", "coffee"]
    assert read(several) == several
    assert frames == [MORE_FRAMES]
    assert read(["hello there"]) == ["hello there"]
    assert frames == [MORE_FRAMES]


def test_a_lone_character_above_or_below_a_column_belongs_to_it() -> None:
    column, above, below, aside = (
        Line("天也要加", 0.9, (0.8, 0.2, 0.9, 0.6)),
        Line("今", 0.5, (0.8, 0.09, 0.9, 0.19)),
        Line("油", 0.4, (0.81, 0.61, 0.9, 0.71)),
        Line("O", 0.7, (0.1, 0.1, 0.2, 0.2)),
    )
    whole, other = joined_columns([above, column, below, aside])
    assert (whole.text, other) == ("今天也要加油", aside)
    assert whole.confidence == pytest.approx(((0.9 * 4 + 0.5) / 5 * 5 + 0.4) / 6)
    assert whole.box == (0.8, 0.09, 0.9, 0.71)
    assert joined_columns([aside, Line("hi there", 0.9, (0.1, 0.21, 0.5, 0.3))])[0] == aside
