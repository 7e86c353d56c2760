"""Arrays of some stickers: made of points, saved, mapped, merged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from column_samples import IDS, drawn_points, said_by_columns, said_by_points
from index_samples import DIMENSION
from persrv.index.columns import merging, postings
from persrv.index.columns.columns import Columns
from persrv.index.columns.merging import merge, write_merged
from persrv.index.columns.segment import Segment, facet
from persrv.index.language import Point
from persrv.index.schema import IMAGE


def made(points: list[Point]) -> Segment:
    return Segment.of(points, IMAGE, DIMENSION)


def same(one: Segment, other: Segment) -> bool:
    pairs = [(each, other.arrays[name]) for name, each in one.arrays.items()]
    return all(a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b) for a, b in pairs)


def test_columns_say_what_points_say() -> None:
    points = drawn_points(40, seed=1)
    assert said_by_columns(Columns([made(points)])) == said_by_points(points)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_what_was_saved_is_mapped(count: int, tmp_path: Path) -> None:
    whole = made(drawn_points(count, seed=2))
    whole.save(tmp_path / "saved")
    assert same(Segment.load(tmp_path / "saved"), whole)


def test_ids_that_begin_alike_are_told_apart() -> None:
    whole = made(drawn_points(30, seed=3))
    ids = np.array([list(bytes.fromhex(each)) for each in IDS], np.uint8)
    assert len({each[:16] for each in IDS}) == 3
    assert whole.rows_of(ids).tolist() == [*range(30)] + [-1] * 10


def test_values_of_other_types_are_other_values() -> None:
    values = [facet("tags", "1"), facet("tags", 1), facet("tags", True), facet("pack", "1"), facet("tags", "\ud800")]
    assert len({*values}) == len(values)
    assert all(0 <= value < 2**64 for value in values)


@pytest.mark.parametrize("counts", [(40,), (15, 20, 5), (0, 40), (20, 0, 20), (0,)], ids=str)
def test_merged_segments_are_that_of_all_their_points(
    counts: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "AT_ONCE", 9)
    monkeypatch.setattr(merging, "_ROWS_AT_ONCE", 7)
    points = drawn_points(sum(counts), seed=4)
    kept = np.random.default_rng(5).random(len(points)) < 0.7
    parts, at = [], 0
    for count in counts:
        parts.append((made(points[at : at + count]), kept[at : at + count]))
        at += count
    expected = made([point for point, each in zip(points, kept, strict=True) if each])
    assert same(merge(parts), expected)
    write_merged(parts, tmp_path / "merged")
    assert same(Segment.load(tmp_path / "merged"), expected)
    assert {file.suffix for file in (tmp_path / "merged").iterdir()} == {".npy"}


def test_no_file_of_other_content_is_taken(tmp_path: Path) -> None:
    whole = made(drawn_points(20, seed=6))
    whole.save(tmp_path / "saved")
    for file in sorted((tmp_path / "saved").iterdir()):
        before = file.read_bytes()
        array = np.load(file)
        np.save(file, array.astype(np.complex64))
        refused(tmp_path / "saved")
        np.save(file, array[None])
        refused(tmp_path / "saved")
        if len(array):
            np.save(file, array[:-1])
            refused(tmp_path / "saved")
        if file.name == "text.values.npy":
            np.save(file, array[:0])
            refused(tmp_path / "saved")
        np.savez(file.with_suffix(""), array)
        file.with_suffix(".npz").replace(file)
        refused(tmp_path / "saved")
        for content in (b"", before[: len(before) // 2], before[:5], b"{}", b"PK\x03\x04", b"\x93NUMPY\x01\x00v\x00{'"):
            file.write_bytes(content)
            refused(tmp_path / "saved")
        header = before.replace(b"'descr'", b"'descr", 1)
        file.write_bytes(header)
        refused(tmp_path / "saved")
        file.unlink()
        refused(tmp_path / "saved")
        file.write_bytes(before)
    assert same(Segment.load(tmp_path / "saved"), whole)


def refused(folder: Path) -> None:
    with pytest.raises((OSError, ValueError)):
        Segment.load(folder)
