from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from persrv.catalog import Catalog, Entry
from persrv.catalog.failures import printable_url
from persrv.errors import CatalogError, MissingExtraError, NotFoundError
from persrv.records import Semantics
from postgres_server import Server

MakeEntry = Callable[..., Entry]


def test_what_is_stored_is_there_after_opening_again(catalog_url: str, entry: MakeEntry) -> None:
    with Catalog.open(catalog_url) as catalog:
        catalog.put([entry("cat")])
        before = list(catalog.stickers())
    with Catalog.open(catalog_url) as catalog:
        assert list(catalog.stickers()) == before
        assert len(before) == 1


def test_a_path_is_an_sqlite_file_whatever_its_name(tmp_path: Path, entry: MakeEntry) -> None:
    file = tmp_path / "new folder" / "50% of ?#&+ 猫.db"
    with Catalog.open(file) as catalog:
        catalog.put([entry("cat")])
    assert file.is_file()
    with Catalog.open(file) as catalog:
        assert catalog.count() == 1


def test_sqlite_is_set_up_for_one_writer_and_many_readers(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "c.db") as catalog, catalog._database.read() as connection:

        def pragma(name: str) -> object:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

        assert pragma("journal_mode") == "wal"
        assert pragma("foreign_keys") == 1
        assert pragma("synchronous") == 1
        assert pragma("busy_timeout") == 10_000


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_postgresql_works(server: Server, shared_database: str, scheme: str) -> None:
    with Catalog.open(server.url(shared_database).replace("postgresql", scheme, 1)) as catalog:
        assert catalog.count() >= 0


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"persrv\[postgres\]"):
        Catalog.open("postgresql://localhost/x")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "catalog.db",
        "mysql://h/x",
        "postgresql+asyncpg://h/x",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://h:p/x",
    ],
)
def test_urls_that_name_no_possible_catalog(url: str) -> None:
    with pytest.raises(CatalogError, match="sqlite:///FILE"):
        Catalog.open(url)


@pytest.mark.parametrize("option", ["colour=red", "timeout=long"])
def test_a_wrong_option_in_the_url(tmp_path: Path, option: str) -> None:
    with pytest.raises(CatalogError, match="option"):
        Catalog.open(f"sqlite:///{tmp_path}/c.db?{option}")


def test_a_wrong_option_for_postgresql(server: Server, shared_database: str) -> None:
    with pytest.raises(CatalogError, match="colour"):
        Catalog.open(server.url(shared_database) + "&colour=red")


def test_a_folder_is_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="is a folder; give a file in it"):
        Catalog.open(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="folder"):
        Catalog.open(tmp_path / "file" / "deeper" / "c.db")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG" * 1000)
    with pytest.raises(CatalogError, match="not an SQLite database"):
        Catalog.open(file)
    assert file.read_bytes() == b"\x89PNG" * 1000


def test_a_read_only_catalog_can_be_read_and_says_that_it_cannot_be_written(tmp_path: Path, entry: MakeEntry) -> None:
    file = tmp_path / "c.db"
    with Catalog.open(file) as catalog:
        catalog.put([entry("cat")])
    with Catalog.open(f"sqlite:///file:{file}?mode=ro&uri=true") as catalog:
        assert catalog.count() == 1
        with pytest.raises(CatalogError, match=r"cannot be written.*make the file"):
            catalog.put([entry("dog")])


def test_a_locked_catalog_can_be_read_and_says_that_it_is_locked(tmp_path: Path, entry: MakeEntry) -> None:
    file = tmp_path / "c.db"
    with Catalog.open(file) as catalog:
        catalog.put([entry("cat")])
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Catalog.open(f"sqlite:///{file}?timeout=0.05") as catalog:
        assert catalog.count() == 1
        with pytest.raises(CatalogError, match="locked"):
            catalog.put([entry("dog")])
        other.execute("COMMIT")
        catalog.put([entry("dog")])
        assert catalog.count() == 2
    other.close()


def test_a_wrong_password_is_said_and_not_shown(server: Server, shared_database: str) -> None:
    with pytest.raises(CatalogError, match="refuses this user or password") as caught:
        Catalog.open(server.url(shared_database, "quite-wrong"))
    assert "quite-wrong" not in str(caught.value)
    assert "persrv:***@" in str(caught.value)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"cannot be reached.*start PostgreSQL") as caught:
        Catalog.open(f"postgresql://someone:s3cret@/x?host={tmp_path}")
    assert "s3cret" not in str(caught.value)
    with pytest.raises(CatalogError, match="cannot be reached"):
        Catalog.open("postgresql://someone:s3cret@127.0.0.1:1/x?connect_timeout=2")


def test_a_database_that_is_not_there(server: Server) -> None:
    with pytest.raises(CatalogError, match="create it"):
        Catalog.open(server.url("nowhere"))


def test_no_part_of_a_url_shows_the_password() -> None:
    assert "s3cret" not in printable_url(
        make_url("postgresql+psycopg://u:s3cret@h/d?password=s3cret&connect_timeout=1")
    )


def test_a_transaction_counts_as_a_whole_or_not_at_all(catalog: Catalog, entry: MakeEntry) -> None:
    cat, dog = entry("cat"), entry("dog")
    with pytest.raises(KeyboardInterrupt), catalog.transaction():
        catalog.put([cat])
        assert catalog.count() == 1
        raise KeyboardInterrupt
    assert catalog.count() == 0
    with catalog.transaction():
        catalog.put([cat])
        catalog.edit(cat.sticker_id, "tags", ["one"], "ann")
        catalog.put([dog])
    assert catalog.count() == 2


def test_a_failure_inside_a_transaction_takes_back_only_itself(catalog: Catalog, entry: MakeEntry) -> None:
    cat = entry("cat")
    with catalog.transaction():
        catalog.put([cat])
        with pytest.raises(NotFoundError):
            catalog.put_semantics("0" * 32, "ocr", "m", Semantics(ocr=("x",)))
        with pytest.raises(CatalogError), catalog.transaction():
            catalog.edit(cat.sticker_id, "tags", ["lost"], "ann")
            catalog.edit(cat.sticker_id, "colour", ["red"], "ann")
        catalog.edit(cat.sticker_id, "name", ["kept"], "ann")
    found = catalog.sticker(cat.sticker_id)
    assert (found.semantics.name, found.semantics.tags) == (("kept",), ())


def test_a_transaction_is_its_threads_own(catalog: Catalog, entry: MakeEntry) -> None:
    seen: list[int] = []
    with catalog.transaction():
        catalog.put([entry("cat")])
        other = threading.Thread(target=lambda: seen.append(catalog.count()))
        other.start()
        other.join()
    assert seen == [0]
    assert catalog.count() == 1


def test_many_threads_read_and_write_at_once(catalog: Catalog, entry: MakeEntry) -> None:
    def work(number: int) -> int:
        catalog.put([entry(f"picture {number}")])
        return sum(1 for _ in catalog.stickers())

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(work, range(40)))
    assert catalog.count() == 40
    assert all(1 <= count <= 40 for count in counts)


def test_processes_that_open_a_new_catalog_at_once_all_succeed(bare_url: str) -> None:
    code = "import sys; from persrv.catalog import Catalog; Catalog.open(sys.argv[1]).note(sys.argv[2], 1)"
    started = [
        subprocess.Popen([sys.executable, "-c", code, bare_url, str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], errors
    with Catalog.open(bare_url) as catalog:
        assert [catalog.noted(str(number)) for number in range(2)] == [1, 1]


def test_closing_twice_is_harmless(catalog_url: str) -> None:
    catalog = Catalog.open(catalog_url)
    catalog.close()
    catalog.close()


def test_a_large_transaction_keeps_what_was_whole_before_an_error(
    catalog: Catalog, catalog_url: str, entry: MakeEntry
) -> None:
    with pytest.raises(KeyboardInterrupt), catalog.large_transaction():
        catalog.put([entry("cat")])
        with pytest.raises(CatalogError):
            catalog.put([entry("dog"), replace(entry("owl"), sticker_id="no id")])
        assert [sticker.id for sticker in catalog.stickers()] == [entry("cat").sticker_id]
        raise KeyboardInterrupt
    with Catalog.open(catalog_url) as other:
        assert [sticker.id for sticker in other.stickers()] == [entry("cat").sticker_id]
        # Whoever writes next waits for nobody.
        other.put([entry("dog")])
    catalog.put([entry("owl")])
    assert catalog.count() == 3


def test_pages_of_a_large_transaction_are_written_once(tmp_path: Path, entry: MakeEntry) -> None:
    def written(large: bool) -> int:
        with Catalog.open(tmp_path / f"{large}.db") as catalog:
            log = tmp_path / f"{large}.db-wal"
            catalog.note("a", 1)
            before = log.stat().st_size
            with catalog.large_transaction() if large else nullcontext():
                for number in range(12):
                    catalog.put([entry(f"sticker {number * 20 + place}") for place in range(20)])
            return log.stat().st_size - before

    assert written(large=True) * 3 < written(large=False)
