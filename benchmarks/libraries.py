"""Own code beside the library that could take its place; decision 0056 says what follows.

``--size`` groups, stickers or links. Both contenders get the same input, and the run stops where their answers differ.

* **bootstrap**, **sign flips**: ``scipy.stats.bootstrap`` (percentile), ``permutation_test`` (samples), 10,000 draws.
* **groups of linked pictures**: ``scipy.sparse.csgraph.connected_components``.
* **sums of looks by word**: the product of a ``scipy.sparse.csr_array`` with the looks.
* **a table for a terminal**: twenty hits laid out by ``rich.table.Table`` without borders.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import bootstrap, permutation_test

from benchmarks.measure import Row, compare, latencies
from benchmarks.options import Options
from persrv.errors import PersrvError
from persrv.images.duplicates.groups import named_groups
from persrv.lab.evaluation.intervals import RESAMPLES, bootstrap_mean, sign_flip
from persrv.present.columns import Column, lay_out
from persrv.ranking.style_space.predict import word_sums
from persrv.ranking.style_space.words import WordTable
from persrv.text.bm25f import SparseVector

SIZE, TURNS, SEED = 2_000, 5, 0
_DIMENSION, _WORDS, _WORDS_EACH = 174, 3_000, 12
_HITS, _CELLS = 20, 80


def run(options: Options) -> list[Row]:
    """Let each pair take turns."""
    size, turns = options.size or SIZE, options.repetitions or TURNS
    draw = np.random.default_rng(SEED)
    differences = draw.normal(0.02, 1.0, size)
    names = [f"{number:032x}" for number in range(size)]
    links = draw.integers(size, size=(size // 4, 2)).tolist()
    documents = [_document(draw) for _ in range(size)]
    table, looks = WordTable.of(documents), draw.normal(size=(size, _DIMENSION)).astype(np.float32)
    matrix = csr_array((table.weights, table.words, table.starts), shape=(size, table.size))
    columns = _columns()
    return [
        _row(
            f"bootstrap over {size:,} groups",
            turns,
            lambda: _ends(differences),
            "scipy.stats.bootstrap",
            lambda: _scipy_ends(differences),
            lambda mine, theirs: np.allclose(mine, theirs, atol=0.1 / size**0.5),
        ),
        _row(
            f"sign flips of {size:,} groups",
            turns,
            lambda: sign_flip(differences),
            "scipy.stats.permutation_test",
            lambda: _scipy_p(differences),
            lambda mine, theirs: abs(mine - theirs) < 0.03,
        ),
        _row(
            f"groups of {size:,} pictures",
            turns,
            lambda: named_groups(names, links),
            "scipy.sparse.csgraph",
            lambda: _scipy_groups(names, links),
            lambda mine, theirs: mine == theirs,
        ),
        _row(
            f"sums of {size:,} looks by word",
            turns,
            lambda: word_sums(looks, table)[0],
            "scipy.sparse.csr_array",
            lambda: matrix.T @ looks,
            lambda mine, theirs: np.allclose(mine, theirs, atol=1e-3),
        ),
        _row(
            f"a table of {_HITS} hits",
            turns,
            lambda: "\n".join(line.plain for line in lay_out(columns, _CELLS)),
            "rich.table.Table",
            lambda: _rich(columns),
            lambda mine, theirs: mine.split() == theirs.split(),
        ),
    ]


def _row(
    name: str,
    turns: int,
    ours: Callable[[], Any],
    rival: str,
    theirs: Callable[[], Any],
    agree: Callable[[Any, Any], bool],
) -> Row:
    if not agree(ours(), theirs()):
        raise PersrvError(f"{name}: persrv and {rival} disagree", "one of them is wrong")
    mine, other = latencies(turns, [None], lambda _: ours(), lambda _: theirs())
    return compare(name, 1e3 * mine[:, 0], rival, 1e3 * other[:, 0], "ms")


def _document(draw: np.random.Generator) -> SparseVector:
    words = sorted(set((draw.zipf(1.3, _WORDS_EACH) % _WORDS).tolist()))
    return SparseVector(words, draw.uniform(0.5, 2.0, len(words)).tolist())


def _ends(differences: np.ndarray[Any, Any]) -> tuple[float, float]:
    found = bootstrap_mean(differences)
    return found.low, found.high


def _scipy_ends(differences: np.ndarray[Any, Any]) -> tuple[float, float]:
    found = bootstrap(
        (differences,), np.mean, n_resamples=RESAMPLES, method="percentile", batch=500, rng=np.random.default_rng(SEED)
    )
    return tuple(found.confidence_interval)


def _scipy_p(differences: np.ndarray[Any, Any]) -> float:
    found = permutation_test(
        (differences,),
        lambda values, axis: np.sum(values, axis=axis),
        permutation_type="samples",
        n_resamples=RESAMPLES,
        batch=500,
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    return float(found.pvalue)


def _scipy_groups(names: list[str], links: list[list[int]]) -> dict[str, str]:
    pairs = np.array(links, np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=False)
    linked = np.unique(pairs)
    first: dict[int, str] = {}
    return {names[place]: first.setdefault(labels[place], names[place]) for place in linked.tolist()}


def _columns() -> list[Column]:
    return [
        Column("id", [f"{number:06x}" for number in range(_HITS)], "dim"),
        Column("score", [f"{20 - number / 7:.2f}" for number in range(_HITS)], align="right"),
        Column("title", [("joy", "cat", "开心", "party")[number % 4] for number in range(_HITS)]),
    ]


def _rich(columns: list[Column]) -> str:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.heading, justify=column.align, no_wrap=True, min_width=column.least_width)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    out = io.StringIO()
    Console(file=out, width=_CELLS).print(table)
    return out.getvalue()
