from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from built_collection import points
from killed_builds import kill_builds
from persrv.errors import NotFoundError, QueryError
from persrv.offline import build_collection, plan_build
from tiny_collection import Tiny, write_collection


def test_building_twice_gives_the_same_index(tiny: Tiny) -> None:
    before = points(tiny.file, tiny.home)
    assert len(before) > 30
    build_collection(tiny.file, home=tiny.home)
    assert points(tiny.file, tiny.home) == before


def test_a_new_sticker_is_the_only_one_that_is_looked_at(tiny: Tiny) -> None:
    folder = tiny.file.parent / "stickers" / "flat"
    (folder / "more.png").write_bytes((folder / "cat.png").read_bytes() + b"\0")
    report = build_collection(tiny.file, home=tiny.home)
    assert (report.stickers, report.encoded, report.removed) == (31, 1, 0)
    (folder / "more.png").unlink()
    report = build_collection(tiny.file, home=tiny.home)
    assert (report.stickers, report.encoded, report.removed) == (30, 0, 1)


def test_parts_and_limits(tmp_path: Path) -> None:
    file, home = write_collection(tmp_path / "x"), tmp_path / "home"
    with pytest.raises(NotFoundError, match="never built"):
        plan_build(file, home=home)
    first = build_collection(file, home=home, only=["ingest"])
    assert (first.stickers, first.stages, first.manifest) == (30, (), None)
    (plan,) = plan_build(file, home=home)
    assert (plan.name, plan.missing, plan.done) == ("look", 30, 0)
    assert plan.seconds > 0
    some = build_collection(file, home=home, only=["look"], limit=7)
    assert [(stage.missing, stage.done) for stage in some.stages] == [(30, 7)]
    assert plan_build(file, home=home, limit=5)[0].missing == 23
    rest = build_collection(file, home=home)
    assert (rest.encoded, rest.users) == (23, 2)
    assert plan_build(file, home=home)[0].seconds == 0


@pytest.mark.parametrize("arguments", [{"only": ["paint"]}, {"limit": -1}])
def test_impossible_parts(tiny: Tiny, arguments: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        build_collection(tiny.file, home=tiny.home, **arguments)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_killed_at_ten_moments_it_ends_with_the_same_index(tmp_path: Path) -> None:
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    file = write_collection(tmp_path / "x")
    started = time.monotonic()
    build_collection(file, home=calm)
    usual = time.monotonic() - started
    kill_builds(file, wild, times=10, usual_seconds=usual)
    report = build_collection(file, home=wild)
    assert report.skipped == ()
    assert points(file, wild) == points(file, calm)
