"""Two engines that hold multivectors, asked with the online request."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from local_mode import memory_store
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Store
from persrv.index.language import Point, Request, ScoredPoint
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import TEXT, sticker_schema

Answers = Callable[[Request], list[ScoredPoint]]


def identity(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def number_of(point: ScoredPoint) -> int:
    return uuid.UUID(point.id).int - 1


@contextmanager
def in_memory(points: Sequence[Point], sizes: tuple[int, int]) -> Iterator[Answers]:
    """Local mode of qdrant-client."""
    with memory_store() as store:
        yield _filled(store, points, sizes)


@contextmanager
def on_edge(points: Sequence[Point], sizes: tuple[int, int], folder: Path) -> Iterator[Answers]:
    """Qdrant Edge, the server's own engine."""
    with EmbeddedStore(folder) as store:
        yield _filled(store, points, sizes)


def _filled(store: Store, points: Sequence[Point], sizes: tuple[int, int]) -> Answers:
    manifest = Manifest(
        build=new_build(),
        recipe="meaning",
        tokenizer="",
        text="",
        encoder="",
        dimension=sizes[0],
        stickers=len(points),
        created="",
        persrv="",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Payload indexes have no effect")
        build = store.create("meaning", sticker_schema(sizes[0], meaning=sizes[1]), manifest)
        build.upsert(points)
        return store.publish("meaning", build).query


def sparse_scores(points: Sequence[Point], tokens: Sequence[int]) -> NDArray[np.float64]:
    """Inner products with the points that have words."""
    bags = [dict(zip(*p.vectors[TEXT], strict=True)) if TEXT in p.vectors else {} for p in points]
    return np.array([sum(bag[t] for t in tokens if t in bag) for bag in bags])
