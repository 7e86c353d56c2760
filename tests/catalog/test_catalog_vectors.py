from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import portalocker
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from persrv.catalog import VectorCache, vectors
from persrv.errors import CatalogError, NotFoundError
from repository import ROOT

DIMENSION = 12


def id_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def vector_of(sticker_id: str) -> NDArray[np.float32]:
    """Return small whole numbers that the id alone decides, exact in float16."""
    return np.frombuffer(bytes.fromhex(sticker_id)[:DIMENSION], dtype=np.uint8).astype(np.float32)


def vectors_of(ids: list[str]) -> NDArray[np.float32]:
    return np.array([vector_of(sticker_id) for sticker_id in ids], dtype=np.float32).reshape(-1, DIMENSION)


def opened(folder: Path, **options: float) -> VectorCache:
    return VectorCache(folder, "statistics", "1", DIMENSION, **options)


def files(folder: Path) -> tuple[Path, Path]:
    (vector_file,), (id_file,) = folder.glob("*.f16"), folder.glob("*.ids")
    return vector_file, id_file


def listed(folder: Path) -> list[str]:
    """Return the ids that the file shows, read without the cache's help."""
    lines = files(folder)[1].read_bytes().split(b"\n")
    return [line.decode() for line in lines if len(line) == 32]


def test_vectors_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    ids = [id_of(n) for n in range(5)]
    cache = opened(tmp_path / "deep" / "folder")
    assert len(cache) == 0
    assert cache.missing(ids) == ids
    cache.append(ids, vectors_of(ids))
    for same in (cache, opened(tmp_path / "deep" / "folder")):
        assert len(same) == 5
        found = same.get([ids[3], ids[0], ids[3]])
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, vectors_of([ids[3], ids[0], ids[3]]))
        assert same.get([]).shape == (0, DIMENSION)
        assert ids[0] in same
        assert id_of(9) not in same
        assert 5 not in same
        assert same.missing([id_of(9), ids[1], id_of(8), id_of(9)]) == [id_of(9), id_of(8)]


def test_an_id_keeps_its_first_vector(tmp_path: Path) -> None:
    cache, one, two = opened(tmp_path), id_of(1), id_of(2)
    cache.append([one, two, one], np.repeat([[1.0], [2.0], [3.0]], DIMENSION, axis=1))
    cache.append([two, one], np.full((2, DIMENSION), 9.0))
    assert cache.get([one, two])[:, 0].tolist() == [1.0, 2.0]
    assert len(listed(tmp_path)) == 2
    cache.append([], np.empty((0, DIMENSION)))
    assert len(cache) == 2


def test_values_are_rounded_to_float16_and_the_largest_fits(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    values = np.linspace(-65504, 65504, DIMENSION)
    cache.append([id_of(1)], values[np.newaxis])
    np.testing.assert_array_equal(cache.get([id_of(1)])[0], values.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("value", [65505.0, -1e9, np.inf, -np.inf, np.nan])
def test_what_float16_cannot_hold_is_refused_with_its_id(tmp_path: Path, value: float) -> None:
    cache, given_vectors = opened(tmp_path), vectors_of([id_of(1), id_of(2)])
    given_vectors[1, 3] = value
    with pytest.raises(CatalogError, match=id_of(2)):
        cache.append([id_of(1), id_of(2)], given_vectors)
    assert len(cache) == 0


@pytest.mark.parametrize("shape", [(1, DIMENSION), (2, DIMENSION + 1), (2 * DIMENSION,), (2, DIMENSION, 1)])
def test_other_shapes_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(CatalogError, match="shape"):
        opened(tmp_path).append([id_of(1), id_of(2)], np.zeros(shape))


def test_what_is_no_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no sticker id"):
        opened(tmp_path).append(["cat"], np.zeros((1, DIMENSION)))


def test_a_missing_vector_names_the_id(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.append([id_of(1)], vectors_of([id_of(1)]))
    with pytest.raises(NotFoundError, match=id_of(2)):
        cache.get([id_of(1), id_of(2)])


def test_encoders_revisions_and_dimensions_do_not_mix(tmp_path: Path) -> None:
    keys = [("a", "b-c", 4), ("a-b", "c", 4), ("a", "b-c", 5), ("../../x", "", 4), ("x" * 500, "1", 4), ("猫", "", 4)]
    for number, (encoder, revision, dimension) in enumerate(keys):
        cache = VectorCache(tmp_path / "v", encoder, revision, dimension)
        assert len(cache) == 0
        cache.append([id_of(1)], np.full((1, dimension), float(number)))
    for number, (encoder, revision, dimension) in enumerate(keys):
        assert VectorCache(tmp_path / "v", encoder, revision, dimension).get([id_of(1)])[0, 0] == number
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_no_dimension_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="0 dimensions"):
        VectorCache(tmp_path, "a", "b", 0)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="cannot be opened"):
        opened(tmp_path / "file")


def test_a_reader_sees_what_another_cache_appended(tmp_path: Path) -> None:
    writer, reader = opened(tmp_path), opened(tmp_path)
    for number in range(4):
        ids = [id_of(number)]
        writer.append(ids, vectors_of(ids))
        assert reader.missing(ids) == []
        np.testing.assert_array_equal(reader.get(ids), vectors_of(ids))
        assert len(reader) == number + 1


def test_a_closed_cache_opens_again_by_itself(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.append([id_of(1)], vectors_of([id_of(1)]))
    cache.close()
    np.testing.assert_array_equal(cache.get([id_of(1)]), vectors_of([id_of(1)]))
    cache.append([id_of(2)], vectors_of([id_of(2)]))
    assert len(cache) == 2


def test_a_second_writer_waits_and_then_says_so(tmp_path: Path) -> None:
    cache = opened(tmp_path, wait=0.05)
    cache.append([id_of(1)], vectors_of([id_of(1)]))
    (lock,) = tmp_path.glob("*.lock")
    with portalocker.Lock(lock, "a"):
        with pytest.raises(CatalogError, match="another process"):
            cache.append([id_of(2)], vectors_of([id_of(2)]))
        np.testing.assert_array_equal(cache.get([id_of(1)]), vectors_of([id_of(1)]))
    cache.append([id_of(2)], vectors_of([id_of(2)]))
    assert len(cache) == 2


def test_threads_write_and_read_at_once(tmp_path: Path) -> None:
    caches = [opened(tmp_path), opened(tmp_path)]
    wrong: list[str] = []

    def work(number: int) -> None:
        for step in range(8):
            ids = [id_of(n) for n in range(step * 3, step * 3 + 6)]
            cache = caches[number % 2]
            cache.append(ids, vectors_of(ids))
            if not np.array_equal(cache.get(ids), vectors_of(ids)):
                wrong.append(f"{number}: {step}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(listed(tmp_path)) == sorted(id_of(n) for n in range(27))


ROW = 2 * DIMENSION


@given(st.integers(0, 7 * ROW), st.integers(0, 5 * 33))
@settings(max_examples=25, deadline=None)
@example(5 * ROW, 2 * 33)
@example(2 * ROW, 5 * 33)
@example(7 * ROW, 5 * 33)
def test_whatever_a_crash_cuts_off_the_rest_is_right(vector_bytes: int, id_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, ids = Path(name), [id_of(n) for n in range(5)]
        opened(folder).append(ids, vectors_of(ids))
        vector_file, id_file = files(folder)
        with vector_file.open("ab") as file:  # two vectors whose ids were never written
            file.write(b"\xab" * 2 * ROW)
        os.truncate(vector_file, vector_bytes)
        os.truncate(id_file, id_bytes)
        whole = min(vector_bytes // ROW, id_bytes // 33)
        cache = opened(folder)
        assert cache.missing(ids) == ids[whole:]
        np.testing.assert_array_equal(cache.get(ids[:whole]), vectors_of(ids[:whole]))
        more = [*ids[::-1], id_of(7)]
        cache.append(more, vectors_of(more))
        for same in (cache, opened(folder)):
            assert len(same) == 6
            np.testing.assert_array_equal(same.get(more), vectors_of(more))


def test_ids_that_the_disk_lost_hide_only_themselves_and_what_follows(tmp_path: Path) -> None:
    ids = [id_of(n) for n in range(4)]
    opened(tmp_path).append(ids, vectors_of(ids))
    id_file = files(tmp_path)[1]
    content = id_file.read_bytes()
    id_file.write_bytes(content[:66] + b"\0" * 33 + content[99:])
    cache = opened(tmp_path)
    assert cache.missing(ids) == ids[2:]
    cache.append(ids, vectors_of(ids))
    np.testing.assert_array_equal(opened(tmp_path).get(ids), vectors_of(ids))


def test_ids_that_lost_their_vectors_never_get_those_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [id_of(n) for n in range(5)]
    opened(tmp_path).append(ids, vectors_of(ids))
    os.truncate(files(tmp_path)[0], 2 * ROW)
    extend = vectors.extend_file

    def extend_and_die(file: Path, size: int, content: bytes) -> None:
        extend(file, size, content)
        if file.suffix == ".f16":
            raise OSError(5, "the power went out")

    others = [id_of(8), id_of(9)]
    with monkeypatch.context() as patch, pytest.raises(CatalogError, match="the power went out"):
        patch.setattr(vectors, "extend_file", extend_and_die)
        opened(tmp_path).append(others, vectors_of(others))
    cache = opened(tmp_path)
    assert cache.missing([*ids, *others]) == [*ids[2:], *others]
    np.testing.assert_array_equal(cache.get(ids[:2]), vectors_of(ids[:2]))


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
if len(sys.argv) > 3:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
from test_catalog_vectors import id_of, opened, vectors_of
cache = opened(Path(sys.argv[1]))
print("ready", flush=True)
for start in range(0, 10**9, 7):
    ids = [id_of(number) for number in range(start, start + 7)]
    cache.append(ids, vectors_of(ids))
"""


def writer(folder: Path, *largest_file: str) -> subprocess.Popen[str]:
    here = Path(__file__).resolve()
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(here.parent), *largest_file],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_kills_at_any_moment_leave_every_listed_id_with_its_vector(tmp_path: Path) -> None:
    chance = random.Random(7)
    before = 0
    for _ in range(3):
        process = writer(tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.02, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        ids = listed(tmp_path)
        cache = opened(tmp_path)
        assert len(set(ids)) == len(ids) == len(cache) >= before
        np.testing.assert_array_equal(cache.get(ids), vectors_of(ids))
        before = len(ids)
    assert before > 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
def test_a_full_disk_is_said_and_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    process = writer(tmp_path, "1000")
    _, message = process.communicate(timeout=60)
    assert "CatalogError" in message
    assert "File too large" in message
    ids = listed(tmp_path)
    cache = opened(tmp_path)
    assert ids
    np.testing.assert_array_equal(cache.get(ids), vectors_of(ids))
    cache.append([id_of(10**6)], vectors_of([id_of(10**6)]))
    np.testing.assert_array_equal(cache.get([*ids, id_of(10**6)]), vectors_of([*ids, id_of(10**6)]))
