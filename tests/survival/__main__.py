"""Kills a collection's user many times: python tests/survival --kills 1000 --seed 7."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).resolve().parent)]

from harness import survive  # noqa: E402

from persrv.offline import build_collection  # noqa: E402
from tiny_collection import write_collection  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="persrv-survival-") as folder:
        recipe = write_collection(Path(folder))
        home = Path(folder) / "home"
        build_collection(recipe, home=home)
        began = time.monotonic()
        for number, oracle in enumerate(survive(recipe, home, given.kills, given.seed), start=1):
            if number % 10 == 0 or number == given.kills:
                acts = ", ".join(f"{count} {act}" for act, count in sorted(oracle.acts.items()))
                killed = ", ".join(f"{count} in {act}" for act, count in sorted(oracle.open_acts.items()))
                seconds = time.monotonic() - began
                sys.stdout.write(f"{number} kills in {seconds:.0f} s; acknowledged: {acts}; killed: {killed}\n")
                sys.stdout.flush()


main()
