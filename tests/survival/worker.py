"""Uses a collection until it is killed, with a line of JSON around each act.

``python worker.py`` imports everything and forks a worker for each order that it reads, see ``worker_server.py``. A
worker has four arguments: the recipe, the home, the seed and FIRST.

A line ``{"begin": ...}`` says what is about to be done; ``{"done": ...}`` acknowledges it, ``{"failed": ...}`` says
that it was refused with an error of persrv's own. What was acknowledged must survive whatever comes. Acts are numbered
from FIRST on. ``PERSRV_TEST_URL`` is where a push goes.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from small_columns import write_columns_often

from persrv.catalog import Catalog
from persrv.catalog.phrases import fold_query
from persrv.errors import NotFoundError, PersrvError
from persrv.index import push, server  # noqa: F401 - a push would import them, and be killed while it does
from persrv.offline import build_collection
from persrv.offline.backup import back_up
from persrv.offline.publish import push_collection
from persrv.offline.rollback import rollback_collection
from persrv.online.retriever import Retriever
from persrv.workspace import Workspace

USERS = ("ann", "bo", "cy", "zoe")
QUERIES = ("cat", "good night", "开心", "brb", "")
ENGINES: tuple[Literal["here", "process"], ...] = ("here", "here", "process")
"""Where the engine runs; a process of its own is what the service uses."""

MOST_ACTS = 1_000
OLD = "old.db"
"""Name, beside the recipe, of a catalog as the first version left it."""

WEIGHTS = {
    "record": 50,
    "edit": 12,
    "add": 4,
    "remove": 2,
    "forget": 6,
    "build": 12,
    "rebuild": 2,
    "rollback": 3,
    "backup": 4,
    "import": 2,
    "migrate": 3,
    "push": 2,
}


def tell(**line: Any) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def drawn_act(chance: random.Random, ids: list[str], number: int, kinds: dict[str, int]) -> dict[str, Any]:
    """Draw an act and everything that it needs."""
    kind = chance.choices([*kinds], [*kinds.values()])[0]
    act: dict[str, Any] = {"act": kind}
    if kind == "record":
        act |= {"user": chance.choice(USERS), "query": chance.choice(QUERIES), "sticker": chance.choice(ids)}
        act |= {"pick": f"pick{number}"}
    elif kind == "edit":
        act |= {"sticker": chance.choice(ids), "tags": [f"tag{number}", fold_query("Mine")]}
    elif kind == "forget":
        act |= {"user": chance.choice(USERS)}
    elif kind == "add":
        act |= {"number": number}
    return act


def picture(number: int) -> bytes:
    """Return a picture that no other number has."""
    drawn = Image.new("RGB", (24, 24), (number * 7 % 256, number // 256 % 256, 90))
    drawn.putpixel((number % 24, number // 24 % 24), (255, 255, 255))
    content = io.BytesIO()
    drawn.save(content, "PNG")
    return content.getvalue()


@dataclass
class Acts:
    """Does what was drawn."""

    recipe: Path
    home: Path
    catalog: Catalog
    retriever: Retriever
    engine: Literal["here", "process"]

    def do(self, act: dict[str, Any]) -> dict[str, Any]:
        """Do an act, and return what is to be remembered of it."""
        method: Callable[[dict[str, Any]], dict[str, Any] | None] = getattr(self, f"_{act['act']}")
        return method(act) or {}

    def _record(self, act: dict[str, Any]) -> None:
        self.retriever.record(act["user"], act["query"], act["sticker"], pick_id=act["pick"])

    def _edit(self, act: dict[str, Any]) -> None:
        self.catalog.edit(act["sticker"], "tags", act["tags"], "survivor")

    def _add(self, act: dict[str, Any]) -> dict[str, Any]:
        report = self.retriever.add([picture(act["number"])], tags=["added"])
        return {"sticker": report.stickers[0].id}

    def _remove(self, act: dict[str, Any]) -> dict[str, Any]:
        added = [sticker.id for sticker in self.catalog.stickers() if "added" in sticker.semantics.tags]
        if not added:
            return {}
        tell(begin=act | {"sticker": added[0]})
        self.retriever.remove(added[0])
        return {"sticker": added[0]}

    def _forget(self, act: dict[str, Any]) -> None:
        self.retriever.forget(act["user"])

    def _build(self, act: dict[str, Any]) -> None:
        build_collection(self.recipe, home=self.home, rebuild=act["act"] == "rebuild")
        self.retriever.refresh()

    _rebuild = _build

    def _rollback(self, act: dict[str, Any]) -> None:
        with suppress(NotFoundError):
            rollback_collection(self.recipe, home=self.home)
        self.retriever.refresh()

    def _backup(self, act: dict[str, Any]) -> None:
        back_up(self.recipe, self.home / "backup.tar", home=self.home)

    def _import(self, act: dict[str, Any]) -> None:
        """Build another collection from nothing, as an import does."""
        # Out of the way at once: half a removed collection is nothing that a kill of a program of ours leaves.
        before, away = self.home / "imported", self.home / "away"
        shutil.rmtree(away, ignore_errors=True)
        if before.exists():
            before.rename(away)
            shutil.rmtree(away)
        build_collection(self.recipe.with_name("imported.toml"), home=self.home)

    def _migrate(self, act: dict[str, Any]) -> None:
        file = self.home / "old.db"
        if not file.exists():
            put_old_catalog(self.recipe.with_name(OLD), file)
        Catalog.open(file, "old").close()
        file.unlink()

    def _push(self, act: dict[str, Any]) -> None:
        if url := os.environ.get("PERSRV_TEST_URL"):
            self.retriever.close()  # whoever pushes must be the index's owner
            push_collection(self.recipe, url, home=self.home)
            self.retriever = Retriever.open(self.recipe, home=self.home, engine=self.engine)


def put_old_catalog(made: Path, file: Path) -> None:
    """Put a catalog as the first version left it in its place, whole or not at all.

    It is copied where no disk fails: a fault of these lines would be none of persrv's.
    """
    draft = made.with_suffix(".draft")
    shutil.copyfile(made, draft)
    for name in ("-wal", "-shm", "-journal"):  # a power cut may have left them of the one before
        file.with_name(file.name + name).unlink(missing_ok=True)
    draft.replace(file)
    with suppress(OSError), file.open("rb") as whole:
        os.fsync(whole.fileno())


def main(recipe: Path, home: Path, seed: int, first: int, kinds: dict[str, int] = WEIGHTS) -> None:
    chance = random.Random(seed)
    engine = chance.choice(ENGINES)
    with (
        Workspace.of(recipe, home).existing_catalog() as catalog,
        Retriever.open(recipe, home=home, engine=engine) as retriever,
    ):
        ids = sorted(sticker.id for sticker in catalog.stickers() if "added" not in sticker.semantics.tags)
        acts = Acts(recipe, home, catalog, retriever, engine)
        tell(ready=True)
        for step in range(MOST_ACTS):
            act = drawn_act(chance, ids, first + step, kinds)
            tell(begin=act)
            tell(done=act | acts.do(act))


def run(arguments: list[str]) -> int:
    """Work until killed; an error of persrv's own ends the work, and says which one it was."""
    try:
        main(Path(arguments[0]), Path(arguments[1]), int(arguments[2]), int(arguments[3]))
    except PersrvError as error:
        with suppress(OSError):
            tell(failed=type(error).__name__, text=str(error))
    return 0


def serve() -> None:
    """Fork a worker for each order on the standard input; the line behind an order asks for the worker's exit code."""
    layer = ctypes.CDLL(os.environ["LD_PRELOAD"]) if "LD_PRELOAD" in os.environ else None
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            os.setpgid(0, 0)  # with an engine's process, if it starts one
            os.environ.update(order["environment"])
            for number, file in ((1, order["out"]), (2, order["err"])):
                os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
            if layer is not None:
                layer.faults_begin()
            try:
                code = run(order["arguments"])
            except BaseException:
                traceback.print_exc()
                code = 1
            os._exit(code)
        tell(pid=child)
        sys.stdin.readline()
        tell(code=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    write_columns_often()
    serve()
