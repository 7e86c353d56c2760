"""Arrays that grow in their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from persrv.index.columns.array_file import ArrayFile


@pytest.mark.parametrize("row", [(), (3,)])
@pytest.mark.parametrize("parts", [[], [0], [1], [5, 0, 7], [9, 123_456]])
def test_what_was_added_can_be_mapped(tmp_path: Path, row: tuple[int, ...], parts: list[int]) -> None:
    rng = np.random.default_rng(7)
    arrays = [rng.random((count, *row)).astype(np.float32) for count in parts]
    with ArrayFile(tmp_path / "a.npy", np.float32, row) as out:
        for array in arrays:
            out.append(array)
    read = np.load(tmp_path / "a.npy", mmap_mode="r", allow_pickle=False)
    np.testing.assert_array_equal(read, np.concatenate([np.zeros((0, *row), np.float32), *arrays]))
    assert read.dtype == np.float32


def test_rows_that_lie_apart_in_memory_lie_together_in_the_file(tmp_path: Path) -> None:
    every = np.arange(40, dtype=np.uint32).reshape(10, 4)
    with ArrayFile(tmp_path / "a.npy", np.uint32, (2,)) as out:
        out.append(every[::2, ::2])
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), every[::2, ::2])


@pytest.mark.parametrize("count", [10, 100_000])
def test_a_disk_without_room_refuses_and_leaves_no_file_open(count: int) -> None:
    with pytest.raises(OSError, match="No space left"), ArrayFile(Path("/dev/full"), np.uint32) as out:
        out.append(np.zeros(count, np.uint32))
    assert out._out.closed
