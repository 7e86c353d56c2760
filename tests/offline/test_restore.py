"""A backup in the place of a collection: under somebody who uses it, over half a build, killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from test_backup import members, written

from persrv.errors import CatalogError, IndexLockedError, PersrvError
from persrv.index.lock import FileLock
from persrv.offline import build_collection
from persrv.offline.backup import back_up
from persrv.offline.restore import restore
from persrv.workspace import Workspace
from tiny_collection import Tiny


@pytest.fixture
def backup(tiny: Tiny, tmp_path: Path) -> Path:
    """A backup, of before somebody picked something more."""
    back_up(tiny.file, tmp_path / "tiny.tar", home=tiny.home)
    with tiny.open() as retriever:
        retriever.record("ann", "picked later", retriever.search("cat")[0].sticker_id)
    return tmp_path / "tiny.tar"


def queries(tiny: Tiny) -> set[str]:
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        return {pick.query for pick in catalog.interactions(user="ann")}


def test_a_collection_that_somebody_uses_is_not_replaced(tiny: Tiny, backup: Path) -> None:
    with tiny.open() as retriever:
        with pytest.raises(IndexLockedError):
            restore(backup, home=tiny.home, replace=True)
        retriever.record("ann", "and later still", retriever.search("cat")[0].sticker_id)
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        assert catalog.count() == 30
        with pytest.raises(CatalogError, match=r"another program has .*catalog.db open"):
            restore(backup, home=tiny.home, replace=True)
    assert {"picked later", "and later still"} <= queries(tiny)
    assert [path.name for path in tiny.home.iterdir()] == ["tiny"]
    restore(backup, home=tiny.home, replace=True)
    assert "picked later" not in queries(tiny)


def test_a_build_that_goes_on_is_not_replaced_and_one_that_was_killed_is(tiny: Tiny, backup: Path) -> None:
    half = tiny.home / "tiny" / "index" / "tiny" / "20990101T000000Z-aaaaaa"
    half.mkdir()
    (half / "BUILDING").touch()
    with FileLock.take(half / "LOCK", "a build"), pytest.raises(IndexLockedError, match="20990101T000000Z-aaaaaa"):
        restore(backup, home=tiny.home, replace=True)
    restore(backup, home=tiny.home, replace=True)
    build_collection(tiny.file, home=tiny.home)
    assert not half.exists()
    with tiny.open() as retriever:
        assert retriever.search("cat")


def test_a_backup_whose_catalog_cannot_be_used_takes_nothing_away(tiny: Tiny, backup: Path, tmp_path: Path) -> None:
    content = members(backup)
    file = tmp_path / "catalog.db"
    file.write_bytes(content["catalog.db"])
    with closing(sqlite3.connect(file)) as database:
        database.execute("ALTER TABLE placements RENAME TO other")
    (tmp_path / "files").mkdir()
    changed = file.read_bytes()
    facts = json.loads(content["backup.json"])
    facts["files"]["catalog.db"] = [len(changed), sha256(changed).hexdigest()]
    odd = written(tmp_path / "odd.tar", content | {"catalog.db": changed, "backup.json": json.dumps(facts).encode()})
    with pytest.raises(CatalogError, match="cannot be used"):
        restore(odd, home=tiny.home, replace=True)
    assert "picked later" in queries(tiny)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fork")
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_kill_in_the_middle_leaves_one_of_the_two(
    tiny: Tiny, backup: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = os.fork()
    if not child:
        left = [step]
        moved = Path.rename

        def rename(path: Path, target: Path) -> Path:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return moved(path, target)

        monkeypatch.setattr(Path, "rename", rename)
        restore(backup, home=tiny.home, replace=True)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    # Whatever is restored next clears up; a collection that was only taken away is put back.
    restore(backup, home=tiny.home, name="beside")
    assert sorted(path.name for path in tiny.home.iterdir()) == ["beside", "tiny"]
    assert ("picked later" in queries(tiny)) == (step < 3)
    with pytest.raises(PersrvError, match="there already"):
        restore(backup, home=tiny.home)
    build_collection(tiny.file, home=tiny.home)
    with tiny.open() as retriever:
        assert retriever.search("cat")
