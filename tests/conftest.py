"""Temporary files in memory, and the small collection, built once and copied for each test that changes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from crowd_collection import COPIES, COUNT, write_crowd
from persrv.offline import build_collection
from tiny_collection import Tiny, write_collection

settings.load_profile("ci")  # the same examples in every run; --hypothesis-profile default draws new ones

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30
"""Bytes that must be free there: a small index reserves 270 MB, and each worker holds several at a time."""


def pytest_configure() -> None:
    """Keep temporary files in memory where there is room: a build syncs to disk dozens of times."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


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
