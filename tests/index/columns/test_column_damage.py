"""Columns that are damaged, gone, or on a disk that refuses: the engine answers, and the next build makes them anew."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from column_samples import IDS, drawn_points, said_by_columns, said_by_points
from engines import quick_folder
from index_samples import SCHEMA, manifest
from persrv.errors import CatalogError, IndexLockedError, VectorIndexError
from persrv.index.columns import generations, live
from persrv.index.columns.generations import newest
from persrv.index.columns.segment import TABLES
from persrv.index.columns.store import ColumnCollection, ColumnStore, make_columns
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.schema import STYLE_CLUSTER, point_id
from sparse_files import copy_sparse

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

POINTS = drawn_points(20, seed=1)


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    with quick_folder() as folder, ColumnStore(EmbeddedStore(folder), folder, least=1) as opened:
        build = opened.create("stickers", SCHEMA, manifest(len(POINTS)))
        build.upsert(POINTS)
        opened.publish("stickers", build).close()
        yield folder


@pytest.fixture
def store(built: Path) -> Iterator[ColumnStore]:
    with quick_folder() as folder:
        shutil.copytree(built, folder, copy_function=copy_sparse, dirs_exist_ok=True)
        with ColumnStore(EmbeddedStore(folder), folder, least=1) as opened:
            yield opened


def columns_folder(store: ColumnStore) -> Path:
    return store.folder / "stickers" / store.engine.kept("stickers")[0] / "columns"


def in_columns(opened: Collection) -> bool:
    """Whether an open version has columns; they say what the engine says."""
    if not isinstance(opened, ColumnCollection) or opened.columns is None:
        return False
    assert said_by_columns(opened.columns) == said_by_points(opened.scroll(None, tuple(SCHEMA.vectors)))
    return True


def damaged(folder: Path, kind: str) -> None:
    """Damage the columns in one of the ways of :data:`KINDS`."""
    generation = folder / "1"
    changed, ids = generation / "changed", generation / "ids.npy"
    if kind == "no folder":
        shutil.rmtree(folder)
    elif kind == "no generation":
        shutil.rmtree(generation)
    elif kind == "no announcements":
        changed.unlink()
    elif kind == "half a file":
        os.truncate(ids, ids.stat().st_size // 2)
    elif kind == "empty file":
        os.truncate(ids, 0)
    elif kind == "no file":
        ids.unlink()
    elif kind == "another array":
        shutil.copy(generation / "styles.npy", ids)
    elif kind == "a file in place of a folder":
        shutil.rmtree(generation)
        generation.write_bytes(b"what?")
    else:
        shutil.rmtree(folder)
        folder.write_bytes(b"what?")


KINDS = (
    "no folder",
    "no generation",
    "no announcements",
    "half a file",
    "empty file",
    "no file",
    "another array",
    "a file in place of a folder",
    "a file in place of all",
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_engine_answers_and_the_next_build_makes_them_anew(
    store: ColumnStore, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = columns_folder(store)
    damaged(folder, kind)
    with store.open("stickers") as opened:
        assert not in_columns(opened)
        assert opened.count() == len(POINTS)
        opened.upsert(POINTS[:3])
        opened.purge()
    gone = kind in ("no folder", "no generation", "a file in place of all")
    assert ("until the next build" in caplog.text) == (not gone)
    assert make_columns(store, "stickers")
    assert not make_columns(store, "stickers")
    with store.open("stickers") as opened:
        assert in_columns(opened)


@pytest.mark.parametrize("kind", KINDS)
def test_a_build_finds_damage_that_nobody_met(store: ColumnStore, kind: str) -> None:
    damaged(columns_folder(store), kind)
    assert make_columns(store, "stickers")
    with store.open("stickers") as opened:
        assert in_columns(opened)


@pytest.mark.parametrize("table", TABLES)
def test_lists_that_name_a_row_that_is_not_there_are_not_taken(
    store: ColumnStore, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Or every search for such a word would fail."""
    file = columns_folder(store) / "1" / f"{table}.rows.npy"
    rows = np.load(file)
    rows[len(rows) // 2] = len(POINTS)
    np.save(file, rows)
    with store.open("stickers") as opened:
        assert not in_columns(opened)
    assert f"{table}.rows.npy names rows" in caplog.text


def test_other_stickers_than_the_engines_are_not_taken(store: ColumnStore, caplog: pytest.LogCaptureFixture) -> None:
    with store.engine.open("stickers") as behind:  # as an older persrv would, which knows of no columns
        behind.delete([POINTS[0].id])
    with store.open("stickers") as opened:
        assert not in_columns(opened)
    assert "20 stickers in place of the engine's 19" in caplog.text
    assert make_columns(store, "stickers")


def test_a_build_leaves_alone_what_somebody_has_open(store: ColumnStore) -> None:
    with store.open("stickers") as opened:
        draft = columns_folder(store) / "2.part"
        draft.mkdir()
        assert not make_columns(store, "stickers")
        assert draft.exists()
        shutil.rmtree(columns_folder(store))
        with pytest.raises(IndexLockedError):
            make_columns(store, "stickers")
        assert isinstance(opened, ColumnCollection)


def test_what_is_removed_under_a_program_costs_no_change(store: ColumnStore, caplog: pytest.LogCaptureFixture) -> None:
    with store.open("stickers") as opened:
        assert in_columns(opened)
        shutil.rmtree(columns_folder(store))
        opened.delete([POINTS[0].id])
        assert not in_columns(opened)
        opened.set_payload([(POINTS[1].id, {"utility": 1.0})])
        opened.flush()
        opened.purge()
        assert opened.count() == len(POINTS) - 1
    assert caplog.text.count("until the next build") == 1
    assert make_columns(store, "stickers")
    with store.open("stickers") as opened:
        assert in_columns(opened)


WRITES: dict[str, Callable[[Collection], None]] = {
    "upsert": lambda opened: opened.upsert([drawn_points(1, seed=9)[0], *drawn_points(22, seed=9)[20:]]),
    "set_payload": lambda opened: opened.set_payload([(POINTS[2].id, {"utility": 0.125, "pack": "frogs"})]),
    "delete": lambda opened: opened.delete([POINTS[3].id, point_id(IDS[39])]),
}


@pytest.mark.parametrize("torn", [0, 5])
@pytest.mark.parametrize("kind", WRITES)
def test_each_change_is_there_when_they_are_opened_again(store: ColumnStore, kind: str, torn: int) -> None:
    """Also behind an announcement of which the disk has a part."""
    with store.open("stickers") as opened:
        with (columns_folder(store) / "1" / "changed").open("ab") as changed:
            changed.write(b"x" * torn)
        WRITES[kind](opened)
        assert in_columns(opened)
    with store.open("stickers") as opened:
        assert in_columns(opened)
    assert newest(columns_folder(store)) == 1


def test_a_value_that_is_in_no_column_ends_them_and_no_change(store: ColumnStore) -> None:
    with store.open("stickers") as opened:
        opened.set_payload([(POINTS[1].id, {STYLE_CLUSTER: 1 << 40})])
        assert not in_columns(opened)
        (record,) = opened.retrieve([POINTS[1].id])
        assert record.payload[STYLE_CLUSTER] == 1 << 40
    assert not columns_folder(store).exists()


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond some bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_refuses_a_generation_and_nothing_is_lost(
    store: ColumnStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "MOST_CHANGED", 2)
    with store.open("stickers") as opened:
        assert isinstance(opened, ColumnCollection)
        opened.upsert(drawn_points(4, seed=2))
        assert opened._live is not None
        opened.points.flush()
        with full_disk():
            opened._live.settle()
            with pytest.raises(VectorIndexError, match="cannot be written"):
                opened._live.compact()
        assert "changes are gathered later" in caplog.text
        assert [each.name for each in columns_folder(store).iterdir()] == ["1"]
        assert in_columns(opened)
        opened.delete([POINTS[5].id])
        assert in_columns(opened)
    with store.open("stickers") as opened:
        assert in_columns(opened)
        opened.flush()
        assert newest(columns_folder(store)) == 2


def test_a_generation_that_cannot_be_read_is_not_the_newest(
    store: ColumnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or later changes, which are announced beside the one before, would be forgotten at the next opening."""
    with store.open("stickers") as opened:
        opened.delete([POINTS[0].id])
        real = generations.sync_folder

        def failing(folder: Path) -> None:
            real(folder)
            if folder.name == "columns":
                raise OSError(5, "Input/output error")

        with monkeypatch.context() as patched, pytest.raises(VectorIndexError):
            patched.setattr(generations, "sync_folder", failing)
            opened.purge()
        opened.delete([POINTS[1].id])
        opened.upsert([POINTS[0]])
        assert in_columns(opened)
    assert newest(columns_folder(store)) == 1
    with store.open("stickers") as opened:
        assert in_columns(opened)


def test_a_change_that_cannot_be_announced_is_not_made(store: ColumnStore) -> None:
    with store.open("stickers") as opened:
        changed = columns_folder(store) / "1" / "changed"
        changed.unlink()
        changed.mkdir()
        with pytest.raises(VectorIndexError, match="make room"):
            opened.delete([POINTS[0].id])
        assert opened.count() == len(POINTS)
        assert in_columns(opened)
        changed.rmdir()
        changed.touch()
        opened.delete([POINTS[0].id])
        assert in_columns(opened)


def test_a_disk_that_refuses_columns_of_a_new_version_is_named(store: ColumnStore) -> None:
    build = store.create("stickers", SCHEMA, manifest(len(POINTS)))
    with full_disk(), pytest.raises(CatalogError, match="columns cannot be written"):
        assert isinstance(build, ColumnCollection)
        build.finish()
    build.close()
    with store.open("stickers") as opened:
        assert in_columns(opened)


def test_of_a_removed_sticker_no_byte_is_left(store: ColumnStore) -> None:
    gone = bytes.fromhex(IDS[4])
    with store.open("stickers") as opened:
        opened.delete([point_id(IDS[4])])
        opened.purge()
        assert in_columns(opened)
        files = [file for file in columns_folder(store).rglob("*") if file.is_file()]
        assert len(files) > 10
        assert [file.name for file in files if gone in file.read_bytes()] == []
