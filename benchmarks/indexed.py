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
from persrv.index.schema import IMAGE, TEXT, point_id, sticker_schema
from persrv.recipe import Text
from persrv.text import TOKENIZER, document_vector

BATCH = 256
SCHEMA = sticker_schema(DIMENSION)

_NAME = "benchmark"


def points(stickers: Stickers, text: Text) -> Iterator[Point]:
    """Yield each sticker's point; all its tokens stand in the one field ``tags``, as bm25s knows one field only."""
    average = {"tags": sum(map(len, stickers.tokens)) / len(stickers.tokens)}
    for row, (sticker_id, tokens) in enumerate(zip(stickers.ids, stickers.tokens, strict=True)):
        words = document_vector({"tags": tokens}, text, average)
        yield Point(
            point_id(sticker_id),
            {TEXT: words, IMAGE: stickers.images[row].tolist()},
            {
                "sticker_id": sticker_id,
                "title": tokens[0],
                "semantics": " · ".join(tokens),
                "tags": tokens,
                "style": "made up",
                "utility": float(stickers.utility[row]),
            },
        )


@contextmanager
def published(content: Iterable[Point], size: int) -> Iterator[Collection]:
    """Publish ``size`` points in a store in a temporary folder, which goes away at the end."""
    manifest = Manifest(
        build=new_build(),
        recipe=_NAME,
        tokenizer=TOKENIZER,
        text="",
        encoder="",
        dimension=DIMENSION,
        stickers=size,
        created="",
        persrv=version("persrv"),
    )
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder)) as store:
        build = store.create(_NAME, SCHEMA, manifest)
        for batch in chunks(content, BATCH):
            build.upsert(batch)
        yield store.publish(_NAME, build)
