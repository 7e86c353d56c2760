from __future__ import annotations

import io
import json
import shutil
import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest

from built_collection import everything
from persrv.errors import CatalogError, NotFoundError, PersrvError, RecipeError, SourceError
from persrv.offline import build_collection
from persrv.offline.backup import CONTENTS, back_up
from persrv.offline.restore import restore
from persrv.online.overview import examine
from persrv.online.retriever import Retriever
from persrv.recipe import Recipe
from persrv.workspace import Workspace
from tiny_collection import Tiny, draw


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def written(file: Path, content: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return file


def test_what_was_lost_comes_back_and_no_picture_is_read(tiny: Tiny, tmp_path: Path) -> None:
    with tiny.open() as retriever:
        retriever.record("ann", "canary query", retriever.search("cat")[0].sticker_id)
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    before = everything(tiny.file, tiny.home)
    made = back_up(tiny.file, tmp_path / "tiny.tar", home=tiny.home)
    assert made.name == "tiny" and {"catalog.db"} < set(made.files)
    assert not [name for name in made.files if name.startswith("index") or name.endswith(".lock")]
    shutil.rmtree(tiny.home / "tiny")
    back, folder = restore(tmp_path / "tiny.tar", home=tiny.home)
    assert (back, folder) == (made, tiny.home / "tiny")
    report = build_collection(tiny.file, home=tiny.home)
    assert report.encoded == 0
    assert everything(tiny.file, tiny.home) == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_backup_made_while_picks_come_in_is_of_one_moment(tiny: Tiny, tmp_path: Path) -> None:
    stop = threading.Event()
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        sticker = next(iter(catalog.stickers())).id
        recorded: list[int] = []

        def pick() -> None:
            from datetime import UTC, datetime, timedelta

            from persrv.records import Interaction

            while not stop.is_set():
                when = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(seconds=len(recorded))
                catalog.record(Interaction("zoe", "now", sticker, when))
                recorded.append(1)

        thread = threading.Thread(target=pick)
        thread.start()
        try:
            for number in range(3):
                least = len(recorded)
                back_up(tiny.file, tmp_path / f"{number}.tar", home=tiny.home)
                _, folder = restore(tmp_path / f"{number}.tar", home=tmp_path / "home", name=f"copy{number}")
                with sqlite3.connect(folder / "catalog.db") as copy:
                    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                    (picks,) = copy.execute("SELECT count(*) FROM interactions WHERE user = 'zoe'").fetchone()
                copy.close()
                assert picks >= least
        finally:
            stop.set()
            thread.join()


def test_a_backup_in_the_collections_own_folder_holds_no_backup(tiny: Tiny) -> None:
    file = tiny.home / "tiny" / "inside.tar"
    first = back_up(tiny.file, file, home=tiny.home)
    assert back_up(tiny.file, file, home=tiny.home).files.keys() == first.files.keys()
    assert not any("inside" in name for name in first.files)


def test_a_collection_that_is_there_is_left_alone(tiny: Tiny, tmp_path: Path) -> None:
    back_up(tiny.file, tmp_path / "tiny.tar", home=tiny.home)
    (tiny.home / "tiny" / "mine").write_text("here")
    with pytest.raises(SourceError, match=r"there already.*--as NAME.*--replace"):
        restore(tmp_path / "tiny.tar", home=tiny.home)
    assert (tiny.home / "tiny" / "mine").read_text() == "here"
    assert restore(tmp_path / "tiny.tar", home=tiny.home, name="other")[1].name == "other"
    assert restore(tmp_path / "tiny.tar", home=tiny.home, replace=True)[1].name == "tiny"
    assert not (tiny.home / "tiny" / "mine").exists()
    assert sorted(path.name for path in tiny.home.iterdir()) == ["other", "tiny"]


def test_every_damage_is_seen_and_nothing_is_put_in_place(tiny: Tiny, tmp_path: Path) -> None:
    good = tmp_path / "tiny.tar"
    back_up(tiny.file, good, home=tiny.home)
    content = members(good)
    facts = json.loads(content[CONTENTS])
    flipped = bytearray(content["catalog.db"])
    flipped[len(flipped) // 2] ^= 1
    damaged = {
        "flipped": content | {"catalog.db": bytes(flipped)},
        "shorter": content | {"catalog.db": content["catalog.db"][:-1]},
        "missing": {name: data for name, data in content.items() if name != "catalog.db"},
        "more": content | {"vectors/other.ids": b"x"},
        "no contents": {name: data for name, data in content.items() if name != CONTENTS},
        "later": content | {CONTENTS: json.dumps(facts | {"format": 2}).encode()},
        "not json": content | {CONTENTS: b"{"},
        "no files": content | {CONTENTS: json.dumps(facts | {"files": 5}).encode()},
        "outside": content | {"../outside": b"x"},
        "absolute": content | {str(tmp_path / "outside"): b"x"},
    }
    for name, changed in damaged.items():
        with pytest.raises(SourceError):
            restore(written(tmp_path / f"{name}.tar", changed), home=tmp_path / "home")
    size = good.stat().st_size
    for length in range(0, size, size // 40):
        cut = tmp_path / "cut.tar"
        cut.write_bytes(good.read_bytes()[:length])
        with pytest.raises(SourceError):
            restore(cut, home=tmp_path / "home")
    link = tarfile.TarInfo("vectors/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "link.tar", "w") as archive:
        archive.addfile(link)
    with pytest.raises(SourceError, match="no file"):
        restore(tmp_path / "link.tar", home=tmp_path / "home")
    assert list((tmp_path / "home").iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_what_cannot_be_backed_up_or_restored_says_why(tiny: Tiny, tmp_path: Path) -> None:
    recipe = Recipe.read(tiny.file)
    on_server = recipe.model_copy(update={"catalog": recipe.catalog.model_copy(update={"url": "postgresql://h/d"})})
    with pytest.raises(CatalogError, match="pg_dump"):
        back_up(on_server, tmp_path / "x.tar", home=tiny.home)
    with pytest.raises(NotFoundError, match="never built"):
        back_up(tiny.file, tmp_path / "x.tar", home=tmp_path / "empty")
    with pytest.raises(SourceError, match="cannot be written"):
        back_up(tiny.file, tmp_path / "no folder" / "x.tar", home=tiny.home)
    with pytest.raises(NotFoundError, match="no file"):
        restore(tmp_path / "x.tar", home=tiny.home)
    back_up(tiny.file, tmp_path / "x.tar", home=tiny.home)
    for name in ("../x", "A", "a/b"):
        with pytest.raises(RecipeError):
            restore(tmp_path / "x.tar", home=tmp_path / "home", name=name)
    (tmp_path / "file").write_text("")
    with pytest.raises(PersrvError):
        restore(tmp_path / "x.tar", home=tmp_path / "file")


def test_added_stickers_come_along_to_another_name_and_folder(tiny: Tiny, tmp_path: Path) -> None:
    draw("party", "soft", tmp_path / "added.png")
    with tiny.open() as retriever:
        retriever.add([(tmp_path / "added.png").read_bytes() + b" "], tags=["byhand"])
        gone = retriever.search("cat")[0].sticker_id
        retriever.remove(gone)
    back_up(tiny.file, tmp_path / "tiny.tar", home=tiny.home)
    elsewhere, other = tmp_path / "elsewhere", tiny.file.with_name("other.toml")
    restore(tmp_path / "tiny.tar", home=elsewhere, name="other")
    shutil.rmtree(tiny.home)
    other.write_text(tiny.file.read_text().replace('name = "tiny"', 'name = "other"'))
    build_collection(other, home=elsewhere)
    with Retriever.open(other, home=elsewhere) as retriever:
        (found,) = retriever.search("byhand")
        assert found.path is not None and found.path.parent == elsewhere / "other" / "pictures"
        assert found.path.is_file()
        assert gone not in [hit.sticker_id for hit in retriever.search("", limit=50)]
    assert [check for check in examine(other, home=elsewhere) if not check.passed] == []
