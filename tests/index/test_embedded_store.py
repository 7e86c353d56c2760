"""The embedded store: owners, crashes, threads, forks, and what stands in its folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qdrant_edge as edge

from index_samples import DIMENSION, SCHEMA, identity, manifest, online, sample_points
from persrv.errors import BuildGoneError, IndexLockedError, IndexMismatchError, NotFoundError, VectorIndexError
from persrv.index import lock
from persrv.index.edge_shard import create_shard, is_damage, load_shard
from persrv.index.edge_translator import to_edge_points
from persrv.index.embedded import EmbeddedStore
from persrv.index.embedded_collection import EmbeddedCollection
from persrv.index.lock import FileLock
from persrv.index.versions import Versions

NOBODY = np.zeros((0, DIMENSION))

PRELUDE = """
import os, sys
from pathlib import Path
from index_samples import *
from persrv.errors import *
from persrv.index.embedded import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]))
def say(text): print(text, flush=True)
"""


@contextmanager
def process(folder: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """Another Python process that works on the same folder; killed at the end if it is still there."""
    here = Path(__file__).parent
    child = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parent.parent)])},
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def line(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def tell(child: subprocess.Popen[str]) -> None:
    assert child.stdin
    child.stdin.write("\n")
    child.stdin.flush()


@pytest.fixture
def store(folder: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(folder) as opened:
        yield opened


def publish(store: EmbeddedStore, count: int, name: str = "emoji") -> EmbeddedCollection:
    made = store.create(name, SCHEMA, manifest(count))
    made.upsert(sample_points(count))
    return store.publish(name, made)


def builds(folder: Path) -> set[str]:
    return {path.name for path in (folder / "emoji").iterdir() if path.is_dir()}


# Owners


def test_a_version_gets_its_payload_indexes_when_it_is_filled(store: EmbeddedStore) -> None:
    collection = store.create("emoji", SCHEMA, manifest(5))
    collection.upsert(sample_points(5))
    assert not collection._shard.info().payload_schema
    published = store.publish("emoji", collection)
    assert published._shard.info().payload_schema.keys() == SCHEMA.payload.keys()


@pytest.mark.parametrize(("stickers", "words"), [(10_000, "cold"), (9_999, "pinned")])
def test_what_searches_seldom_read_stays_in_its_files(
    store: EmbeddedStore, folder: Path, stickers: int, words: str
) -> None:
    made = store.create("emoji", SCHEMA, manifest(stickers))
    made.upsert(sample_points(5))
    made.close()
    (file,) = folder.glob("emoji/*/shard/edge_config.json")
    placed = json.loads(file.read_text(encoding="utf-8"))
    assert {each["memory"] for each in placed["sparse_vectors"].values()} == {words}
    (file,) = folder.glob("emoji/*/shard/segments/*/segment.json")
    written = json.loads(file.read_text(encoding="utf-8"))["config"]
    assert {each["storage_type"] for each in written["vector_data"].values()} == {"ChunkedMmap"}
    assert written["payload_storage_type"]["type"] == "mmap"


def test_payload_indexes_stay_in_their_files_but_those_that_every_search_reads(store: EmbeddedStore) -> None:
    published = publish(store, 5)
    indexes = published._shard.info().payload_schema
    assert {key: index.params.memory for key, index in indexes.items()} == {
        key: edge.Memory.Pinned if key in ("rating", "style_cluster") else edge.Memory.Cold for key in indexes
    }


def test_a_second_process_is_told_who_owns_the_index_and_does_no_harm(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 5).close()
    script = """
with store.open("emoji") as mine:
    say("open"); sys.stdin.readline()
    mine.upsert(sample_points(9)); say("written"); sys.stdin.readline()
"""
    with process(folder, script) as child:
        assert line(child) == "open"
        for _ in range(3):
            with pytest.raises(IndexLockedError, match=rf"in use by process {child.pid} \(.*python.* -c .*since 2"):
                store.open("emoji")
        assert store.manifest("emoji") is not None
        assert store.names() == ["emoji"]
        tell(child)
        assert line(child) == "written"
        tell(child)
        child.wait()
    with store.open("emoji") as opened:
        assert opened.count() == 9


def test_this_process_is_told_that_it_has_the_index_open_itself(store: EmbeddedStore) -> None:
    with publish(store, 3), pytest.raises(IndexLockedError, match="open in this very process"):
        store.open("emoji")
    store.open("emoji").close()


def test_a_new_version_is_built_while_another_process_answers(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 5).close()
    script = """
with store.open("emoji") as mine:
    say("open"); sys.stdin.readline(); say(mine.count()); sys.stdin.readline(); say(mine.count())
"""
    with process(folder, script) as child:
        assert line(child) == "open"
        publish(store, 6).close()
        tell(child)
        assert line(child) == "5"
        publish(store, 7).close()
        assert len(builds(folder)) == 3
        tell(child)
        assert line(child) == "5"
        child.wait()
    publish(store, 8).close()
    assert len(builds(folder)) == 2


def test_two_processes_do_not_build_the_same_collection(store: EmbeddedStore, folder: Path) -> None:
    script = """
made = store.create("emoji", SCHEMA, manifest(4))
say("made"); sys.stdin.readline()
made.upsert(sample_points(4)); say(store.publish("emoji", made).count())
"""
    with process(folder, script) as child:
        assert line(child) == "made"
        with pytest.raises(IndexLockedError, match=f"process {child.pid}"):
            store.create("emoji", SCHEMA, manifest(1))
        tell(child)
        assert line(child) == "4"
    with store.open("emoji") as opened:
        assert opened.count() == 4


def test_a_lock_file_without_an_owner_or_with_nonsense_is_no_obstacle(folder: Path) -> None:
    path = folder / "LOCK"
    path.write_text("nonsense \x00")
    held = FileLock.take(path, "it")
    assert json.loads(path.read_text())["pid"] == os.getpid()
    held.release()
    held.release()
    with FileLock.take(path, "it"):
        path.write_text("nonsense")
        with pytest.raises(IndexLockedError, match="it is in use by another process; stop"):
            FileLock.take(path, "it")


def test_the_owner_is_named_where_a_disk_writes_in_part(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class InPart(FileIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data)[:7])

    monkeypatch.setattr(lock, "_open", lambda path: InPart(path, "a+"))
    with FileLock.take(folder / "LOCK", "it"):
        assert json.loads((folder / "LOCK").read_text())["pid"] == os.getpid()


def test_a_lock_in_a_folder_that_is_not_there(folder: Path) -> None:
    with pytest.raises(VectorIndexError, match="LOCK cannot be opened"):
        FileLock.take(folder / "nowhere" / "LOCK", "it")


# Crashes


def test_a_version_that_is_removed_while_it_is_opened_is_gone(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with publish(store, 3) as first:
        build = first.manifest.build
    publish(store, 3).close()
    real = Versions.lock

    def late(versions: Versions, wanted: str) -> FileLock:
        mark = versions.folder / wanted / "BUILDING"
        mark.touch()  # as a removal begins
        return real(versions, wanted)

    with monkeypatch.context() as patched, pytest.raises(BuildGoneError):
        patched.setattr(Versions, "lock", late)
        store.open("emoji", build)
    (store.folder / "emoji" / build / "BUILDING").unlink()
    with store.open("emoji", build) as opened:
        assert opened.count() == 3


def test_a_disk_that_refuses_the_last_flush_keeps_nobody_from_opening_again(store: EmbeddedStore) -> None:
    class Refused:
        def __init__(self, shard: Any) -> None:
            self.close = shard.close

        def flush(self) -> None:
            raise Exception("Service runtime error: Input/output error")

    opened = publish(store, 3)
    opened.upsert(sample_points(3))
    opened._shard = Refused(opened._shard)  # type: ignore[assignment]
    with pytest.raises(VectorIndexError, match="cannot flush"):
        opened.close()
    with store.open("emoji") as again:
        assert again.count() == 3


def test_a_version_whose_removal_broke_off_is_none(
    store: EmbeddedStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with publish(store, 3) as first:
        oldest, real = first.manifest.build, shutil.rmtree
    publish(store, 3).close()

    def killed(path: Path) -> None:
        if oldest not in str(path):
            return real(path)
        for part in [*path.rglob("segments")]:
            real(part)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", killed)
        publish(store, 3)
    store.close()
    assert (folder / "emoji" / oldest).is_dir()
    assert oldest not in store.kept("emoji")
    with pytest.raises(BuildGoneError):
        store.open("emoji", oldest)
    publish(store, 3).close()
    assert oldest not in builds(folder)


def test_a_version_of_which_a_removal_left_the_lock_is_none(store: EmbeddedStore, folder: Path) -> None:
    """The lock's file goes last: a kill right before that leaves it alone in the version's folder."""
    with publish(store, 3) as first:
        oldest = first.manifest.build
    publish(store, 3).close()
    version = folder / "emoji" / oldest
    shutil.rmtree(version / "shard")
    (version / "manifest.json").unlink()
    assert [file.name for file in version.iterdir()] == ["LOCK"]
    assert oldest not in store.kept("emoji")
    assert store.previous("emoji") is None
    with pytest.raises(BuildGoneError):
        store.open("emoji", oldest)


def test_a_killed_build_leaves_the_published_version_alone_and_is_cleared(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 5).close()
    script = """
made = store.create("emoji", SCHEMA, manifest(900))
for n in range(0, 900, 3):
    made.upsert(sample_points(n + 3)[n:]); say(n)
"""
    with process(folder, script) as child:
        while line(child) != "30":
            pass
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert len(builds(folder)) == 2
    with store.open("emoji") as opened:
        assert opened.count() == 5
    with store.create("emoji", SCHEMA, manifest(6)) as made:
        assert len(builds(folder)) == 2
        made.upsert(sample_points(6))
        with store.publish("emoji", made) as published:
            assert published.count() == 6


def test_a_killed_writer_loses_nothing_that_was_confirmed(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 5).close()
    script = """
mine = store.open("emoji")
points = sample_points(600)
for n in range(5, 600):
    mine.upsert([points[n]]); mine.set_payload([(identity(n - 1), {"utility": 0.25})]); say(n)
"""
    with process(folder, script) as child:
        confirmed = 0
        while confirmed < 60:
            confirmed = int(line(child))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with store.open("emoji") as opened:
        assert opened.count() > confirmed
        found = opened.retrieve([identity(n) for n in range(4, confirmed)])
        assert [record.payload["utility"] for record in found if record.payload] == [0.25] * (confirmed - 4)


# Threads and forks


class Watched:
    """A shard that counts how often it is written through to the disk."""

    def __init__(self, shard: Any) -> None:
        self._shard = shard
        self.flushes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shard, name)

    def flush(self) -> None:
        self.flushes += 1
        self._shard.flush()


def test_only_a_flush_waits_for_the_disk_and_only_where_something_was_written(store: EmbeddedStore) -> None:
    draft = store.create("emoji", SCHEMA, manifest(20))
    watched = draft._shard = Watched(draft._shard)
    draft.upsert(sample_points(20)[:10])
    draft.upsert(sample_points(20)[10:])
    assert watched.flushes == 0
    published = store.publish("emoji", draft)
    assert watched.flushes >= 1
    for open_it in (lambda: published, lambda: store.open("emoji")):
        with open_it() as collection:
            watched = collection._shard = Watched(collection._shard)
            collection.flush()
            collection.upsert(sample_points(1))
            collection.set_payload([(identity(1), {"utility": 0.5})])
            collection.delete([identity(2)])
            assert watched.flushes == 0
            collection.flush()
            collection.flush()
            assert watched.flushes == 1


def test_threads_share_one_collection(store: EmbeddedStore) -> None:
    points = sample_points(240)
    with store.create("emoji", SCHEMA, manifest(240)) as made, ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(made.upsert, points[n : n + 20]) for n in range(0, 240, 20)]
        reads = [pool.submit(made.query, online([n % 40], NOBODY, limit=5)) for n in range(60)]
        assert all(write.result() is None for write in writes)
        assert all(len(read.result()) <= 5 for read in reads)
        assert made.count() == 240


def test_a_forked_child_is_told_so_and_harms_nothing(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 5).close()
    script = """
mine = store.open("emoji")
child = os.fork()
if child == 0:
    for call in (mine.count, lambda: mine.upsert(sample_points(1)), lambda: list(mine.scroll()), mine.optimize):
        try:
            call(); say("no error")
        except VectorIndexError as error:
            say("fork" if f"opened by process {os.getppid()} before it forked" in str(error) else error)
    mine.close(); store.close()
    sys.exit(0)
os.waitpid(child, 0)
try:
    store.open("emoji"); say("lock lost")
except IndexLockedError:
    say("lock held")
mine.upsert(sample_points(8)); say(mine.count()); mine.close(); store.open("emoji").close(); say("released")
"""
    with process(folder, script) as child:
        lines = [line(child) for _ in range(7)]
        assert lines == ["fork"] * 4 + ["lock held", "8", "released"]
        assert child.wait(20) == 0


# The folder


def test_the_folder_holds_pointer_manifest_and_two_versions(store: EmbeddedStore, folder: Path) -> None:
    made = [publish(store, count) for count in (3, 4, 5)]
    made[0].close()
    ids = [collection.manifest.build for collection in made]
    assert (folder / "emoji" / "CURRENT").read_text().split() == [ids[2], ids[1]]
    described = json.loads((folder / "emoji" / ids[2] / "manifest.json").read_text())
    assert described["manifest"]["stickers"] == 5
    assert described["schema"]["payload"]["utility"] == "float"
    assert not (folder / "emoji" / ids[2] / "BUILDING").exists()
    assert store.rollback("emoji").build == ids[1]
    assert (folder / "emoji" / "CURRENT").read_text().split() == [ids[1], ids[2]]


def test_nothing_previous_to_go_back_to(store: EmbeddedStore) -> None:
    publish(store, 3).close()
    with pytest.raises(NotFoundError, match="no previous version"):
        store.rollback("emoji")


@pytest.mark.parametrize("name", ["", "../emoji", "Emoji", "a/b", ".hidden", "x" * 200])
def test_a_name_cannot_lead_out_of_the_folder(store: EmbeddedStore, name: str) -> None:
    for call in (store.open, store.manifest, store.rollback):
        with pytest.raises(NotFoundError, match="is no collection name"):
            call(name)


def test_what_the_engine_lacks_of_its_schema_is_damage_and_anything_else_a_wrong_request() -> None:
    for said, damaged in (
        ("Service internal error: x", True),
        ("Not existing vector name error: image", True),
        ("Not existing vector name error: nothing", False),
        ("No range index for `order_by` key: `trending`. Please create one", True),
        ("No range index for `order_by` key: `nothing`. Please create one", False),
        ("Wrong input: Vector dimension error", False),
    ):
        schema = replace(SCHEMA, payload={**SCHEMA.payload, "trending": "float"})
        assert is_damage(Exception(said), schema) is damaged, said


def test_damage_is_reported_with_the_way_out(store: EmbeddedStore, folder: Path) -> None:
    build = publish(store, 3)
    build.close()
    version = folder / "emoji" / build.manifest.build
    described = (version / "manifest.json").read_text()
    (version / "manifest.json").write_text(described[:40])
    for call in (store.open, store.manifest):
        with pytest.raises(
            IndexMismatchError, match=r"manifest\.json cannot be read.*run persrv build -c emoji --rebuild"
        ):
            call("emoji")
    (version / "manifest.json").write_text(described)
    (version / "shard").rename(version / "elsewhere")
    with pytest.raises(VectorIndexError, match="cannot open"):
        store.open("emoji")
    (version / "elsewhere").rename(version / "shard")
    with store.open("emoji") as opened:
        assert opened.count() == 3


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    (folder / "emoji").write_text("a file in the way")
    with pytest.raises(VectorIndexError, match="emoji"):
        EmbeddedStore(folder).create("emoji", SCHEMA, manifest(1))


def test_closing_a_store_closes_its_collections_and_frees_them(folder: Path) -> None:
    store = EmbeddedStore(folder)
    opened = publish(store, 3)
    store.close()
    opened.close()
    with pytest.raises(VectorIndexError, match="closed"):
        opened.count()
    with EmbeddedStore(folder) as other, other.open("emoji") as again:
        assert again.count() == 3


def test_a_purged_version_takes_updates_and_keeps_them_when_killed(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 5).close()
    with store.open("emoji") as opened:
        opened.upsert(sample_points(400)[5:])
        opened.delete([identity(0)])
        opened.purge()
        assert opened.count() == 399
        opened.delete([identity(1)])
        assert opened.count() == 398
        opened.purge()
    script = """
mine = store.open("emoji")
mine.set_payload([(identity(n), {"utility": 0.25}) for n in range(2, 300)]); say(1)
"""
    with process(folder, script) as child:
        line(child)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with store.open("emoji") as opened:
        assert opened.count() == 398
        found = opened.retrieve([identity(n) for n in range(2, 300)])
        assert {record.payload["utility"] for record in found} == {0.25}


def test_a_purge_that_was_killed_is_ended_by_the_next_open(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 300).close()
    script = """
from persrv.index import embedded_collection
mine = store.open("emoji")
mine.upsert(sample_points(300)); mine.upsert(sample_points(300))
def stopped(path):
    say(1)
    import time; time.sleep(60)
embedded_collection.load_shard = stopped
mine.purge()
"""
    with process(folder, script) as child:
        line(child)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with store.open("emoji") as opened:
        assert opened.count() == 300
        opened.delete([identity(7)])
        assert opened.count() == 299


def test_a_file_of_vectors_that_a_power_cut_left_empty_is_made_anew(tmp_path: Path) -> None:
    shard = tmp_path / "shard"
    create_shard(shard, SCHEMA).close()
    (vectors,) = shard.glob("segments/*/vector_storage-image/vectors")
    (vectors / "chunk_0.mmap").touch()
    points = sample_points(20)
    opened = load_shard(shard)
    opened.update(edge.UpdateOperation.upsert_points(to_edge_points(points)))
    opened.close()
    opened = load_shard(shard)
    assert len(opened.retrieve([each.id for each in points], False, ["image"])) == 20
    opened.close()


def test_an_empty_file_of_vectors_that_were_there_is_left_to_the_doctor(store: EmbeddedStore, folder: Path) -> None:
    publish(store, 50).close()
    chunks = [
        chunk
        for chunk in folder.glob("emoji/*/shard/segments/*/vector_storage-image/vectors/chunk_0.mmap")
        if any(chunk.with_name("status.dat").read_bytes())
    ]
    assert chunks
    os.truncate(chunks[0], 0)
    store.open("emoji").close()
    assert chunks[0].exists()


def test_a_segment_that_a_power_cut_left_empty_is_removed(store: EmbeddedStore, folder: Path, tmp_path: Path) -> None:
    publish(store, 50).close()
    create_shard(tmp_path / "new", SCHEMA).close()
    (made,) = (tmp_path / "new").glob("segments/*")
    (segments,) = folder.glob("emoji/*/shard/segments")
    left = shutil.copytree(made, segments / made.name)
    for file in left.rglob("*"):
        # What the engine writes as a draft first is there.
        if file.is_file() and file.suffix == ".dat":
            os.truncate(file, 0)
    for tracker in left.glob("*id_tracker*"):
        tracker.unlink()
    with store.open("emoji") as opened:
        assert not left.exists()
        assert opened.count() == 50
        opened.upsert(sample_points(60))
    with store.open("emoji") as opened:
        assert opened.count() == 60
