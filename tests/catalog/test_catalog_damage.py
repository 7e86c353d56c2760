"""What is said of a damaged catalog and of damaged vectors, and what can still be taken out of them."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from test_catalog_vectors import ROW, files, id_of, opened, vectors_of

from persrv.catalog import Catalog, VectorCache
from persrv.catalog.salvage import put_homeless, salvage
from persrv.errors import CatalogError
from persrv.records import Interaction
from tiny_collection import Tiny

WHEN = datetime(2026, 4, 1, tzinfo=UTC)


def flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 4
    file.write_bytes(bytes(content))


def test_a_vector_that_a_disk_changed_is_refused_found_and_made_again(tmp_path: Path) -> None:
    ids = [id_of(n) for n in range(5)]
    opened(tmp_path).append(ids, vectors_of(ids))
    flip(files(tmp_path)[0], 2 * ROW + 3)
    cache = opened(tmp_path)
    np.testing.assert_array_equal(cache.get([*ids[:2], *ids[3:]]), vectors_of([*ids[:2], *ids[3:]]))
    with pytest.raises(CatalogError, match=f"sticker {ids[2]} .* is damaged; run persrv repair"):
        cache.get(ids)
    assert cache.damaged() == [ids[2]]
    cache.drop([ids[2]])
    assert cache.missing(ids) == [ids[2]]
    assert cache.damaged() == []
    cache.append(ids, vectors_of(ids))
    np.testing.assert_array_equal(opened(tmp_path).get(ids), vectors_of(ids))


def test_vectors_of_another_collection_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    mine, others = [id_of(n) for n in range(4)], [id_of(n) for n in range(10, 14)]
    opened(tmp_path / "mine").append(mine, vectors_of(mine))
    opened(tmp_path / "other").append(others, vectors_of(others))
    files(tmp_path / "mine")[0].write_bytes(files(tmp_path / "other")[0].read_bytes())
    assert opened(tmp_path / "mine").damaged() == mine


def test_rows_without_check_sums_get_them_at_the_next_writing(tmp_path: Path) -> None:
    ids = [id_of(n) for n in range(5)]
    opened(tmp_path).append(ids[:4], vectors_of(ids[:4]))
    sums = next(tmp_path.glob("*.crc"))
    os.truncate(sums, 4)
    assert opened(tmp_path).damaged() == []
    opened(tmp_path).append(ids[4:], vectors_of(ids[4:]))
    assert sums.stat().st_size == 5 * 4
    flip(files(tmp_path)[0], 3 * ROW)
    assert opened(tmp_path).damaged() == [ids[3]]


def test_every_cache_of_a_folder_is_found_by_its_files(tmp_path: Path) -> None:
    opened(tmp_path).append([id_of(1)], vectors_of([id_of(1)]))
    VectorCache(tmp_path, "other", "2", 3).append([id_of(2)], np.ones((1, 3)))
    assert [(cache.dimension, len(cache)) for cache in VectorCache.all_in(tmp_path)] == [
        (3, 1),
        (opened(tmp_path).dimension, 1),
    ]
    assert VectorCache.all_in(tmp_path / "nowhere") == []


@pytest.fixture
def catalog_file(tiny_built: Tiny, tmp_path: Path) -> Path:
    """A copy of a built collection's catalog."""
    file = tmp_path / "catalog.db"
    with (
        sqlite3.connect(tiny_built.home / "tiny" / "catalog.db") as source,
        sqlite3.connect(file) as target,
    ):
        source.backup(target)
    source.close()
    target.close()
    return file


def test_a_sound_database_says_so(catalog_file: Path) -> None:
    with Catalog.open(catalog_file, "tiny") as catalog:
        assert catalog.damage() == []


@pytest.mark.parametrize("cut", [0.3, 0.5, 0.8])
def test_a_cut_database_is_damaged_and_names_the_command(catalog_file: Path, cut: float) -> None:
    os.truncate(catalog_file, int(catalog_file.stat().st_size * cut) // 4096 * 4096)
    with pytest.raises(CatalogError, match="persrv repair"), Catalog.open(catalog_file, "tiny") as catalog:
        if found := catalog.damage():
            raise CatalogError(found[0], "run persrv repair")


def test_everything_that_can_be_read_comes_over(catalog_file: Path, tmp_path: Path) -> None:
    with Catalog.open(catalog_file, "tiny") as catalog:
        sticker = next(iter(catalog.stickers())).id
        catalog.edit(sticker, "tags", ["mine"], "ann")
        catalog.record(Interaction("zoe", "hello", sticker, WHEN))
        picks, stickers = list(catalog.interactions()), list(catalog.stickers())
    target = tmp_path / "new.db"
    Catalog.open(target, "tiny").close()
    found = salvage(catalog_file, target)
    assert (found.unreadable, found.homeless) == ((), ())
    with Catalog.open(target, "tiny") as catalog:
        assert catalog.count_anew()
        assert list(catalog.interactions()) == picks
        assert list(catalog.stickers()) == stickers
        assert catalog.sticker(sticker).semantics.tags == ("mine",)


def test_rows_around_a_damaged_page_come_over(tmp_path: Path) -> None:
    file, target = tmp_path / "catalog.db", tmp_path / "new.db"
    ids = [f"{n:032x}" for n in range(2000)]
    with Catalog.open(file, "tiny") as catalog:
        catalog.note("key", "kept")
    with sqlite3.connect(file) as connection:
        rows = [(i, "png", 1, 1, 1, "2026-01-01 00:00:00.000000", 0) for i in ids]
        names = "(id, format, width, height, frames, added_at, revision)"
        connection.executemany(f"INSERT INTO stickers {names} VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
        pages = (
            connection.execute(
                "SELECT pageno FROM dbstat WHERE name = 'stickers' AND pagetype = 'leaf' ORDER BY pageno"
            ).fetchall()
            if _has_dbstat(connection)
            else []
        )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(file.read_bytes())
    at = (pages[len(pages) // 2][0] - 1) * 4096 if pages else content.rindex(ids[1000].encode()) // 4096 * 4096
    content[at : at + 4096] = bytes(4096)
    file.write_bytes(bytes(content))
    Catalog.open(target, "tiny").close()
    found = salvage(file, target)
    assert found.unreadable == ("stickers",)
    assert 1500 < found.rows["stickers"] < 2000
    with Catalog.open(target, "tiny") as catalog:
        assert catalog.noted("key") == "kept"


def _has_dbstat(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1 FROM dbstat LIMIT 1")
    except sqlite3.OperationalError:
        return False
    return True


def test_picks_of_a_lost_sticker_wait_for_it(catalog_file: Path, tmp_path: Path) -> None:
    with sqlite3.connect(catalog_file) as connection:
        (sticker,) = connection.execute("SELECT sticker_id FROM interactions LIMIT 1").fetchone()
        row = connection.execute("SELECT * FROM stickers WHERE id = ?", (sticker,)).fetchone()
        connection.execute("DELETE FROM stickers WHERE id = ?", (sticker,))
        connection.commit()
    connection.close()
    target = tmp_path / "new.db"
    Catalog.open(target, "tiny").close()
    found = salvage(catalog_file, target)
    picks = [columns for table, columns in found.homeless if table == "interactions"]
    assert {columns["sticker_id"] for columns in picks} == {sticker}
    with sqlite3.connect(target) as connection:
        connection.execute(f"INSERT INTO stickers VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()
    connection.close()
    assert put_homeless(target, found) == 0
    with Catalog.open(target, "tiny") as catalog:
        assert sum(pick.sticker_id == sticker for pick in catalog.interactions()) == len(picks)
