"""A short seeded run; ``python tests/survival --kills 1000`` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults import Fault, compiled, name_drafts
from harness import Oracle, check, survive

from persrv.catalog import Catalog
from persrv.index.embedded import EmbeddedStore
from persrv.workspace import Workspace
from repository import ROOT
from tiny_collection import Tiny


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_nothing_acknowledged_is_lost_by_kills(tiny: Tiny) -> None:
    last = Oracle()
    for oracle in survive(tiny.file, tiny.home, kills=6, seed=3, longest_s=2.0):
        last = oracle
    assert last.acts["record"] > 10
    assert last.open_acts.total() >= 4
    assert last.columns["with"] >= 4


def left_by_a_power_cut(folder: Path, *lines: str) -> tuple[Path, Path]:
    """Run lines that use the folder ``root``, then cut the power; return that folder, and what is left of it."""
    root, shadow = folder / "index", folder / "shadow"
    root.mkdir()
    shadow.mkdir()
    script = (
        "import os, sys; from pathlib import Path; from index_samples import SCHEMA, manifest, sample_points\n"
        "from persrv.index.embedded import EmbeddedStore; root = Path(sys.argv[1])\n"
    )
    script += "\n".join((*lines, "os._exit(0)"))
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests", ROOT / "tests" / "index")))
    environment = os.environ | Fault("power").environment(root, shadow) | {"PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", script, str(root)], env=environment, check=True)
    name_drafts(root, shadow)
    return root, shadow


@pytest.mark.skipif(compiled() is None, reason="nothing compiles the layer of faults")
def test_of_a_published_version_every_file_is_on_the_disk(tmp_path: Path) -> None:
    root, shadow = left_by_a_power_cut(
        tmp_path,
        "build = EmbeddedStore(root).create('emoji', SCHEMA, manifest(3))",
        "build.upsert(sample_points(3))",
        "EmbeddedStore(root).publish('emoji', build)",
    )
    segments = [*root.glob("emoji/*/shard/segments/*/**/*.*")]
    assert segments
    for file in segments:
        if file.is_file():
            assert (shadow / file.relative_to(root)).stat().st_size == file.stat().st_size, file
    with EmbeddedStore(shadow) as store, store.open("emoji") as opened:
        assert opened.count() == 3


@pytest.mark.skipif(compiled() is None, reason="nothing compiles the layer of faults")
def test_a_build_that_a_power_cut_ends_never_looks_published(tmp_path: Path) -> None:
    _, shadow = left_by_a_power_cut(tmp_path, "EmbeddedStore(root).create('emoji', SCHEMA, manifest(1))")
    described = [*shadow.glob("emoji/*/manifest.json")]
    assert described
    assert all(file.with_name("BUILDING").exists() for file in described)
    assert [*shadow.glob("emoji/*/shard/edge_config.json")]


def test_the_oracle_sees_a_lost_pick_and_a_lost_edit(tiny: Tiny) -> None:
    def catalog() -> Catalog:
        return Workspace.of(tiny.file, tiny.home).existing_catalog()

    with catalog() as opened:
        sticker = next(iter(opened.stickers())).id
    check(tiny.file, tiny.home, Oracle(), None)
    with pytest.raises(AssertionError, match="lost"):
        check(tiny.file, tiny.home, Oracle(picks={("ann", "cat", sticker, "pick1")}), None)
    with pytest.raises(AssertionError, match="added stickers are lost"):
        check(tiny.file, tiny.home, Oracle(added={"a" * 32}), None)
    with pytest.raises(AssertionError, match="edits"):
        check(tiny.file, tiny.home, Oracle(edited={sticker: ("mine",)}), None)
    # What was going on may have happened or not.
    going = {"act": "record", "user": "ann", "query": "cat", "sticker": sticker, "pick": "pick1"}
    check(tiny.file, tiny.home, Oracle(), going)
