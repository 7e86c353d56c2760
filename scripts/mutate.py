"""Changes one thing of the source at a time and asks whether a test notices: a score for the tests of a room.

    python scripts/mutate.py ranking text --sample 60 --seed 1

Each mutant runs in a forked process that has imported everything but persrv, with the tests of its room alone. What no
test notices is printed: either a test is missing, or the change makes no difference.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.abc
import importlib.util
import io
import os
import random
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]

ROOMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ranking": (("persrv/ranking/*.py",), ("tests/ranking/**/test_*.py",)),
    "style": (("persrv/ranking/style_space/*.py", "persrv/ranking/profile.py"), ("tests/ranking/**/test_*.py",)),
    "utility": (("persrv/ranking/utility.py",), ("tests/ranking/test_utility.py",)),
    "text": (("persrv/text/*.py",), ("tests/text/test_*.py",)),
    "page": (("persrv/online/page.py",), ("tests/online/test_page.py", "tests/online/test_exact_pages.py")),
    "searching": (
        (
            "persrv/online/request.py",
            "persrv/online/recall.py",
            "persrv/online/candidate_source.py",
            "persrv/online/ranker.py",
        ),
        ("tests/online/test_request.py", "tests/online/test_ranker.py", "tests/online/test_exact_pages.py"),
    ),
    "splits": (("persrv/lab/evaluation/splits.py",), ("tests/lab/evaluation/test_evaluation_splits.py",)),
    "metrics": (("persrv/lab/evaluation/metrics.py",), ("tests/lab/evaluation/test_evaluation_metrics.py",)),
}
"""Name of a room to its files, and to the tests that must notice."""

_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.Pow: "*", ast.FloorDiv: "*", ast.Mod: "+",
    ast.BitAnd: "|", ast.BitOr: "&",
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "maximum": "minimum", "minimum": "maximum"}
_PROFILE = "mutate"
_BARE = ("--noconftest",)
_PATIENCE = 5.0
"""Seconds of the processor beyond three times those of the unchanged tests; a mutant that works longer was noticed."""

_LONGEST = 600
"""Seconds after which a mutant was noticed that waits for something."""


@dataclass(frozen=True)
class Mutant:
    """One change: ``source[start:end]`` of a file becomes ``text``."""

    file: Path
    start: int
    end: int
    text: str
    line: int

    def source(self) -> str:
        """Return the changed file."""
        before = self.file.read_text(encoding="utf-8")
        return before[: self.start] + self.text + before[self.end :]

    def __str__(self) -> str:
        before = self.file.read_text(encoding="utf-8")
        return f"{self.file.relative_to(ROOT)}:{self.line}: {before[self.start : self.end]!r} -> {self.text!r}"


def mutants(file: Path) -> Iterator[Mutant]:
    """Yield every change of a file, in the order of its lines; texts, types and checks of the program are left out."""
    source = file.read_text(encoding="utf-8")
    starts = [0]
    for row in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(row))

    def place(line: int, column: int) -> int:
        text = source[starts[line - 1] :]
        return starts[line - 1] + len(text.encode()[:column].decode())

    def span(node: ast.expr) -> tuple[int, int]:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return place(node.lineno, node.col_offset), place(end_line, end_column)

    tree = ast.parse(source)
    settings = {id(each.value) for each in tree.body if isinstance(each, ast.Assign)}
    tables = {id(inner) for each in tree.body if isinstance(each, ast.Assign) for inner in _table(each.value)}
    for node in _changeable(tree):
        if id(node) in tables:
            continue
        line = node.lineno
        start, end = span(node)
        match node:
            case ast.Compare(left, [operator], [right]) if type(operator) in _COMPARED:
                yield Mutant(file, span(left)[1], span(right)[0], f" {_COMPARED[type(operator)]} ", line)
            case ast.BinOp(left, operator, right) if type(operator) in _COMPUTED:
                between = source[span(left)[1] : span(right)[0]]
                if not set("()") & set(between):
                    yield Mutant(file, span(left)[1], span(right)[0], f" {_COMPUTED[type(operator)]} ", line)
            case ast.BoolOp(operator, [left, right]):
                between = source[span(left)[1] : span(right)[0]]
                if not set("()") & set(between):
                    other = " or " if isinstance(operator, ast.And) else " and "
                    yield Mutant(file, span(left)[1], span(right)[0], other, line)
            case ast.UnaryOp(ast.Not(), operand):
                yield Mutant(file, start, span(operand)[0], "", line)
            case ast.Constant(bool() as value):
                yield Mutant(file, start, end, str(not value), line)
            case ast.Constant(int() | float() as value):
                yield Mutant(file, start, end, "0" if id(node) in settings and value else str(value + 1), line)
            case ast.IfExp(test):
                yield Mutant(file, *span(test), f"not ({ast.unparse(test)})", line)
            case ast.Name(name) if name in _CALLED and isinstance(node.ctx, ast.Load):
                yield Mutant(file, start, end, _CALLED[name], line)
            case ast.Attribute(value, name) if name in _CALLED:
                yield Mutant(file, span(value)[1], end, f".{_CALLED[name]}", line)


def _table(value: ast.expr) -> Iterator[ast.AST]:
    """Yield what stands in a table of a module, which is data and no rule."""
    if isinstance(value, ast.Tuple | ast.List | ast.Set | ast.Dict):
        yield from ast.walk(value)


def _changeable(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Raise | ast.JoinedStr):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return  # zip checks the program itself, and gives the same either way
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return  # NumPy takes every negative size alike
    if isinstance(node, ast.expr):
        yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _changeable(child)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed source."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = ".".join(mutant.file.relative_to(ROOT).with_suffix("").parts)
        self._mutant = mutant

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find the module, if it is the one."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._mutant.file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        exec(compile(self._mutant.source(), str(self._mutant.file), "exec"), module.__dict__)


def noticed(mutant: Mutant | None, tests: list[str], seconds: float, options: tuple[str, ...] = ()) -> bool:
    """Return whether tests fail with a change, or without one, in a child process; no tests notice nothing."""
    if not tests:
        return False
    child = os.fork()
    if not child:
        signal.alarm(_LONGEST)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        import pytest

        if mutant is not None:
            sys.meta_path.insert(0, _Changed(mutant))
        # hypothesis is imported already, which pytest warns of.
        known = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        profile = f"--hypothesis-profile={_PROFILE}"
        with contextlib.redirect_stdout(io.StringIO()):
            code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--no-header", profile, *known, *options, *tests])
        os._exit(int(code != 0))
    _, status = os.waitpid(child, 0)
    return status != 0


def _seconds_of_children() -> float:
    """Return the processor time of all child processes so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _nearest(mutant: Mutant, tests: list[str]) -> list[str]:
    """Return the tests that are called as the changed file: they notice most of its changes, in a tenth of the time."""
    return [path for path in tests if mutant.file.stem.split("_")[0] in Path(path).stem]


def _without_shrinking() -> None:
    """Let Hypothesis stop at the first example that fails: nobody reads it."""
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(_PROFILE, derandomize=True, deadline=None, database=None, phases=phases)


def main() -> int:
    """Try a sample of the mutants of some rooms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="*", default=list(ROOMS))
    parser.add_argument("--sample", type=int, default=50, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first of the sample, to go on with")
    parser.add_argument("--match", default="", help="only those whose name has this in it, such as page.py:120")
    parser.add_argument("--list", action="store_true", help="print the sample, and try nothing")
    given = parser.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    for module in (
        "pytest",
        "hypothesis",
        "numpy",
        "scipy.stats",
        "sklearn.cluster",
        "sqlalchemy",
        "pydantic",
        "PIL.Image",
    ):
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    _without_shrinking()
    for room in given.rooms:
        files, tests = ROOMS[room]
        every = [each for pattern in files for file in sorted(ROOT.glob(pattern)) for each in mutants(file)]
        every = [each for each in every if given.match in str(each)]
        sample = random.Random(f"{given.seed}:{room}").sample(every, min(given.sample, len(every)))
        paths = [str(path) for pattern in tests for path in sorted(ROOT.glob(pattern))]
        if given.list:
            print(*sample, sep="\n")
            continue
        before = _seconds_of_children()
        # Most pure rooms need no collection, whose imports take longer than their tests.
        options = () if noticed(None, paths, _LONGEST, _BARE) else _BARE
        if not options and noticed(None, paths, _LONGEST):
            print(f"{room}: the tests fail without any change", flush=True)
            return 1
        patience = _PATIENCE + 3 * (_seconds_of_children() - before)
        killed = tried = 0
        for mutant in sample[given.first :]:
            nearest = _nearest(mutant, paths)
            rest = [path for path in paths if path not in nearest]
            found = noticed(mutant, nearest, patience, options) or noticed(mutant, rest, patience, options)
            tried, killed = tried + 1, killed + found
            if not found:
                print(f"  survives: {mutant}", flush=True)
            if tried % 10 == 0:
                print(f"  {given.first + tried}: {killed} of {tried} noticed", flush=True)
        print(f"{room}: {killed} of {tried} noticed, of {len(every)} mutants, seed {given.seed}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
