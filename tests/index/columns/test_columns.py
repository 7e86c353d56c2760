"""Several segments, of which the newer ones say what is true."""

from __future__ import annotations

import random

import numpy as np
import pytest

from column_samples import IDS, drawn_point, drawn_points, said_by_columns, said_by_points
from index_samples import DIMENSION
from persrv.index.columns.columns import Columns
from persrv.index.columns.merging import merge
from persrv.index.columns.segment import Segment
from persrv.index.language import Point
from persrv.index.schema import IMAGE, TRENDING, sticker_id_of


def made(points: list[Point]) -> Segment:
    return Segment.of(points, IMAGE, DIMENSION)


@pytest.mark.parametrize("seed", range(10))
def test_columns_follow_changes(seed: int) -> None:
    chance = random.Random(seed)
    points = {sticker_id_of(point.id): point for point in drawn_points(25, seed)}
    columns = Columns([made([*points.values()])])
    for _ in range(6):
        before, said = columns, said_by_columns(columns)
        written = [drawn_point(each, chance) for each in chance.sample(IDS, chance.randrange(6))]
        removed = [
            each
            for each in chance.sample(IDS, chance.randrange(6))
            if each not in {p.payload["sticker_id"] for p in written}
        ]
        columns = columns.changed(made(written), removed)
        points |= {sticker_id_of(point.id): point for point in written}
        for each in removed:
            points.pop(each, None)
        assert said_by_columns(columns) == said_by_points(points.values())
        assert columns.count == len(points)
        assert said_by_columns(before) == said  # who searches meanwhile sees them as they were
        compacted = Columns([merge(columns.kept())])
        assert said_by_columns(compacted) == said_by_points(points.values())
        assert compacted.rows == len(points)


@pytest.mark.parametrize("most", [1, 3, 10, 100])
def test_the_most_popular_stickers_of_all_segments(most: int) -> None:
    points = drawn_points(40, seed=3)
    columns = Columns([made(points[:20])]).changed(made(points[20:])).changed(made([]), IDS[::3])
    rows = columns.popular(most)
    alive = [point for point in points if sticker_id_of(point.id) not in IDS[::3]]
    best = sorted(alive, key=lambda point: -point.payload[TRENDING])
    assert len(rows) >= min(most, len(alive))
    assert columns.ids(rows)[:most] == [sticker_id_of(point.id) for point in best[:most]]


def test_rows_are_found_in_the_order_of_the_ids() -> None:
    points = drawn_points(30, seed=4)
    columns = Columns([made(points[:20])]).changed(made(points[15:])).changed(made([]), [IDS[2], IDS[29]])
    wanted = [IDS[25], IDS[2], IDS[0], IDS[35], IDS[16], IDS[29]]
    assert columns.ids(columns.rows_of(wanted)) == [IDS[25], IDS[0], IDS[16]]
    assert columns.rows_of([]).shape == (0,)
    styles = columns.styles_of(wanted)
    by_id = said_by_points(points)
    for sticker_id, style in zip(wanted, styles.tolist(), strict=True):
        gone = sticker_id in {IDS[2], IDS[35], IDS[29]}
        assert style == ([0.0] * DIMENSION if gone else [*by_id[sticker_id][4]])


def test_nothing_has_columns_too() -> None:
    columns = Columns([made([])])
    assert columns.count == 0
    assert columns.popular(5).tolist() == []
    assert columns.rows_of(IDS).tolist() == []
    assert [*columns.postings("text", 1)] == []
    assert said_by_columns(columns.changed(made(drawn_points(3, 1)))) == said_by_points(drawn_points(3, 1))
    assert np.array_equal(columns.styles_of(IDS[:2]), np.zeros((2, DIMENSION)))
