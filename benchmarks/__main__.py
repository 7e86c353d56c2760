"""``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

NAMES = (
    "capacity",
    "imports",
    "text",
    "search",
    "at_size",
    "columns",
    "exact_pages",
    "engine_process",
    "switching",
    "answers",
    "pictures",
    "picks",
    "profiles",
    "duplicates",
    "build",
    "changes",
    "drift",
    "extras",
    "libraries",
    "meaning",
    "pipeline",
    "push",
    "serving",
    "style_apart",
    "threads",
)

ONE_THREAD = {
    "HF_HUB_OFFLINE": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""One thread for each library, so that figures compare algorithms; read by the libraries when they are imported."""

RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure persrv beside named rivals.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)}; default all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all results as JSON")
    parser.add_argument(
        "--size", type=_count, metavar="N", help="documents, stickers or pictures; default by benchmark"
    )
    parser.add_argument(
        "--turns", type=_count, metavar="N", help="how often contenders take turns; default by benchmark"
    )
    parser.add_argument("--set", type=Path, metavar="FOLDER", help="an emoji set of scripts/make_emoji_set.py")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="large collections that are kept")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="another checkout, measured beside this one")
    parser.add_argument("--results", type=Path, metavar="FOLDER", default=RESULTS, help="default %(default)s")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - set(NAMES)):
        parser.error(f"there is no benchmark {unknown[0]!r}; use some of {', '.join(NAMES)}")
    os.environ.update(ONE_THREAD)
    _run([name for name in NAMES if name in chosen.names or not chosen.names], chosen)
    return 0


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count} is not at least 1")
    return count


def _run(names: Sequence[str], chosen: argparse.Namespace) -> None:
    # NumPy reads the number of threads once, so nothing that needs it is imported earlier.
    from benchmarks import machine, report
    from benchmarks.options import Options

    options = Options(chosen.size, chosen.turns, chosen.set, chosen.cache, chosen.before)
    results, last = {}, {}
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        benchmark = import_module(f"benchmarks.{name}")
        last = machine.describe()
        results[name] = benchmark.run(options)
        command, label = f"python -m benchmarks {name}", name
        for option, value in (("size", chosen.size), ("turns", chosen.turns), ("set", chosen.set)):
            if value is not None:
                short = Path(str(value)).name
                command += f" --{option} {short}"
                label += f"-{option}-{short}"
        page = report.markdown(name, benchmark.__doc__ or "", results[name], last, command)
        print(report.table(results[name]))
        print(report.write(chosen.results, label, page), file=sys.stderr)
    if chosen.json:
        chosen.json.write_text(report.as_json(results, last), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
