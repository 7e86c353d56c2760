"""What learning from picks costs: bytes a sticker and a pick, and a search as a person's history grows.

Made-up stickers without pictures, ten picks for each by a power law, at a tenth of ``--size``, and at ``--size``. The
rival of a person's search is the same search for nobody: own earlier picks may cost no more than one request more,
whatever the history.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.measure import Row, compare, latencies
from benchmarks.options import Options
from benchmarks.synthetic import documents
from persrv.index.schema import PICKED, TEXT
from persrv.offline import build_collection
from persrv.online.retriever import Retriever
from persrv.records import Interaction
from persrv.workspace import Workspace

SIZE, TURNS, QUERIES, PICKS_EACH, PEOPLE = 20_000, 3, 40, 10, 2_000
HISTORIES = (0, 10, 100, 1_000)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_BYTES_A_VALUE = 8
"""Of a sparse vector: its index and its value, four bytes each."""


def run(options: Options) -> list[Row]:
    """Build at both sizes, and search."""
    size, turns = options.size or SIZE, options.repetitions or TURNS
    return [row for stickers in (max(12, size // 10), size) for row in _at(stickers, turns)]


def _at(size: int, turns: int) -> Iterator[Row]:
    texts = [[word for phrases in document.values() for word in phrases] for document in documents(size)]
    with _built(texts) as recipe:
        with Retriever.open(recipe.file, home=recipe.home) as retriever:
            queries = [texts[(n * 37) % size][0] for n in range(QUERIES)]
            for history in HISTORIES:
                asking = _searching(retriever, f"history {history}"), _searching(retriever, None)
                mine, nobodys = (np.median(one, axis=1) * 1000 for one in latencies(turns, queries, *asking))
                yield compare(f"search, {history:,} own picks, {size:,} stickers", mine, "for nobody", nobodys, "ms")
        yield from _bytes(recipe, size)


def _searching(retriever: Retriever, user: str | None) -> Callable[[str], object]:
    return lambda query: retriever.search(query, user)


def _bytes(recipe: _Recipe, size: int) -> Iterator[Row]:
    workspace = Workspace.of(recipe.file, recipe.home)
    with workspace.store().open(workspace.recipe.name) as collection:
        values = {PICKED: 0, TEXT: 0}
        for record in collection.scroll(with_vectors=(PICKED, TEXT)):
            for name in values:
                vector = record.sparse(name)
                values[name] += len(vector.indices) if vector is not None else 0
    ours, theirs = (values[name] * _BYTES_A_VALUE / size for name in (PICKED, TEXT))
    yield compare(f"vector picked, {size:,} stickers", [ours], "vector text", [theirs], "B/sticker")
    kept = (workspace.folder / "catalog.db").stat().st_size
    note = "the whole catalog, stickers and texts included, by its picks"
    plain = recipe.log.stat().st_size / recipe.picks
    yield compare(f"catalog, {size:,} stickers", [kept / recipe.picks], "the log as CSV", [plain], "B/pick", note)


class _Recipe:
    def __init__(self, folder: Path, texts: list[list[str]]) -> None:
        self.file, self.home, self.log = folder / "picks.toml", folder / "home", folder / "picks.csv"
        random = np.random.default_rng(0)
        with (folder / "stickers.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["key", "name"])
            table.writerows([number, " ".join(words)] for number, words in enumerate(texts))
        self.picks = len(texts) * PICKS_EACH
        by_law = np.minimum(random.zipf(1.3, self.picks) - 1, len(texts) - 1)
        users = random.integers(0, PEOPLE, self.picks)
        with self.log.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["user", "query", "key", "time"])
            for number, (row, user) in enumerate(zip(by_law.tolist(), users.tolist(), strict=True)):
                typed = texts[row][number % len(texts[row])]
                table.writerow([f"u{user}", typed, row, (_START + timedelta(seconds=number)).isoformat()])
        self.file.write_text(
            'name = "picks"\n[stickers]\nloader = "table"\npath = "stickers.csv"\n'
            '[[interactions]]\nloader = "table"\npath = "picks.csv"\n'
            # Made-up words mean nothing; what meaning costs, other benchmarks say.
            '[meaning]\nencoder = ""\n',
            encoding="utf-8",
        )


@contextmanager
def _built(texts: list[list[str]]) -> Iterator[_Recipe]:
    with tempfile.TemporaryDirectory() as folder:
        recipe = _Recipe(Path(folder), texts)
        build_collection(recipe.file, home=recipe.home)
        with Workspace.of(recipe.file, recipe.home).catalog() as catalog:
            ids = sorted(sticker.id for sticker in catalog.stickers())
            catalog.put_interactions(
                Interaction(f"history {history}", texts[n % len(texts)][0], ids[n % len(ids)], _START)
                for history in HISTORIES
                for n in range(history)
            )
        build_collection(recipe.file, home=recipe.home)
        yield recipe
