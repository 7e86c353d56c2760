"""The command line of ``scripts/make_emoji_set.py``."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .build import FEWEST_STYLES, OccupiedError, Report, build
from .packages import PackageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a set and say what came of it.

    Args:
        arguments: The command line, by default the process's own.

    Returns:
        The exit code: 0, 1 when a meaning of the small set has too few styles, 2 when the set could not be made.
    """
    parser = argparse.ArgumentParser(prog="make_emoji_set.py", description="Make a folder of emoji stickers.")
    parser.add_argument("set", choices=["small", "large"], help="everyday meanings in eight styles, or everything")
    parser.add_argument("out", type=Path, help="the folder to make; an older set in it is replaced")
    parser.add_argument("--cache", type=Path, default=Path("build/npm"), help="keeps the npm packages (%(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many draw (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        report = build(given.out, given.cache, small=given.set == "small", processes=given.processes)
    except (OccupiedError, PackageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _tell(report)
    return int(given.set == "small" and bool(report.rare))


def _tell(report: Report) -> None:
    for style, number in report.pictures.items():
        print(f"{number:6} pictures  {style}  ({report.unmatched[style]} drawings of other things)")
    print(f"{sum(report.pictures.values()):6} pictures of {report.meanings} meanings, {report.size / 1e6:.2f} MB")
    for reason, number in sorted(Counter(report.skipped.values()).items()):
        which = [name for name, why in report.skipped.items() if why == reason]
        print(f"skipped {number}: {reason}: {', '.join(which[:8])}{' ...' if number > 8 else ''}", file=sys.stderr)
    if report.rare:
        few = " ".join(f"{emoji} {number}" for emoji, number in list(report.rare.items())[:20])
        print(f"{len(report.rare)} meanings have fewer than {FEWEST_STYLES} styles: {few}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
