"""Tries to lose what a collection holds.

python tests/survival --kills 1000 --seed 7 kills the collection's user; python tests/survival damage --seed 1 damages
its files one by one; python tests/survival fuzz --inputs 10000 --seed 1 gives hostile input to all that reads it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / part) for part in (".", "index", "survival"))]

from damage import Damager, cases, drawn  # noqa: E402
from fuzz import SHARES, TARGETS, Report, fuzz  # noqa: E402
from harness import survive  # noqa: E402
from small_columns import write_columns_often  # noqa: E402

from fake_qdrant import FakeQdrant  # noqa: E402
from persrv.offline import build_collection  # noqa: E402
from tiny_collection import write_collection  # noqa: E402


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def kill(given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="persrv-survival-") as folder:
        recipe = write_collection(Path(folder))
        home = Path(folder) / "home"
        build_collection(recipe, home=home)
        began = time.monotonic()
        with FakeQdrant() as server:
            options = {"first": given.first, "keep_going": given.keep_going}
            trials = survive(recipe, home, given.kills, given.seed, given.longest, server.url, **options)
            failures = 0
            for number, oracle in enumerate(trials, start=1):
                for failure in oracle.failures[failures:]:
                    say(f"FAILURE {failure}")
                failures = len(oracle.failures)
                if number % 10 == 0 or number == given.kills:
                    seconds = time.monotonic() - began
                    counts = (oracle.acts, oracle.open_acts, oracle.faults, oracle.refusals, oracle.columns)
                    shown = ["; ".join(f"{act} {n}" for act, n in sorted(each.items())) for each in counts]
                    say(f"{number} kills of seed {given.seed} in {seconds:.0f} s, {failures} failures")
                    say(f"  done: {shown[0]}\n  open: {shown[1]}\n  faults: {shown[2]}")
                    say(f"  refused: {shown[3]}\n  columns: {shown[4]}")


def damage(given: argparse.Namespace) -> None:
    write_columns_often()
    with tempfile.TemporaryDirectory(prefix="persrv-damage-") as name:
        folder = Path(name)
        (folder / "one").mkdir()
        (folder / "other").mkdir()
        recipe, other = write_collection(folder / "one"), write_collection(folder / "other")
        for picture in sorted((folder / "other" / "stickers" / "line").iterdir())[::2]:
            picture.unlink()
        home, elsewhere = folder / "one" / "home", folder / "other" / "home"
        build_collection(recipe, home=home)
        build_collection(recipe, home=home, rebuild=True)
        build_collection(other, home=elsewhere)
        damager = Damager(recipe, home, elsewhere, folder / "scratch")
        every = [case for case in cases(home, damager.name) if given.match in str(case)]
        say(f"{len(every)} damages of {len({case.file for case in every})} kinds of files")
        tried = faults = 0
        for number, together in drawn(every, given.cases, given.seed, given.together):
            if number < given.first:
                continue
            outcome = damager.try_case(*together, seed=given.seed)
            if outcome is None:
                continue
            tried, faults = tried + 1, faults + bool(outcome.faults)
            verdict = f"FAULT {'; '.join(outcome.faults)}" if outcome.faults else "well"
            names = " + ".join(map(str, together))
            say(f"{number} {names}: {verdict} | {outcome.said[:200]} | {outcome.found[:200]} | {outcome.mended}")
        say(f"{tried} damages tried, {faults} with faults")
        sys.exit(bool(faults))


def fuzzed(given: argparse.Namespace) -> None:
    report = Report()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="persrv-fuzz-") as folder:
        Path(folder).chmod(0o777)
        for name in given.only or TARGETS:
            fuzz(name, given.inputs * SHARES.get(name, 10) // 100, given.seed, Path(folder), report)
            kinds, slowest = report.kinds[name], report.slowest.get(name, 0.0)
            say(f"{name}: {report.inputs[name]} inputs, {kinds} kinds of answers, slowest {slowest:.2f} s")
    for fault in report.faults[:50]:
        say(f"FAULT {fault[:400]}")
    seconds = time.monotonic() - began
    say(f"{report.inputs.total()} inputs of seed {given.seed} in {seconds:.0f} s, {len(report.faults)} faults")
    sys.exit(bool(report.faults))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.set_defaults(run=kill)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=4.0, help="seconds that a program works at most")
    parser.add_argument("--first", type=int, default=0, help="number of the first kill, to go on with")
    parser.add_argument("--keep-going", action="store_true", help="print failures, and go on with the rest")
    acts = parser.add_subparsers()
    damaging = acts.add_parser("damage")
    damaging.set_defaults(run=damage)
    damaging.add_argument("--seed", type=int, default=0)
    damaging.add_argument("--cases", type=int, default=10_000, help="most damages")
    damaging.add_argument("--together", type=int, default=1, help="files that are damaged at once")
    damaging.add_argument("--first", type=int, default=0, help="number of the first, to go on with")
    damaging.add_argument("--match", default="", help="only those whose name has this in it")
    fuzzing = acts.add_parser("fuzz")
    fuzzing.set_defaults(run=fuzzed)
    fuzzing.add_argument("--inputs", type=int, default=10_000)
    fuzzing.add_argument("--seed", type=int, default=0)
    fuzzing.add_argument("--only", action="append", choices=sorted(TARGETS))
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
