"""What each extra adds to an installation.

The packages that an extra needs, and all that these need, as they are installed where the benchmark runs, without what
the base install has already; sizes are those of the files in each package's record. An extra of which a package is not
installed here is left out. Models that are downloaded later are not counted.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.measure import Row, compare
from benchmarks.options import Options

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def run(options: Options) -> list[Row]:
    """Compare every extra with the base install."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    base = needed(project["dependencies"])
    size = _megabytes(base)
    rows = []
    for extra, requirements in sorted(project["optional-dependencies"].items()):
        try:
            more = needed(requirements) - base
        except PackageNotFoundError:
            continue
        if more:
            largest = ", ".join(sorted(more, key=lambda name: -_megabytes_of(name))[:3])
            count = f"{len(more)} packages; largest: {largest}"
            rows.append(compare(extra, [_megabytes(more)], f"base install, {len(base)} packages", [size], "MB", count))
    return rows


def needed(requirements: Iterable[str]) -> frozenset[str]:
    """Return the names of the packages that some requirements need, and of all that these need.

    Raises:
        PackageNotFoundError: One of them is not installed.
    """
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            chosen = canonicalize_name(wanted.name), extra
            if chosen in found:
                continue
            found.add(chosen)
            further = [Requirement(text) for text in distribution(wanted.name).requires or []]
            waiting += [each for each in further if each.marker is None or each.marker.evaluate({"extra": extra})]
    return frozenset(name for name, _ in found)


def _megabytes(names: Iterable[str]) -> float:
    return sum(map(_megabytes_of, sorted(names)))


@cache
def _megabytes_of(name: str) -> float:
    files = [Path(str(file.locate())) for file in distribution(name).files or []]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6
