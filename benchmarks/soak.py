"""Minutes of mixed searches and picks on a running service, then a kill: nothing fails, grows or gets lost.

Eight callers, each on a connection of its own, search for a random word as a random person; every third time the person
takes one of the stickers that were found. Then the service is killed with SIGKILL and started anew, and every pick
that it had acknowledged, by its ``pick_id``, must be in its person's export.

``python -m benchmarks.soak RECIPE HOME --minutes 10`` measures on a collection that is built; it gets the picks.
Memory is that of the service and its engine's process, without files of the index that both map, taken each few
seconds; "before" is the median of the second tenth of the time, "after" that of the last one.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import httpx
import numpy as np

from benchmarks import machine, report
from benchmarks.measure import Row, compare
from benchmarks.service import Service, service
from persrv.errors import ServiceError
from persrv.recipe import Recipe
from persrv.workspace import Workspace

CALLERS, PEOPLE, WORDS, LOOK_SECONDS = 8, 500, 2_000, 3.0


@dataclass
class Seen:
    """What the callers saw."""

    searches: int = 0
    failures: list[str] = field(default_factory=list)
    picks: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    memory: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def picked(self) -> int:
        """Picks that were acknowledged."""
        return sum(map(len, self.picks.values()))


def soak(recipe: Path, home: Path, minutes: float) -> tuple[list[Row], Seen]:
    """Run the callers, kill the service, start it anew, and look for the picks.

    Raises:
        ServiceError: A call failed, or a pick is lost.
    """
    words = _words(recipe, home)
    with service(recipe, home, "--rate", "0") as running:
        seen = _run(running, words, minutes * 60)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
    with service(recipe, home, "--rate", "0") as running:
        lost = _lost(running, seen)
    if seen.failures or lost:
        raise ServiceError(f"{len(seen.failures)} calls failed, {lost} picks are lost: {seen.failures[:3]}", "see why")
    tenth = max(len(seen.memory) // 10, 1)
    before, after = (float(np.median(part)) for part in (seen.memory[tenth : 2 * tenth], seen.memory[-tenth:]))
    note = (
        f"{seen.searches:,} searches and {seen.picked:,} picks in {minutes:g} minutes, none failed; after a SIGKILL "
        f"all picks were there; median search {np.median(seen.seconds) * 1e3:.0f} ms, 99 in 100 below "
        f"{np.percentile(seen.seconds, 99) * 1e3:.0f} ms, by {CALLERS} callers at once"
    )
    return [compare("memory after", [after], "memory before", [before], "MB", note)], seen


def _words(recipe: Path, home: Path) -> list[str]:
    with Workspace.of(Recipe.read(recipe), home).existing_catalog() as catalog:
        labels = catalog.labels()
        return [phrase for phrase, _ in zip(labels, range(WORDS), strict=False)]


def _run(running: Service, words: list[str], seconds: float) -> Seen:
    seen, over = Seen(), Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            seen.memory.append(running.resident())

    watching = Thread(target=watch)
    watching.start()
    end = perf_counter() + seconds
    try:
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(lambda number: _call(running, words, number, end, seen), range(CALLERS)))
    finally:
        over.set()
        watching.join()
    return seen


def _call(running: Service, words: list[str], number: int, end: float, seen: Seen) -> None:
    draw, step = random.Random(number), 0
    with httpx.Client(base_url=running.address, timeout=60) as client:
        while perf_counter() < end:
            step += 1
            user, query = f"person {draw.randrange(PEOPLE)}", draw.choice(words)
            began = perf_counter()
            found = client.get("/v1/search", params={"q": query, "user": user})
            seen.seconds.append(perf_counter() - began)
            seen.searches += 1
            if found.status_code != 200:
                seen.failures.append(found.text[:200])
                continue
            hits = found.json()["hits"]
            if step % 3 or not hits:
                continue
            pick = f"{number} {step}"
            body = {"user": user, "query": query, "sticker_id": draw.choice(hits)["sticker_id"], "pick_id": pick}
            made = client.post("/v1/share", json=body)
            if made.status_code == 201:
                seen.picks[user].add(pick)
            else:
                seen.failures.append(made.text[:200])


def _lost(running: Service, seen: Seen) -> int:
    with httpx.Client(base_url=running.address, timeout=60) as client:
        lost = 0
        for user, picks in seen.picks.items():
            kept = client.get(f"/v1/users/{user}/export").json()["picks"]
            lost += len(picks - {pick["pick_id"] for pick in kept})
    return lost


def main() -> None:
    """Run it, and write the results' page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    described = machine.describe()
    with Workspace.of(Recipe.read(chosen.recipe), chosen.home).existing_catalog() as catalog:
        described |= {"collection": f"{catalog.count():,} stickers"}
    rows, _ = soak(chosen.recipe, chosen.home, chosen.minutes)
    command = f"python -m benchmarks.soak {chosen.recipe.name} HOME --minutes {chosen.minutes:g}"
    print(report.table(rows))
    print(report.write(chosen.results, "soak", report.markdown("soak", __doc__ or "", rows, described, command)))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
