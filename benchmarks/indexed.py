"""Made-up stickers in persrv's embedded index."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from benchmarks.synthetic import Stickers
from persrv.catalog.batches import chunks
from persrv.images.statistics import DIMENSION
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.language import Point
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import IMAGE, TEXT, TRENDING, point_id, sticker_schema
from persrv.ranking.stored import stored_text, trending
from persrv.recipe import Ranking, Text
from persrv.text import TOKENIZER, document_vector

BATCH = 256
BETA = Ranking().beta
SCHEMA = sticker_schema(DIMENSION)

_NAME = "benchmark"


def points(stickers: Stickers, text: Text) -> Iterator[Point]:
    """Yield each sticker's point; all its tokens stand in the one field ``tags``, as bm25s knows one field only."""
    average = {"tags": sum(map(len, stickers.tokens)) / len(stickers.tokens)}
    for row, (sticker_id, tokens) in enumerate(zip(stickers.ids, stickers.tokens, strict=True)):
        words = document_vector({"tags": tokens}, text, average)
        yield Point(
            point_id(sticker_id),
            {
                TEXT: stored_text(words, float(stickers.utility[row]), BETA, sticker_id),
                IMAGE: stickers.images[row].tolist(),
            },
            {
                "sticker_id": sticker_id,
                "title": tokens[0],
                "semantics": " · ".join(tokens),
                "tags": tokens,
                "style": "made up",
                "utility": float(stickers.utility[row]),
                TRENDING: trending(float(stickers.utility[row]), sticker_id),
            },
        )


def manifest_of(size: int) -> Manifest:
    """Return the manifest of ``size`` made-up stickers."""
    return Manifest(
        build=new_build(),
        recipe=_NAME,
        tokenizer=TOKENIZER,
        text="",
        encoder="",
        dimension=DIMENSION,
        beta=BETA,
        stickers=size,
        created="",
        persrv=version("persrv"),
    )


@contextmanager
def published(content: Iterable[Point], size: int) -> Iterator[Collection]:
    """Publish ``size`` points in a store in a temporary folder, which goes away at the end."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder)) as store:
        build = store.create(_NAME, SCHEMA, manifest_of(size))
        for batch in chunks(content, BATCH):
            build.upsert(batch)
        yield store.publish(_NAME, build)
