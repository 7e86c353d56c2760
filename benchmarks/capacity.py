"""What a sticker, a pick and a user's style take on disk, in bytes; docs/how-to/cluster.md reckons with it.

``--size`` is the number of stickers, of 8 to 30 words each; there are as many picks, of 200 people. The index is the
embedded one after its build, which is the server's own engine; its log of writes, which does not grow for ever, is left
out. The catalog is SQLite. The rival is what the same takes as bare numbers and texts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.indexed import BATCH, points
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from benchmarks.synthetic import Stickers, stickers
from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.catalog.placements import Entry
from persrv.index.embedded import EmbeddedStore
from persrv.index.language import Point
from persrv.index.manifest import Manifest, new_build
from persrv.index.profile_points import StyleExample, points_of
from persrv.index.schema import IMAGE, Schema, sticker_schema, user_schema
from persrv.ranking.profile import StyleProfile, unit
from persrv.recipe import Text
from persrv.records import Interaction, Semantics, SourceSticker

STICKERS = 20_000

_PEOPLE, _STYLES = 200, 3
_FLOAT = 4
_DIMENSIONS = (174, 512)


def run(options: Options) -> list[Row]:
    """Write each kind of thing once."""
    size = options.size or STICKERS
    made = stickers(size, seed=11)
    words = [" ".join(tokens) for tokens in made.tokens]
    rows = []
    for dimension in _DIMENSIONS:
        taken = _index(sticker_schema(dimension), _wide(made, dimension)) / size
        bare = _FLOAT * dimension + float(np.mean([len(text.encode()) for text in words]))
        rows.append(_row(f"index: a sticker with {dimension} numbers", taken, "its numbers and words", bare))
    with tempfile.TemporaryDirectory() as folder:
        stored, picked = _catalog(Path(folder) / "catalog.db", made, words)
    rows.append(_row("catalog: a sticker", stored, "its words", float(np.mean([len(text.encode()) for text in words]))))
    query = float(np.mean([len(tokens[0]) for tokens in made.tokens]))
    rows.append(_row("catalog: a pick", picked, "user, query, sticker and time", 8 + query + 16 + 8))
    people = max(1, size // _STYLES)
    taken = _index(user_schema(_DIMENSIONS[-1]), _tastes(people)) / (people * _STYLES)
    rows.append(_row("index: a style of a user, 512 numbers", taken, "its numbers", float(_FLOAT * _DIMENSIONS[-1])))
    return rows


def _row(name: str, taken: float, rival: str, bare: float) -> Row:
    return compare(name, [taken], rival, [bare], "bytes")


def _wide(made: Stickers, dimension: int) -> list[Point]:
    """Return the points of stickers with other vectors, of so many numbers."""
    rng = np.random.default_rng(dimension)
    vectors = unit(rng.standard_normal((len(made.ids), dimension))).astype(np.float32)
    return [
        Point(point.id, {**point.vectors, IMAGE: vector.tolist()}, point.payload)
        for point, vector in zip(points(made, Text()), vectors, strict=True)
    ]


def _tastes(people: int) -> list[Point]:
    rng = np.random.default_rng(5)
    example = [StyleExample("0" * 32, "happy cat", "", 0.9)] * _STYLES
    found = []
    for user in range(people):
        profile = StyleProfile(rng.standard_normal((_STYLES, _DIMENSIONS[-1])), np.ones(_STYLES), 20_000.0)
        found += points_of(f"user {user}", profile, example)
    return found


def _index(schema: Schema, content: Sequence[Point]) -> int:
    """Return the bytes on disk of a published version with these points."""
    manifest = Manifest(
        build=new_build(),
        recipe="benchmark",
        tokenizer="",
        text="",
        encoder="",
        dimension=schema.dimension,
        stickers=len(content),
        created="",
        persrv="",
    )
    with tempfile.TemporaryDirectory() as folder:
        with EmbeddedStore(Path(folder)) as store:
            build = store.create("benchmark", schema, manifest)
            for batch in chunks(content, BATCH):
                build.upsert(batch)
            store.publish("benchmark", build).close()
        # Some files are made at their full length ahead of their content: what is really on the disk counts.
        files = [file for file in Path(folder).rglob("*") if file.is_file() and file.parent.name != "wal"]
        return sum(512 * file.stat().st_blocks for file in files)


def _catalog(file: Path, made: Stickers, words: list[str]) -> tuple[float, float]:
    """Return the bytes that a sticker and that a pick add to a catalog."""
    size = len(made.ids)
    with Catalog.open(file) as catalog:
        empty = _written(file)
        for batch in chunks(range(size)):
            catalog.put([_entry(made.ids[row], words[row]) for row in batch])
        stickers_only = _written(file)
        catalog.put_interactions(_picks(made))
        return (stickers_only - empty) / size, max(1.0, _written(file) - stickers_only) / size


def _written(file: Path) -> int:
    """Return the size of the database, with what its log still holds."""
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*") if not part.name.endswith("-shm"))


def _entry(sticker_id: str, text: str) -> Entry:
    name, *tags = text.split(" ")
    source = SourceSticker(sticker_id, None, "pack", Semantics(name=(name,), tags=tuple(tags)))
    return Entry(sticker_id, "benchmark", source, "webp", 512, 512, 1, 20_000, 1)


def _picks(made: Stickers) -> list[Interaction]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Interaction(f"user {row % _PEOPLE}", tokens[0], sticker_id, start + timedelta(seconds=row))
        for row, (sticker_id, tokens) in enumerate(zip(made.ids, made.tokens, strict=True))
    ]
