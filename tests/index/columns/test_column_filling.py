"""The first generation, made while a version is filled."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from column_samples import IDS, drawn_point, drawn_points, said_by_columns, said_by_points
from index_samples import DIMENSION
from persrv.index.columns import filling as filling_module
from persrv.index.columns.columns import Columns
from persrv.index.columns.filling import Filling
from persrv.index.columns.generations import newest
from persrv.index.columns.segment import Segment
from persrv.index.language import Point
from persrv.index.schema import IMAGE, point_id, sticker_id_of


@pytest.fixture(autouse=True)
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling_module, "_TOGETHER", 8)


def filled(folder: Path, fill: Callable[[Filling], None]) -> Columns:
    filling = Filling(folder, IMAGE, DIMENSION)
    fill(filling)
    filling.finish()
    assert newest(folder) == 1
    assert {each.name for each in folder.iterdir()} == {"1"}
    assert (folder / "1" / "changed").read_bytes() == b""
    return Columns([Segment.load(folder / "1")])


def test_an_empty_collection_has_columns(tmp_path: Path) -> None:
    assert said_by_columns(filled(tmp_path / "columns", lambda filling: filling.add([]))) == {}


def test_of_what_is_written_twice_the_last_counts(tmp_path: Path) -> None:
    first, second = drawn_points(30, seed=1), drawn_points(20, seed=2)

    def fill(filling: Filling) -> None:
        for at in range(0, 30, 5):
            filling.add(first[at : at + 5])
        filling.add([*second, first[3], second[3]])

    assert said_by_columns(filled(tmp_path / "columns", fill)) == said_by_points([*first, *second])


def test_what_is_removed_is_left_out_until_it_is_written_again(tmp_path: Path) -> None:
    points = drawn_points(30, seed=3)
    removed = [point.id for point in points[5:15]]

    def fill(filling: Filling) -> None:
        filling.remove([point_id(IDS[39])])
        filling.add(points)
        filling.remove(removed)
        filling.remove([point_id(IDS[39])])
        filling.add(points[5:8])

    columns = filled(tmp_path / "columns", fill)
    assert said_by_columns(columns) == said_by_points([*points[:8], *points[15:]])


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_writing_and_removing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    expected: dict[str, Point] = {}

    def fill(filling: Filling) -> None:
        for _ in range(12):
            chosen = chance.sample(IDS, chance.randrange(1, 12))
            if chance.random() < 0.7:
                points = [drawn_point(each, chance) for each in chosen]
                filling.add(points)
                expected.update({sticker_id_of(point.id): point for point in points})
            else:
                filling.remove([point_id(each) for each in chosen])
                for each in chosen:
                    expected.pop(each, None)

    assert said_by_columns(filled(tmp_path / "columns", fill)) == said_by_points(expected.values())
