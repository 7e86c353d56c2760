"""Starting: whole processes, from the start of the interpreter to its end.

``--turns`` is the number of processes of each kind. The last rows say which packages the imports of a ``Retriever`` go
to, by ``python -X importtime``: each package's own modules, as a share of all.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import numpy as np

from benchmarks.measure import Row, compare, seconds, take_turns
from benchmarks.options import Options

TURNS, SHOWN = 15, 8

PERSRV = "import persrv"
RETRIEVER = "from persrv import Retriever"
CLIENT = "from qdrant_client import QdrantClient"
HELP = "import sys; from persrv.cli import main; sys.argv = ['persrv', '--help']; sys.exit(main())"
HELLO = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"
"""The least that a program with typer can do."""


def run(options: Options) -> list[Row]:
    """Start processes in turns."""
    turns = options.repetitions or TURNS
    kinds = (_python("pass"), _python(PERSRV), _python(RETRIEVER), _python(CLIENT), _python(HELLO), _python(HELP))
    for start in kinds:
        start()
    bare, package, retriever, client, hello, helped = (
        1e3 * np.array(times) for times in take_turns(turns, *(lambda start=start: seconds(start) for start in kinds))
    )
    extra = f"{float(np.median(package - bare)):.0f} ms more than the bare interpreter; the aim is less than 150"
    return [
        compare(PERSRV, package, "python -c pass", bare, "ms", extra),
        compare(RETRIEVER, retriever, CLIENT, client, "ms"),
        compare("persrv --help", helped, "--help of an empty typer program", hello, "ms"),
        *_packages(min(turns, 3)),
    ]


def _python(statement: str) -> Callable[[], object]:
    return lambda: _start("-c", statement)


def _start(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
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
