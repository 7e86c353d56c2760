"""What a disk made of columns is found: every kind of content is compared with the engine's points."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from persrv.errors import VectorIndexError
from persrv.index.columns.store import ColumnStore
from persrv.indexing.progress import Silent
from persrv.indexing.soundness import look_at_index_contents
from persrv.offline import build_collection
from persrv.workspace import Workspace
from tiny_collection import Tiny


@pytest.fixture(autouse=True)
def small_ones_have_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ColumnStore.__init__, "__defaults__", (1,))


def look(tiny: Tiny) -> str:
    return look_at_index_contents(Workspace.of(tiny.file, tiny.home), Silent())


def generation(tiny: Tiny) -> Path:
    (found,) = (tiny.home / "tiny" / "index" / "tiny").glob("*/columns/*")
    return found


def turned(file: Path) -> bool:
    """Turn over a bit of the middle number of an array, and return whether there is one."""
    array = np.load(file)
    if not array.size:
        return False
    content = bytearray(file.read_bytes())
    middle = array.size // 2 * array.itemsize
    content[len(content) - array.nbytes + middle + array.itemsize - 1] ^= 1 << 5
    file.write_bytes(content)
    return True


def test_every_array_that_was_changed_is_found(tiny: Tiny, tmp_path: Path) -> None:
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    assert look(tiny).startswith("30 points")
    place, whole = generation(tiny), tmp_path / "whole"
    shutil.copytree(place, whole)
    tried = 0
    for file in sorted(whole.glob("*.npy")):
        if not turned(place / file.name):
            continue
        tried += 1
        with pytest.raises(VectorIndexError, match="columns") as raised:
            look(tiny)
        assert "persrv build -c tiny" in raised.value.next_step, file.name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(whole, place)
    assert tried > 15
    assert look(tiny).startswith("30 points")


def test_missing_columns_are_made_by_the_command_that_is_named(tiny: Tiny) -> None:
    with pytest.raises(VectorIndexError, match="has no columns") as raised:
        look(tiny)  # it was built without
    assert raised.value.next_step == "run persrv build -c tiny"
    build_collection(tiny.file, home=tiny.home)
    assert look(tiny).startswith("30 points")


def test_damage_of_the_engine_is_named_before_that_of_columns(tiny: Tiny) -> None:
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    store = Workspace.of(tiny.file, tiny.home).store()
    assert isinstance(store, ColumnStore)
    with store.engine.open("tiny") as points:
        points.delete([next(iter(points.scroll())).id])
    store.close()
    with pytest.raises(VectorIndexError, match="1 points differ") as raised:
        look(tiny)
    assert raised.value.next_step == "run persrv build -c tiny --rebuild"
