"""Uses a collection on a disk that is full, and on one that is read-only: real ones, where mounting is allowed.

A mount of one's own needs a superuser. Everybody else gets a limit on the size of files in place of a full disk, and
folders without the right to write in place of a read-only one.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from confinement import confine
from damage import in_child

from persrv.errors import PersrvError
from persrv.indexing.progress import Silent
from persrv.offline import build_collection
from persrv.offline.backup import back_up
from persrv.online.overview import examine
from persrv.online.retriever import Retriever
from persrv.workspace import Workspace
from sparse_files import copy_sparse

SIZE = "400m"
_NEW_MOUNTS, _RECURSIVE, _PRIVATE = 0x20000, 16384, 1 << 18


def _search(recipe: Path, home: Path) -> int:
    with Retriever.open(recipe, home=home) as retriever:
        return len(retriever.search("cat"))


def _record(recipe: Path, home: Path) -> bool:
    with Retriever.open(recipe, home=home) as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        return retriever.record("ann", "cat", sticker, pick_id="on a bad disk").new


def _edit(recipe: Path, home: Path) -> None:
    with Retriever.open(recipe, home=home) as retriever:
        retriever.edit(retriever.search("cat")[0].sticker_id, "tags", ["edited"], editor="ann")


def _build(recipe: Path, home: Path) -> int:
    return build_collection(recipe, home=home, rebuild=True).stickers


def _backup(recipe: Path, home: Path) -> int:
    return len(back_up(recipe, home / "backup.tar", home=home).files)


def _doctor(recipe: Path, home: Path) -> int:
    return len(examine(recipe, home=home))


ACTS: dict[str, Callable[[Path, Path], Any]] = {
    "search": _search,
    "record": _record,
    "edit": _edit,
    "build": _build,
    "backup": _backup,
    "doctor": _doctor,
}


def on_a_full_disk(recipe: Path, home: Path, place: Path) -> dict[str, Any]:
    """Use a copy of a collection on a small file system without room, then with room again; return what came of it."""
    return in_child(_full, recipe, home, place)


def _full(recipe: Path, home: Path, place: Path) -> dict[str, Any]:
    if not _small_disk(place):
        shutil.copytree(home, place / "home", copy_function=copy_sparse)
        return _limited(recipe, place / "home")
    shutil.copytree(home, place / "home", copy_function=copy_sparse)
    opened = in_child(_filled_while_open, recipe, place / "home", place / "filler")
    outcome = {name: in_child(act, recipe, place / "home") for name, act in ACTS.items()} | {"open": opened}
    (place / "filler").unlink()
    outcome["picks afterwards"] = in_child(_picks, recipe, place / "home")
    outcome["afterwards"] = in_child(_mended, recipe, place / "home")
    return outcome


def _small_disk(place: Path) -> bool:
    """Mount a small file system at ``place`` for this process, and return whether that is allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    return not (
        libc.unshare(_NEW_MOUNTS)
        or libc.mount(None, b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None)
        or libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", ctypes.c_ulong(0), f"size={SIZE}".encode())
    )


def _limited(recipe: Path, home: Path) -> dict[str, Any]:
    """Do everything with files that cannot grow beyond two pages."""

    def within(act: Callable[[Path, Path], Any]) -> dict[str, Any]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        return {"done": act(recipe, home)}

    outcome = {name: _flat(in_child(within, act)) for name, act in ACTS.items()}
    return outcome | {
        "picks afterwards": in_child(_picks, recipe, home),
        "afterwards": in_child(_mended, recipe, home),
    }


def _flat(answer: dict[str, Any]) -> dict[str, Any]:
    return answer["done"] if isinstance(answer.get("done"), dict) else answer


def _filled_while_open(recipe: Path, home: Path, filler: Path) -> list[str]:
    """Let the disk become full under a program that has the collection open; return what its acts said."""
    said = []
    with Retriever.open(recipe, home=home) as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        with suppress(OSError), filler.open("wb") as out:
            while True:
                out.write(bytes(4096))
                out.flush()
        for number in range(20):
            try:
                retriever.record("bo", "cat", sticker, pick_id=f"{number}")
                said.append("done")
            except PersrvError as error:
                said.append(type(error).__name__)
        assert retriever.search("cat"), "a search finds nothing"
    return said


def _picks(recipe: Path, home: Path) -> int:
    with Workspace.of(recipe, home).existing_catalog() as catalog:
        return sum(pick.pick_id == "on a bad disk" for pick in catalog.interactions())


def _mended(recipe: Path, home: Path) -> list[str]:
    build_collection(recipe, home=home)
    return [check.finding for check in examine(recipe, home=home, deep=Silent()) if not check.passed]


def on_a_read_only_disk(recipe: Path, home: Path, place: Path) -> dict[str, Any]:
    """Use a collection that nobody may write; return what came of each act."""
    return in_child(_read_only, recipe, home, place)


def _read_only(recipe: Path, home: Path, place: Path) -> dict[str, Any]:
    if os.getuid() == 0:
        confine(place)
    else:
        for path in (home, *home.rglob("*")):
            path.chmod(0o500 if path.is_dir() else 0o400)
    return {name: in_child(act, recipe, home) for name, act in ACTS.items()}
