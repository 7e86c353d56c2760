"""Temporary files in memory, and the small collection, built once and copied for each test that changes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from crowd_collection import COPIES, COUNT, write_crowd
from persrv.offline import build_collection
from tiny_collection import Tiny, write_collection

settings.load_profile("ci")  # the same examples in every run; --hypothesis-profile default draws new ones

MEMORY = Path("/dev/shm")
ENOUGH = 12 << 30
"""Bytes that must be free there: a run on two workers takes up to XX GB, since a small index reserves 270 MB."""
OURS = "persrv-tests-"


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory where there is room: a build syncs to disk dozens of times."""
    if hasattr(config, "workerinput") or "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    _remove_what_dead_runs_left()
    if min(shutil.disk_usage(MEMORY).free, _available_memory()) < ENOUGH:
        return
    folder = MEMORY / f"{OURS}{os.getpid()}"
    folder.mkdir(mode=0o700)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Free the memory; what a failed test wrote is kept by ``TMPDIR=/tmp make test``."""
    folder = MEMORY / f"{OURS}{os.getpid()}"
    if not hasattr(config, "workerinput") and folder.is_dir():
        for path in folder.iterdir():
            # multiprocessing removes its own when the process ends, and complains of what is gone.
            if not path.name.startswith("pymp-"):
                shutil.rmtree(path, ignore_errors=True)


def _remove_what_dead_runs_left() -> None:
    """Remove folders of runs that were killed: they hold memory until somebody does."""
    for folder in MEMORY.glob(f"{OURS}*"):
        if not Path(f"/proc/{folder.name.removeprefix(OURS)}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _available_memory() -> int:
    """Return the bytes that programs can still take; a file system in memory takes from the same."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) << 10


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder for all tests of a module, removed after them: what is left takes memory until the end."""
    folder = tmp_path_factory.mktemp("module")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def tiny_built(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The collection, built; tests must not change it."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny = Tiny(write_collection(folder / "made"), folder / "made" / "home")
    report = build_collection(tiny.file, home=tiny.home)
    assert (report.stickers, report.users, report.skipped) == (30, 2, ())
    return _with_holes(tiny, folder)


def _with_holes(built: Tiny, folder: Path) -> Tiny:
    """Return a copy that takes 5 MB, and remove what was built: 320 MB of zeros, to be read for each further copy."""
    copy = built.copied(folder / "built")
    shutil.rmtree(built.file.parent)
    return copy


@pytest.fixture
def tiny(tiny_built: Tiny, tmp_path: Path) -> Tiny:
    """A copy of the built collection that a test may change."""
    return tiny_built.copied(tmp_path / "tiny")


@pytest.fixture(scope="session")
def crowd_built(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The collection in which much is equal, built; tests must not change it."""
    folder = tmp_path_factory.mktemp("crowd")
    crowd = Tiny(write_crowd(folder / "made"), folder / "made" / "home")
    report = build_collection(crowd.file, home=crowd.home)
    assert (report.stickers, report.skipped) == (COUNT + COPIES, ())
    return _with_holes(crowd, folder)


@pytest.fixture
def crowd(crowd_built: Tiny, tmp_path: Path) -> Tiny:
    """A copy of it that a test may change; no picture is read again."""
    return crowd_built.copied(tmp_path / "crowd")
