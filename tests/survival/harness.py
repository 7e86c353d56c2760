"""Kills a program that uses a collection, again and again, and checks what it had acknowledged.

The oracle keeps a list of the acknowledged acts, and the one that was going on when the program was killed or refused:
that one may have happened or not, wholly.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from faults import Fault, drawn_fault, name_drafts
from small_columns import check_columns
from worker import MOST_ACTS, OLD, USERS
from worker_server import Death, WorkerServer

from persrv.catalog import Catalog, schema
from persrv.catalog.database import Database
from persrv.offline import build_collection
from persrv.offline.publish import push_collection
from persrv.offline.restore import restore
from persrv.online.retriever import Retriever
from persrv.records import Interaction
from persrv.workspace import Workspace
from sparse_files import copy_sparse

MIGRATED = 2_000
"""Stickers of the catalog that is migrated."""

REFUSING = ("full", "eio", "sync")
"""Faults of which a program may say that it cannot go on."""

Pick = tuple[str, str, str, str]


@dataclass
class Oracle:
    """What must be true.

    Attributes:
        picks: Acknowledged picks that nobody asked to forget: user, query, sticker, the caller's id.
        edited: Sticker to its acknowledged tags.
        added: Added stickers that nobody removed.
        removed: Removed ones.
        acts: How often each act was acknowledged.
        open_acts: How often each act was going on at a kill or fault.
        faults: How often each kind of fault was suffered.
        refusals: How often each error of persrv's own ended the work.
        columns: How many versions had columns behind the kills, and how many had lost them.
        failures: What must not be.
    """

    picks: set[Pick] = field(default_factory=set)
    edited: dict[str, tuple[str, ...]] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    acts: Counter[str] = field(default_factory=Counter)
    open_acts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def begin_anew(self, failure: str) -> None:
        """Note a failure, and that the collection is as it was built."""
        self.failures.append(failure)
        self.picks, self.edited, self.added, self.removed = set(), {}, set(), set()

    def acknowledge(self, act: dict[str, Any]) -> None:
        """Note an act that is done."""
        self.acts[act["act"]] += 1
        if act["act"] == "record":
            self.picks.add(pick_of(act))
        elif act["act"] == "edit":
            self.edited[act["sticker"]] = tuple(act["tags"])
        elif act["act"] == "forget":
            self.picks = {pick for pick in self.picks if pick[0] != act["user"]}
        elif act["act"] == "add":
            self.added.add(act["sticker"])
        elif act["act"] == "remove" and "sticker" in act:
            self.added.discard(act["sticker"])
            self.removed.add(act["sticker"])


def pick_of(act: dict[str, Any]) -> Pick:
    """Return the pick of an act."""
    return act["user"], act["query"], act["sticker"], act["pick"]


def survive(
    recipe: Path,
    home: Path,
    kills: int,
    seed: int,
    longest_s: float = 4.0,
    url: str = "",
    *,
    first: int = 0,
    faulty: bool = True,
    keep_going: bool = False,
) -> Iterator[Oracle]:
    """Kill a worker ``kills`` times, check after each, and yield the oracle.

    Args:
        recipe: A built collection's, without interactions of its own that a user of the worker made.
        home: Holds its folder.
        kills: How often.
        seed: Decides all acts, faults and moments.
        longest_s: Longest time from a worker's first act to its death.
        url: Where pushes go.
        first: Number of the first kill, to go on with a long run.
        faulty: Whether disks and clocks fail, too.
        keep_going: Whether a failure is noted in the oracle, and the rest goes on with the collection as it was built.

    Raises:
        AssertionError: Something acknowledged was lost, or something is there that nobody asked for.
    """
    oracle, built = Oracle(), home.with_name("built")
    write_imported(recipe)
    write_old_catalog(recipe.with_name(OLD))
    check_columns(recipe, home)
    if keep_going:
        shutil.copytree(home, built, copy_function=copy_sparse)
    with WorkerServer(url) as server:
        for number in range(first, first + kills):
            chance = random.Random(f"{seed}:{number}")
            arguments = [str(recipe), str(home), f"{seed * 1_000_000 + number}", f"{number * MOST_ACTS}"]
            fault = drawn_fault(chance) if faulty else Fault()
            oracle.faults[fault.kind or "kill"] += 1
            lines: list[str] = []
            try:
                seconds, wholly = chance.uniform(0.0, longest_s), fault.kind == "power" or chance.random() < 0.5
                death = _run_until_killed(server, arguments, home, seconds, fault, wholly)
                lines = death.lines
                going = _read(lines, oracle)
                check(recipe, home, oracle, going, url)
            except Exception as error:
                error.add_note(f"kill {number} of seed {seed}, with {fault}, behind {lines[-9:]}")
                if not keep_going:
                    raise
                oracle.begin_anew("".join(traceback.format_exception(error)))
                server.end_engines()
                shutil.rmtree(home)
                shutil.copytree(built, home, copy_function=copy_sparse)
            yield oracle


def write_imported(recipe: Path) -> None:
    """Write a second recipe of fewer stickers, which is built from nothing again and again."""
    text = recipe.read_text(encoding="utf-8").split("[[interactions]]")[0]
    text = text.replace('name = "tiny"', 'name = "imported"').replace('path = "stickers"', 'path = "stickers/line"')
    recipe.with_name("imported.toml").write_text(text, encoding="utf-8")


def write_old_catalog(file: Path) -> None:
    """Write a catalog of :data:`MIGRATED` stickers as the first version left it."""
    file.unlink(missing_ok=True)
    real = schema.upgrade
    schema.upgrade = lambda *given, **named: real(*given, target="0001", **named)
    try:
        Database.open(file).close()
    finally:
        schema.upgrade = real
    with closing(sqlite3.connect(file)) as connection:
        rows = [(f"{n:032x}", "png", 1, 1, 1, "2024-05-01 12:30:00.000000") for n in range(MIGRATED)]
        connection.executemany("INSERT INTO stickers VALUES (?, ?, ?, ?, ?, ?)", rows)
        places = [("folder", f"{n}", f"{n:032x}", "", None, 0, 0, "", "", "") for n in range(MIGRATED)]
        connection.executemany(f"INSERT INTO placements VALUES ({', '.join('?' * 10)})", places)
        connection.commit()


def _run_until_killed(
    server: WorkerServer, arguments: list[str], home: Path, seconds: float, fault: Fault, wholly: bool
) -> Death:
    shadow = home.with_name("shadow")
    if fault.kind == "power":
        shutil.rmtree(shadow, ignore_errors=True)
        # What is there before the power goes is on the disk.
        shutil.copytree(home, shadow, copy_function=copy_sparse)
    death = server.run_until_killed(arguments, fault.environment(home, shadow), seconds, wholly=wholly)
    complaints, lines = death.complaints, death.lines
    assert "Traceback" not in complaints, complaints
    assert death.code in (0, -signal.SIGKILL), f"the program ended by itself with {death.code}: {complaints}"
    assert lines, f"the collection cannot be opened after a kill: {complaints}"
    if fault.kind == "power":
        for draft in shadow.rglob("*.draft"):
            draft.unlink()
        name_drafts(home, shadow)
        shutil.rmtree(home)
        shadow.rename(home)
    if fault.kind not in REFUSING:
        refused = [line for line in lines if line.startswith('{"failed"')]
        assert not refused, f"refused without a reason: {refused}"
    return death


def _read(lines: list[str], oracle: Oracle) -> dict[str, Any] | None:
    """Note what was acknowledged, and return the act that was going on."""
    going: dict[str, Any] | None = None
    for line in lines:
        try:
            read = json.loads(line)
        except ValueError:
            break  # the last line was cut
        if "begin" in read:
            going = read["begin"]
        elif "done" in read:
            oracle.acknowledge(read["done"])
            going = None
        elif "failed" in read:
            oracle.refusals[read["failed"]] += 1
    if going is not None:
        oracle.open_acts[going["act"]] += 1
    return going


def check(recipe: Path, home: Path, oracle: Oracle, going: dict[str, Any] | None, url: str = "") -> None:
    """Compare the collection with the oracle; what the open act did is noted."""
    open_act = going["act"] if going else ""
    with Retriever.open(recipe, home=home) as retriever:
        assert retriever.search("cat", limit=5), "a word that stickers have finds none"
        with Workspace.of(recipe, home).existing_catalog() as catalog:
            _check_picks(list(catalog.interactions()), oracle, going)
            stickers = {s.id: s.semantics.tags for s in catalog.stickers()}
            _check_edits(stickers, oracle, going)
            _check_stickers(stickers, oracle, going)
            left = {user.user for user in catalog.users()}
        if going is not None and open_act == "forget" and going["user"] not in left:
            # Half a forgetting would leave the styles of somebody without picks.
            retriever.forget(going["user"])
        for user in USERS:
            assert user in left or not retriever.styles(user), f"{user} was forgotten and still has styles"
    oracle.columns += check_columns(recipe, home)
    _check_others(recipe, home, open_act, url)


def _check_others(recipe: Path, home: Path, open_act: str, url: str) -> None:
    """Go on with what was broken off, and see that it comes to its end."""
    if open_act == "import":
        build_collection(recipe.with_name("imported.toml"), home=home)
        with Retriever.open(recipe.with_name("imported.toml"), home=home) as imported:
            assert len(imported.search("", limit=20)) == 10
    if open_act == "migrate" and (home / "old.db").exists():
        with Catalog.open(home / "old.db", "old") as old:
            assert old.count() == MIGRATED
    if open_act == "push" and url:
        pushed = push_collection(recipe, url, home=home)
        with Workspace.of(recipe, home).existing_catalog() as catalog:
            assert pushed["tiny"].stickers >= catalog.count() - 1
    if open_act == "backup" and (home / "backup.tar").exists():
        with TemporaryDirectory() as folder:
            restore(home / "backup.tar", home=folder)


def _check_picks(found: list[Interaction], oracle: Oracle, going: dict[str, Any] | None) -> None:
    stored = [_key(pick) for pick in found if pick.pick_id is not None]
    there, promised = set(stored), set(oracle.picks)
    assert len(stored) == len(there), "a pick is stored twice"
    if going is not None and going["act"] == "record" and pick_of(going) in there:
        promised.add(pick_of(going))
        oracle.picks.add(pick_of(going))
    if going is not None and going["act"] == "forget":
        theirs = {pick for pick in promised if pick[0] == going["user"]}
        assert not theirs & there or theirs <= there, f"half of {going['user']} was forgotten"
        if not theirs & there:
            promised -= theirs
            oracle.picks -= theirs
    assert there == promised, f"lost {sorted(promised - there)[:3]}, never asked for {sorted(there - promised)[:3]}"


def _key(pick: Interaction) -> Pick:
    return pick.user, pick.query, pick.sticker_id, pick.pick_id or ""


def _check_edits(tags: dict[str, tuple[str, ...]], oracle: Oracle, going: dict[str, Any] | None) -> None:
    if going is not None and going["act"] == "edit" and tags[going["sticker"]] == tuple(going["tags"]):
        oracle.edited[going["sticker"]] = tuple(going["tags"])
    wrong = [sticker for sticker, words in oracle.edited.items() if tags[sticker] != words]
    assert not wrong, f"the edits of {wrong[:3]} are lost"


def _check_stickers(tags: dict[str, tuple[str, ...]], oracle: Oracle, going: dict[str, Any] | None) -> None:
    there = {sticker for sticker, words in tags.items() if "added" in words}
    open_act = going["act"] if going else ""
    if open_act == "add" and len(more := there - oracle.added) == 1:
        oracle.added |= more
        oracle.removed -= more
    if going is not None and open_act == "remove" and (sticker := going.get("sticker")) and sticker not in there:
        oracle.added.discard(sticker)
        oracle.removed.add(sticker)
    lost, back = oracle.added - there, there - oracle.added
    assert not lost, f"added stickers are lost: {sorted(lost)[:3]}"
    assert not back, f"stickers are there that nobody added, or that were removed: {sorted(back)[:3]}"
    assert len(tags) - len(there) == 30, "a sticker of the source is lost"
