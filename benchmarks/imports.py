"""Starting: whole processes, from the start of the interpreter to its end.

``--turns`` is the number of processes of each kind, ``--size`` how many emoji the search goes through, ``--before``
another checkout of persrv, which is measured beside this one. The last rows say which packages the imports of a
``Retriever`` go to, by ``python -X importtime``: each package's own modules, as a share of all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.emoji_part import emoji_part, written
from benchmarks.measure import Row, compare, seconds, take_turns
from benchmarks.options import Options

TURNS, SHOWN, SIZE = 15, 8, 300

PERSRV = "import persrv"
RETRIEVER = "from persrv import Retriever"
CLIENT = "from qdrant_client import QdrantClient"
COMMAND = "import sys; from persrv.cli import main; sys.argv = ['persrv', *sys.argv[1:]]; sys.exit(main())"
"""The command line, for a checkout of any age."""
BUILD = "import sys; from persrv import build_collection; build_collection(sys.argv[1])"
HELLO = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"
"""The least that a program with typer can do."""


def run(options: Options) -> list[Row]:
    """Start processes in turns."""
    turns = options.repetitions or TURNS
    kinds = (
        _python("pass"),
        _python(PERSRV),
        _python(RETRIEVER),
        _python(CLIENT),
        _python(HELLO),
        _python(COMMAND, "--help"),
    )
    _warm(kinds, turns)
    bare, package, retriever, client, hello, helped = (
        1e3 * np.array(times) for times in take_turns(turns, *(lambda start=start: seconds(start) for start in kinds))
    )
    extra = f"{float(np.median(package - bare)):.0f} ms more than the bare interpreter; the aim is less than 150"
    return [
        compare(PERSRV, package, "python -c pass", bare, "ms", extra),
        compare(RETRIEVER, retriever, CLIENT, client, "ms"),
        compare("persrv --help", helped, "--help of an empty typer program", hello, "ms"),
        *_searching(options, turns),
        *_packages(min(turns, 3)),
    ]


def _searching(options: Options, turns: int) -> list[Row]:
    """Return a whole ``persrv search cat``, and beside another checkout that and its import."""
    trees = [Path(__file__).resolve().parent.parent, *([options.before] if options.before else [])]
    with emoji_part(options.pictures_from, options.size or SIZE) as part, ExitStack() as homes:
        file = written(part.recipe, part.folder / f"{part.recipe.name}.toml")
        searches, imports = [], []
        for tree in trees:
            home = homes.enter_context(TemporaryDirectory())
            place = {"PYTHONPATH": str(tree), "PERSRV_HOME": home}
            _start("-c", BUILD, str(file), place=place)
            searches.append(partial(_start, "-c", COMMAND, "search", "cat", "-r", str(file), place=place))
            imports.append(partial(_start, "-c", RETRIEVER, place=place))
        starts: Sequence[Callable[[], object]] = (_python("import numpy"), *searches, *imports)
        _warm(starts, turns)
        bare, *taken = (1e3 * np.array(each) for each in take_turns(turns, *(partial(seconds, s) for s in starts)))
    rows = [compare("persrv search cat", taken[0], "import numpy", bare, "ms")]
    if options.before:
        rows.append(compare("persrv search cat", taken[0], options.before.name, taken[1], "ms"))
        rows.append(compare(RETRIEVER, taken[2], options.before.name, taken[3], "ms"))
    return rows


def _warm(starts: Sequence[Callable[[], object]], turns: int) -> None:
    """Start each once before the clock runs, so that files are in memory; one turn is a trial and needs it not."""
    if turns > 1:
        for start in starts:
            start()


def _python(statement: str, *arguments: str) -> Callable[[], object]:
    return partial(_start, "-c", statement, *arguments)


def _start(*arguments: str, place: dict[str, str] | None = None) -> str:
    command, environment = [sys.executable, *arguments], os.environ | (place or {})
    # A statement finds packages in the folder that it runs in before all others.
    folder = environment.get("PYTHONPATH", "").partition(os.pathsep)[0] or None
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=folder)
    return done.stderr


def _packages(turns: int) -> list[Row]:
    """Return the packages whose own modules take longest, in milliseconds."""
    (found,) = take_turns(turns, lambda: _own_microseconds(_start("-X", "importtime", "-c", RETRIEVER)))
    everything = [times.total() / 1e3 for times in found]
    together: Counter[str] = Counter()
    for times in found:
        together.update(times)
    return [
        compare(f"of that: {package}", [times[package] / 1e3 for times in found], "all imports", everything, "ms")
        for package, _ in together.most_common(SHOWN)
    ]


def _own_microseconds(listing: str) -> Counter[str]:
    """Return each top-level package's own time from lines such as ``import time:  12 |  34 | package.module``."""
    times: Counter[str] = Counter()
    for line in listing.splitlines():
        if line.startswith("import time:") and not line.endswith("imported package"):
            own, _, module = line.removeprefix("import time:").split("|")
            times[module.strip().partition(".")[0]] += int(own)
    return times
