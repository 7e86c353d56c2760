"""Damages the files of a collection one by one, and sees what is said of it and what mends it.

Each act runs in a child process, so that even a native abort is seen and not suffered.
"""

from __future__ import annotations

import faulthandler
import json
import os
import random
import re
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persrv.errors import PersrvError
from persrv.indexing.progress import Silent
from persrv.offline import build_collection
from persrv.offline.repair import repair_collection
from persrv.online.overview import examine
from persrv.online.retriever import Retriever
from persrv.workspace import Workspace
from sparse_files import copy_sparse

KINDS = ("half", "empty", "gone", "flipped", "other build", "other collection")
PATIENCE_SECONDS = 120

_VARIABLE = (
    (re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}"), "BUILD"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "SEGMENT"),
    (re.compile(r"/[0-9a-z]{24}-[a-z_]+-"), "/FIELD-"),
)


@dataclass(frozen=True)
class Case:
    """One damage: a file, below the home, and what happens to it."""

    file: Path
    kind: str

    def __str__(self) -> str:
        return f"{self.kind:16} {plain(self.file)}"


@dataclass
class Outcome:
    """What came of one damage.

    Attributes:
        said: What a search said: ``same``, ``other`` (another answer), or the error.
        found: What the doctor found.
        mended: The commands that it named and that were run.
        faults: What must not be.
    """

    said: str = ""
    found: str = ""
    mended: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def plain(file: Path) -> str:
    """Return a file's name without what differs from build to build."""
    text = file.as_posix()
    for pattern, name in _VARIABLE:
        text = pattern.sub(name, text)
    return text


def cases(home: Path, name: str) -> list[Case]:
    """Return every damage of a collection's files; of files alike in builds and fields one stands for all.

    Segments' names are drawn anew by every build: the order goes without them, so that a run can go on in another.
    """
    current = (home / name / "index" / name / "CURRENT").read_text().split()[0]
    found: dict[str, Path] = {}
    for path in sorted((home / name).rglob("*")):
        file = path.relative_to(home)
        builds = re.findall(_VARIABLE[0][0], file.as_posix())
        if path.is_file() and path.suffix != ".lock" and all(build == current for build in builds):
            found.setdefault(plain(file), file)
    return [Case(found[name], kind) for name in sorted(found) for kind in KINDS]


class Damager:
    """Damages copies of a collection.

    Args:
        recipe: Its recipe.
        home: Holds it, built twice, so that there is another build.
        other: Holds another collection under the same name.
        scratch: For the copies.
    """

    def __init__(self, recipe: Path, home: Path, other: Path, scratch: Path) -> None:
        self.recipe, self.home, self.other, self.scratch = recipe, home, other, scratch
        self.name = Workspace.of(recipe, home).recipe.name
        self.good = in_child(_search, recipe, home)
        assert self.good.get("done"), self.good

    def try_case(self, *damages: Case, seed: int) -> Outcome | None:
        """Return what came of damages at once, of different files; ``None`` where they change nothing."""
        home = self.scratch / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.home, home, copy_function=copy_sparse)
        changed = [self._damaged(home / case.file, case, seed) for case in damages]
        if not any(changed):
            return None
        outcome = Outcome()
        searched = in_child(_search, self.recipe, home)
        outcome.said = self._said(searched, outcome)
        found = self._examined(home, outcome)
        outcome.found = "; ".join(found)
        if outcome.said == "other" and not found:
            outcome.faults.append("silently a wrong answer")
        for _ in range(3):
            if not found:
                break
            self._mend(found[0], home, outcome)
            found = self._examined(home, outcome)
        if found:
            outcome.faults.append(f"not mended: {found[0]}")
        elif outcome.mended:
            again = in_child(_search, self.recipe, home)
            if again != self.good and all(case.file.name != "catalog.db" for case in damages):
                outcome.faults.append("another answer after it was mended")
            elif "done" not in again:
                outcome.faults.append(f"no answer after it was mended: {again}")
        return outcome

    def _said(self, searched: dict[str, Any], outcome: Outcome) -> str:
        if "done" in searched:
            return "same" if searched == self.good else "other"
        if "typed" not in searched:
            outcome.faults.append(f"a search: {searched}")
        elif "\n" in searched["typed"]:
            outcome.faults.append("a search's error has several lines")
        return str(next(iter(searched.values())))

    def _examined(self, home: Path, outcome: Outcome) -> list[str]:
        """Return what the doctor finds when it reads everything."""
        answer = in_child(_examine, self.recipe, home)
        if "done" not in answer:
            outcome.faults.append(f"the doctor: {answer}")
            return []
        return [str(finding) for finding in answer["done"]]

    def _mend(self, finding: str, home: Path, outcome: Outcome) -> None:
        command = re.search(r"persrv (repair|build)( -c [\w-]+)?( --rebuild)?", finding)
        if command is None:
            outcome.faults.append(f"no command is named: {finding}")
            return
        outcome.mended.append(command[0])
        answer = in_child(_repair if command[1] == "repair" else _build, self.recipe, home, bool(command[3]))
        if "done" not in answer:
            outcome.faults.append(f"{command[0]}: {answer}")

    def _damaged(self, path: Path, case: Case, seed: int) -> bool:
        before = path.read_bytes() if path.stat().st_size < 1 << 20 else None
        size = path.stat().st_size
        if case.kind == "half":
            os.truncate(path, size // 2)
        elif case.kind == "empty":
            os.truncate(path, 0)
        elif case.kind == "gone":
            path.unlink()
        elif case.kind == "flipped":
            return _flip(path, random.Random(f"{seed} {case}"))
        else:
            substitute = self._substitute(case)
            if substitute is None:
                return False
            copy_sparse(str(substitute), str(path))
        return not path.exists() or before is None or path.read_bytes() != before

    def _substitute(self, case: Case) -> Path | None:
        """Return the same file of the build before, or of the other collection."""
        home = self.other if case.kind == "other collection" else self.home
        wanted = plain(case.file)
        found = [
            path
            for path in sorted((home / self.name).rglob(case.file.name))
            if path.is_file() and plain(path.relative_to(home)) == wanted
        ]
        own = self.home / case.file
        others = [path for path in found if path != own]
        return others[0] if others else None


def _flip(path: Path, chance: random.Random) -> bool:
    """Turn over three bits of a file where it has content."""
    with path.open("r+b") as file:
        content = file.read(1 << 22)
        used = [at for at in range(len(content)) if content[at]] if len(content) < 1 << 16 else None
        last = len(content.rstrip(b"\0"))
        if not last:
            return False
        for _ in range(3):
            at = chance.choice(used) if used else chance.randrange(last)
            file.seek(at)
            file.write(bytes([content[at] ^ (1 << chance.randrange(8))]))
    return True


def in_child(act: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """Run something in a child process; return what came of it under ``done``, ``typed``, ``untyped`` or ``died``."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        signal.alarm(PATIENCE_SECONDS)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)
        faulthandler.disable()
        try:
            answer = {"done": act(*arguments)}
        except PersrvError as error:
            answer = {"typed": f"{type(error).__name__}: {error}"}
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            answer = {"untyped": f"{type(error).__name__}: {error} in {where.filename}:{where.lineno}"[:400]}
        with os.fdopen(writing, "w") as out:
            json.dump(answer, out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answered:
        text = answered.read()
    _, status = os.waitpid(child, 0)
    if not text:
        return {"died": signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status}"}
    read: dict[str, Any] = json.loads(text)
    return read


def _search(recipe: Path, home: Path) -> list[list[list[Any]]]:
    with Retriever.open(recipe, home=home) as retriever:
        return [
            [[hit.sticker_id, round(hit.score, 4)] for hit in retriever.search(query, user="ann", limit=40)]
            for query in ("cat", "开心", "happy rain", "")
        ]


def _examine(recipe: Path, home: Path) -> list[str]:
    checks = examine(recipe, home=home, deep=Silent())
    return [f"{check.name}: {check.finding}" for check in checks if not check.passed]


def _build(recipe: Path, home: Path, rebuild: bool) -> int:
    return build_collection(recipe, home=home, rebuild=rebuild).stickers


def _repair(recipe: Path, home: Path, _: bool) -> list[str]:
    return list(repair_collection(recipe, home=home).steps)


def drawn(every: list[Case], count: int, seed: int, together: int = 1) -> Iterator[tuple[int, list[Case]]]:
    """Yield some cases with their numbers, in a seeded order; several at once are of different files."""
    chance = random.Random(seed)
    if together == 1:
        chance.shuffle(every := [*every])
        yield from enumerate([case] for case in every[:count])
        return
    files = sorted({case.file for case in every})
    for number in range(count):
        yield number, [Case(file, chance.choice(KINDS)) for file in chance.sample(files, together)]
