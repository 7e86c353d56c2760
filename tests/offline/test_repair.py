"""A damaged collection is mended from what is still sound, and nobody's picks are lost by it."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from persrv.catalog import Catalog
from persrv.catalog.salvage import salvage
from persrv.errors import CatalogError, IndexLockedError, IndexMismatchError, NotFoundError, VectorIndexError
from persrv.indexing.progress import Silent
from persrv.indexing.style_fit import StyleFit
from persrv.offline import build_collection
from persrv.offline.repair import repair_collection
from persrv.online.overview import examine
from persrv.online.retriever import Retriever
from persrv.records import Interaction
from persrv.workspace import Workspace
from tiny_collection import Tiny


def ills(tiny: Tiny, deep: bool = False) -> list[str]:
    checks = examine(tiny.file, home=tiny.home, deep=Silent() if deep else None)
    return [check.finding for check in checks if not check.passed]


def test_a_catalog_of_which_pages_are_gone_is_made_of_the_rest(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        retriever.edit(sticker, "tags", ["mine"], editor="ann")
        retriever.record("zoe", "mine", sticker)
    file = tiny.home / "tiny" / "catalog.db"
    with file.open("r+b") as out:
        out.seek(file.stat().st_size // 2 // 4096 * 4096)
        out.write(b"\xff" * 4096 * 3)
    assert any("persrv repair" in finding for finding in ills(tiny, deep=True))
    report = repair_collection(tiny.file, home=tiny.home)
    assert report.steps[0].startswith("the catalog was damaged")
    assert list((tiny.home / "tiny").glob("catalog.damaged-*.db"))
    assert ills(tiny, deep=True) == []
    with tiny.open() as retriever:
        assert retriever.search("happy")
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        assert catalog.count() == 30


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")
@pytest.mark.parametrize("step", ["salvaged", "log removed", "in place"])
def test_a_repair_that_is_killed_is_gone_on_with(tiny: Tiny, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tiny.home / "tiny" / "catalog.db"
    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
    child = os.fork()
    if not child:
        # Killed before its pick has left SQLite's log.
        with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
            catalog.record(Interaction("zoe", "in the log alone", sticker, datetime(2026, 1, 1, tzinfo=UTC)))
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert file.with_name("catalog.db-wal").stat().st_size > 0
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'readings'").fetchone()
    with file.open("r+b") as out:
        out.seek((root - 1) * 4096)
        out.write(b"\xff" * 4096)
    child = os.fork()
    if not child:
        replace = Path.replace

        def killed(path: Path, target: Path) -> Path:
            if path.name == {"salvaged": ".catalog.new.db", "log removed": ".catalog.mended.db"}.get(step):
                os.kill(os.getpid(), signal.SIGKILL)
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", killed)
        monkeypatch.setattr("persrv.offline.repair.build_collection", lambda *a, **b: os.kill(os.getpid(), 9))
        repair_collection(tiny.file, home=tiny.home)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    steps = repair_collection(tiny.file, home=tiny.home).steps
    assert (steps[0] == "a repair that was broken off is gone on with") == (step != "salvaged")
    assert ills(tiny, deep=True) == []
    assert not [path.name for path in file.parent.glob(".catalog*")]
    with tiny.open() as retriever:
        assert [pick.query for pick in retriever.picks("zoe")] == ["in the log alone"]


def test_what_a_source_said_and_a_damage_took_is_read_again_from_files_that_did_not_change(tiny: Tiny) -> None:
    build_collection(tiny.file, home=tiny.home, only=["ingest"])
    folder = tiny.home / "tiny"
    Catalog.open(folder / "new.db", "tiny").close()
    salvage(folder / "catalog.db", folder / "new.db")
    with closing(sqlite3.connect(folder / "new.db")) as database, database:
        database.execute("DELETE FROM readings WHERE source LIKE 'loader:%'")
    for file in folder.glob("catalog.db*"):
        file.unlink()
    (folder / "new.db").rename(folder / "catalog.db")
    build_collection(tiny.file, home=tiny.home, only=["ingest"])
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        assert all(sticker.semantics.tags for sticker in catalog.stickers())


def test_a_catalog_that_is_gone_is_told_from_one_that_never_was(tiny: Tiny, tmp_path: Path) -> None:
    (tiny.home / "tiny" / "catalog.db").unlink()
    with pytest.raises(CatalogError, match="is gone, with all edits and picks recorded here"):
        tiny.open()
    with pytest.raises(NotFoundError, match="never built"):
        Retriever.open(tiny.file, home=tmp_path / "elsewhere")


def test_a_pointer_that_names_no_build_is_said_and_a_build_mends_it(tiny: Tiny) -> None:
    for content in (b"20260101T000000Z-abcdef\n", b"../../etc\n", b"\xff\xfe\n"):
        (tiny.home / "tiny" / "index" / "tiny" / "CURRENT").write_bytes(content)
        with pytest.raises(VectorIndexError, match="run persrv build -c tiny --rebuild"):
            tiny.open()
    assert len(ills(tiny)) == 1
    build_collection(tiny.file, home=tiny.home)
    assert ills(tiny) == []


def test_an_index_without_its_files_is_said_and_a_build_mends_it(tiny: Tiny) -> None:
    folder = next((tiny.home / "tiny" / "index" / "tiny").glob("*/shard/segments/*"))
    os.truncate(folder / "segment.json", 40)
    with pytest.raises(VectorIndexError, match=r"the index is damaged: .*; run persrv build -c tiny --rebuild"):
        tiny.open()
    assert len(ills(tiny)) == 1
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    assert ills(tiny) == []


def test_a_changed_description_is_refused(tiny: Tiny) -> None:
    described = next((tiny.home / "tiny" / "index" / "tiny").glob("*/manifest.json"))
    described.write_text(described.read_text().replace('"beta": ', '"beta": 1'))
    with pytest.raises(VectorIndexError, match="is damaged, or belongs to another build"):
        tiny.open()


def test_nothing_is_mended_under_somebody_who_uses_it(tiny: Tiny) -> None:
    with tiny.open(), pytest.raises(IndexLockedError):
        repair_collection(tiny.file, home=tiny.home)


def test_a_sound_collection_needs_no_repair(tiny: Tiny) -> None:
    assert repair_collection(tiny.file, home=tiny.home).steps == ()


@pytest.mark.parametrize("lost", ["payload_index/config.json", "mutable_id_tracker.mappings"])
def test_engine_files_that_are_gone_are_no_fault_of_a_request_and_the_named_command_mends(
    tiny: Tiny, lost: str
) -> None:
    build_collection(tiny.file, home=tiny.home, rebuild=True)  # no log of updates is left that could heal it
    for file in (tiny.home / "tiny" / "index" / "tiny").glob(f"*/shard/segments/*/{lost}"):
        file.unlink()
    with suppress(VectorIndexError), tiny.open() as retriever:
        retriever.search()
    found = ills(tiny, deep=True)
    assert found
    assert all("--rebuild" in finding for finding in found)
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    assert ills(tiny, deep=True) == []


def test_a_disk_that_refuses_a_fit_is_named(tiny: Tiny) -> None:
    folder = next((tiny.home / "tiny" / "fits").iterdir())
    fit = StyleFit.load(folder)
    taken = folder.with_name("taken")
    taken.write_text("a file where a folder should be")
    with pytest.raises(CatalogError, match=r"the fit .*below cannot be written: .*; make room"):
        fit.save(taken / "below")


def test_the_header_of_an_array_may_hold_anything(tiny: Tiny) -> None:
    folder = next((tiny.home / "tiny" / "fits").iterdir())
    file, chance = folder / "words.npy", random.Random(1)
    whole = file.read_bytes()
    refused = set[str]()
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3))):
            damaged[chance.randrange(6, 128)] = chance.choice((*b"'({[,0", chance.randrange(256)))
        file.write_bytes(damaged)
        try:
            StyleFit.load(folder)
        except IndexMismatchError as error:
            refused.add(type(error.__cause__).__name__)
    assert {"TokenError", "ValueError"} <= refused
