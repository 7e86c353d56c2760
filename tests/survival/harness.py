"""Kills a program that uses a collection, again and again, and checks what it had acknowledged.

The oracle keeps a list of the acknowledged acts, and the one that was going on when the program was killed: that one
may have happened or not, wholly.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from worker import MOST_ACTS, START

from persrv.online.retriever import Retriever
from persrv.records import Interaction
from persrv.workspace import Workspace
from repository import ROOT

WORKER = Path(__file__).with_name("worker.py")
PATIENCE_SECONDS = 60.0

Pick = tuple[str, str, str, str]


@dataclass
class Oracle:
    """What must be true.

    Attributes:
        picks: Acknowledged picks that nobody asked to forget: user, query, sticker, when.
        edited: Sticker to its acknowledged tags.
        acts: How often each act was acknowledged.
        open_acts: How often each act was going on at a kill.
    """

    picks: set[Pick] = field(default_factory=set)
    edited: dict[str, tuple[str, ...]] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    open_acts: Counter[str] = field(default_factory=Counter)

    def acknowledge(self, act: dict[str, Any]) -> None:
        """Note an act that is done."""
        self.acts[act["act"]] += 1
        if act["act"] == "record":
            self.picks.add(pick_of(act))
        elif act["act"] == "edit":
            self.edited[act["sticker"]] = tuple(act["tags"])
        elif act["act"] == "forget":
            self.picks = {pick for pick in self.picks if pick[0] != act["user"]}


def pick_of(act: dict[str, Any]) -> Pick:
    """Return the pick of an act."""
    return act["user"], act["query"], act["sticker"], act["at"]


def survive(recipe: Path, home: Path, kills: int, seed: int, longest_s: float = 4.0) -> Iterator[Oracle]:
    """Kill a worker ``kills`` times, check after each, and yield the oracle.

    Args:
        recipe: A built collection's, without interactions of its own that a user of the worker made.
        home: Holds its folder.
        kills: How often.
        seed: Decides all acts and moments.
        longest_s: Longest time from a worker's first act to its death.

    Raises:
        AssertionError: Something acknowledged was lost, or something is there that nobody asked for.
    """
    chance, oracle = random.Random(seed), Oracle()
    for number in range(kills):
        numbers = f"{seed * 1_000_000 + number}", f"{number * MOST_ACTS}"
        going = _run_until_killed(recipe, home, numbers, chance.uniform(0.0, longest_s), oracle)
        check(recipe, home, oracle, going)
        yield oracle


def _run_until_killed(
    recipe: Path, home: Path, numbers: tuple[str, str], seconds: float, oracle: Oracle
) -> dict[str, Any] | None:
    command = [sys.executable, str(WORKER), str(recipe), str(home), *numbers]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with TemporaryDirectory() as folder:
        # A file, since what a pipe's reader has read ahead is lost to communicate().
        written = Path(folder) / "lines"
        with written.open("w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True, env=environment)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not written.stat().st_size and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
            _, faults = process.communicate(timeout=PATIENCE_SECONDS)
        lines = written.read_text().splitlines()
    assert lines, f"the collection cannot be opened after a kill: {faults}"
    assert "Traceback" not in faults, faults
    going: dict[str, Any] | None = None
    for line in lines[1:]:
        try:
            read = json.loads(line)
        except ValueError:
            break  # the last line was cut
        if "begin" in read:
            going = read["begin"]
        else:
            oracle.acknowledge(read["done"])
            going = None
    if going is not None:
        oracle.open_acts[going["act"]] += 1
    return going


def check(recipe: Path, home: Path, oracle: Oracle, going: dict[str, Any] | None) -> None:
    """Compare the collection with the oracle; what the open act did is noted."""
    with Retriever.open(recipe, home=home) as retriever:
        assert retriever.search("cat", limit=5), "a word that stickers have finds none"
        with Workspace.of(recipe, home).existing_catalog() as catalog:
            _check_picks(list(catalog.interactions()), oracle, going)
            _check_edits({s.id: s.semantics.tags for s in catalog.stickers()}, oracle, going)
            left = {user.user for user in catalog.users()}
        if going is not None and going["act"] == "forget" and going["user"] not in left:
            # Half a forgetting would leave the styles of somebody without picks.
            retriever.forget(going["user"])
        for user in ("ann", "bo", "cy", "zoe"):
            assert user in left or not retriever.styles(user), f"{user} was forgotten and still has styles"


def _check_picks(found: list[Interaction], oracle: Oracle, going: dict[str, Any] | None) -> None:
    stored = [_key(pick) for pick in found if pick.time >= START]
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
    return pick.user, pick.query, pick.sticker_id, pick.time.isoformat()


def _check_edits(tags: dict[str, tuple[str, ...]], oracle: Oracle, going: dict[str, Any] | None) -> None:
    if going is not None and going["act"] == "edit" and tags[going["sticker"]] == tuple(going["tags"]):
        oracle.edited[going["sticker"]] = tuple(going["tags"])
    wrong = [sticker for sticker, words in oracle.edited.items() if tags[sticker] != words]
    assert not wrong, f"the edits of {wrong[:3]} are lost"
