"""The embedded engine in a process of its own: the same answers, and what happens when either process ends."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engines import filled, quick_folder
from index_samples import SCHEMA, assert_same, identity, manifest, point, random_requests, sample_points, sparse
from persrv.errors import BuildGoneError, IndexLockedError, NotFoundError, QueryError, VectorIndexError
from persrv.index.columns.store import ColumnStore
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.engine_process import process_of, started_ahead
from persrv.index.language import Filter, Matches, Nearest, Request
from persrv.index.process_collection import ProcessCollection
from persrv.index.process_store import ProcessStore
from persrv.index.schema import IMAGE, TEXT
from persrv.index.store import open_store
from waiting import until

QUERY = Request(Nearest(sparse([3], [1.0]), TEXT), limit=5)


def test_requests_and_points_cross_to_the_process_unchanged() -> None:
    for value in (*random_requests(7, 40), *sample_points(5)):
        assert pickle.loads(pickle.dumps(value)) == value


@pytest.fixture(scope="module")
def here() -> Iterator[Collection]:
    with ExitStack() as stack:
        yield filled("embedded", stack.enter_context(quick_folder()), stack)


@pytest.fixture(scope="module")
def store() -> Iterator[ProcessStore]:
    with quick_folder() as folder, open_store("embedded:", folder, own_process=True) as opened:
        assert isinstance(opened, ColumnStore)
        assert isinstance(opened.engine, ProcessStore)
        yield opened.engine


@pytest.fixture(scope="module")
def there(store: ProcessStore) -> Collection:
    build = store.create("sample", SCHEMA, manifest(300))
    build.upsert(sample_points(300))
    return store.publish("sample", build)


def kill(collection: Collection) -> None:
    assert isinstance(collection, ProcessCollection)
    process = collection._process._process
    assert process is not None
    process.kill()
    process.wait()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
def test_the_engine_of_a_program_that_was_killed_is_waited_for(folder: Path) -> None:
    with EmbeddedStore(folder) as store:
        build = store.create("sample", SCHEMA, manifest(3))
        build.upsert(sample_points(3))
        store.publish("sample", build).close()
    script = (
        "import sys; from pathlib import Path; from persrv.index.process_store import ProcessStore\n"
        "opened = ProcessStore(Path(sys.argv[1])).open('sample'); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        owner = json.loads(next((folder / "sample").glob("*/LOCK")).read_text())
        assert owner["works_for"] == program.pid
        with EmbeddedStore(folder) as store, pytest.raises(IndexLockedError, match=f"process {owner['pid']}"):
            store.open("sample")
        os.kill(owner["pid"], signal.SIGSTOP)  # it cannot end yet
        program.kill()
    threading.Timer(0.3, os.kill, (owner["pid"], signal.SIGCONT)).start()
    with EmbeddedStore(folder) as store, store.open("sample") as opened:
        assert opened.count() == 3


def published(folder: Path, name: str, points: int) -> None:
    with EmbeddedStore(folder) as store:
        build = store.create(name, SCHEMA, manifest(points))
        build.upsert(sample_points(points))
        store.publish(name, build)


def owner(folder: Path, name: str) -> int:
    """The process that has a version open, 0 where there is none."""
    signed = next((folder / name).glob("*/LOCK")).read_text()
    return int(json.loads(signed)["pid"]) if signed else 0


def test_a_process_that_is_started_ahead_opens_what_will_be_asked_for(folder: Path) -> None:
    for name in ("sample", "other"):
        published(folder, name, 3)
    with started_ahead(folder, "sample", "nothing", "other"), ProcessStore(folder) as opened:
        process = next(iter(opened._open_in))._process
        assert process is not None
        until(lambda: owner(folder, "other") == process.pid)
        with opened.open("sample") as sample, opened.open("other", opened.current("other")) as other:
            assert sample.count() == other.count() == 3
        with pytest.raises(NotFoundError, match="nothing"):
            opened.open("nothing")
        # Only the first store of the folder takes it.
        assert process_of(folder)._process is None


def test_a_newer_build_than_the_one_opened_ahead_is_given(folder: Path) -> None:
    published(folder, "sample", 3)
    with started_ahead(folder, "sample"), ProcessStore(folder) as opened:
        until(lambda: owner(folder, "sample") not in (0, os.getpid()))
        published(folder, "sample", 5)
        with opened.open("sample") as sample:
            assert sample.count() == 5


def test_a_process_that_nobody_took_is_ended(folder: Path) -> None:
    with started_ahead(folder, "sample"):
        process = process_of(folder)
        running = process._process
        assert running is not None
    process.close()
    with started_ahead(folder, "sample"):
        pass
    assert running.wait() == 0
    assert process_of(folder)._process is None


def test_answers_are_those_of_this_process(here: Collection, there: Collection) -> None:
    for request in random_requests(seed=3, count=40):
        want = [(p.id, p.score) for p in here.query(request)]
        assert_same(there.query(request), want, request.limit)
    assert there.count() == here.count() == 300
    cats = Filter(must=(Matches("pack", ("cats",)),))
    assert [r.id for r in there.scroll(cats, batch=7)] == [r.id for r in here.scroll(cats, batch=7)]
    ids = [identity(n) for n in (9, 5, 900)]
    assert there.retrieve(ids, [IMAGE, TEXT], with_payload=False) == here.retrieve(
        ids, [IMAGE, TEXT], with_payload=False
    )
    assert there.schema == here.schema


def test_errors_come_across(store: ProcessStore, there: Collection) -> None:
    with pytest.raises(QueryError, match="at least one point"):
        there.query(Request(None, limit=0))
    with pytest.raises(VectorIndexError, match="does not fit its float index"):
        there.set_payload([(identity(1), {"utility": "high"})])
    with pytest.raises(NotFoundError, match="nothing"):
        store.open("nothing")
    with store.create("other", SCHEMA, manifest(2)) as short:
        short.upsert([point(0)])
        with pytest.raises(VectorIndexError, match="holds 1 points, not 2"):
            store.publish("other", short)
    with pytest.raises(VectorIndexError, match="closed"):
        short.count()


def test_writes_arrive(store: ProcessStore) -> None:
    build = store.create("written", SCHEMA, manifest(3))
    build.upsert(sample_points(3))
    with store.publish("written", build) as published:
        published.delete([identity(0)])
        published.set_payload([(identity(1), {"utility": 0.25})])
        assert [r.payload.get("utility") for r in published.retrieve([identity(0), identity(1)])] == [0.25]
    assert store.names() == ["sample", "written"]
    assert store.current("written") == build.manifest.build


def test_the_version_is_locked_for_other_processes(store: ProcessStore, there: Collection) -> None:
    with EmbeddedStore(store._files.folder) as mine, pytest.raises(IndexLockedError, match="engine_worker"):
        mine.open("sample")


def test_several_callers_have_a_connection_each(there: Collection) -> None:
    want = [p.id for p in there.query(QUERY)]
    found: list[list[str]] = []

    def search() -> None:
        for _ in range(20):
            found.append([p.id for p in there.query(QUERY)])

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [want] * 80


def test_it_is_started_again_when_it_dies(store: ProcessStore, there: Collection) -> None:
    want = [p.id for p in there.query(QUERY)]
    half = store.create("half", SCHEMA, manifest(1))
    kill(there)
    assert [p.id for p in there.query(QUERY)] == want
    with pytest.raises(VectorIndexError, match="died while a build was written"):
        half.upsert([point(0)])
    kill(there)
    assert store.open("written").count() == 2
    assert there.count() == 300


def running(*collections: Collection) -> list[int]:
    """Return the processes that hold collections."""
    pids = []
    for collection in collections:
        assert isinstance(collection, ProcessCollection)
        process = collection.process._process
        pids.append(process.pid if process is not None else 0)
    return pids


def test_another_version_gets_a_process_beside_and_the_one_before_ends_with_what_was_open_in_it(folder: Path) -> None:
    for name in ("sample", "users"):
        published(folder, name, 3)
    with ProcessStore(folder) as store:
        before = [store.open(name) for name in ("sample", "users")]
        for name in ("sample", "users"):
            published(folder, name, 5)
        newer = [store.open(name) for name in ("sample", "users")]
        assert [each.count() for each in (*before, *newer)] == [3, 3, 5, 5]
        (first, again), (second, other) = running(*before), running(*newer)
        assert (first, second) == (again, other)
        assert first != second
        process = before[0].process._process
        before[0].close()
        assert before[1].count() == 3
        before[1].close()
        assert process is not None
        assert process.poll() == 0
        assert newer[0].count() == 5
        # The last one stays for what is opened next.
        for each in newer:
            each.close()
        assert running(store.open("sample")) == [second]


def test_a_process_beside_ends_where_nothing_could_be_opened_in_it(folder: Path) -> None:
    published(folder, "sample", 3)
    with ProcessStore(folder) as store, store.open("sample") as sample:
        with pytest.raises(BuildGoneError):
            store.open("sample", "20260101T000000Z-000000")
        assert [*store._open_in] == [sample.process]


def test_an_unpublished_build_is_given_up_for_the_next_one(folder: Path) -> None:
    published(folder, "sample", 3)
    with ProcessStore(folder) as store, store.open("sample") as sample:
        store.create("sample", SCHEMA, manifest(1)).upsert(sample_points(1))
        build = store.create("sample", SCHEMA, manifest(2))
        build.upsert(sample_points(2))
        assert running(build) != running(sample)
        assert store.publish("sample", build).count() == 2
        assert sample.count() == 3


def test_it_ends_with_its_owner(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from persrv.index.process_store import ProcessStore\n"
        "sys.path[:0] = ['tests/index', 'tests']; from index_samples import SCHEMA, manifest\n"
        f"store = ProcessStore(Path({str(tmp_path)!r}))\n"
        "opened = store.publish('a', store.create('a', SCHEMA, manifest(0)))\n"
        "print(opened.process._process.pid, flush=True)\n"
        "os._exit(1)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    pid = int(ended.stdout)
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            break
        time.sleep(0.05)
    with EmbeddedStore(tmp_path) as mine, mine.open("a") as opened:
        assert opened.count() == 0


def test_a_disk_that_fails_at_its_end_is_told_in_a_line(tmp_path: Path) -> None:
    code = (
        "import os, shutil, sys; from pathlib import Path; from persrv.index.process_store import ProcessStore\n"
        "sys.path[:0] = ['tests/index', 'tests']; from index_samples import SCHEMA, manifest, sample_points\n"
        f"store = ProcessStore(Path({str(tmp_path)!r}))\n"
        "opened = store.publish('a', store.create('a', SCHEMA, manifest(0)))\n"
        "opened.upsert(sample_points(9))\n"
        f"shutil.rmtree({str(tmp_path / 'a')!r})\n"
        "os._exit(0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("the engine's process ends: the embedded index cannot flush")


def test_a_closed_store_stays_closed(tmp_path: Path) -> None:
    store = ProcessStore(tmp_path)
    opened = store.publish("a", store.create("a", SCHEMA, manifest(0)))
    store.close()
    store.close()
    with pytest.raises(VectorIndexError, match="closed"):
        opened.count()
    with EmbeddedStore(tmp_path) as mine:
        assert mine.open("a").count() == 0
