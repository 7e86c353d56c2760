"""Made-up stickers in persrv's embedded index."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic import Stickers
from persrv.catalog.batches import chunks
from persrv.images.statistics import DIMENSION
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.language import Point
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import IMAGE, STYLE_CLUSTER, TEXT, TRENDING, point_id, sticker_schema
from persrv.ranking import style_clusters
from persrv.ranking.stored import stored_text, trending
from persrv.ranking.style_clusters import cluster_of
from persrv.recipe import Ranking, Text
from persrv.text import TOKENIZER, document_vector

BATCH = 256
BETA = Ranking().beta
SCHEMA = sticker_schema(DIMENSION)

_NAME = "benchmark"


def clusters_of(stickers: Stickers) -> NDArray[np.float32]:
    """Return the regions of the space of style, none for a small collection, as a build would have them."""
    sample = stickers.images[: len(style_clusters.sampled(stickers.ids))]
    return style_clusters.fit_clusters(sample, seed=0)


def points(stickers: Stickers, text: Text) -> Iterator[Point]:
    """Yield each sticker's point; all its tokens stand in the one field ``tags``, as bm25s knows one field only."""
    clusters = clusters_of(stickers)
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
                STYLE_CLUSTER: cluster_of(stickers.images[row], clusters),
                "utility": float(stickers.utility[row]),
                TRENDING: trending(float(stickers.utility[row]), sticker_id),
            },
        )


def manifest_of(size: int, clusters: NDArray[np.float32] | None = None) -> Manifest:
    """Return the manifest of ``size`` made-up stickers with their regions of style."""
    return Manifest(
        build=new_build(),
        recipe=_NAME,
        tokenizer=TOKENIZER,
        text="",
        encoder="",
        dimension=DIMENSION,
        beta=BETA,
        style_clusters=[] if clusters is None else clusters.tolist(),
        stickers=size,
        created="",
        persrv=version("persrv"),
    )


@contextmanager
def published(content: Iterable[Point], size: int, clusters: NDArray[np.float32] | None = None) -> Iterator[Collection]:
    """Publish ``size`` points in a store in a temporary folder, which goes away at the end."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder)) as store:
        build = store.create(_NAME, SCHEMA, manifest_of(size, clusters))
        for batch in chunks(content, BATCH):
            build.upsert(batch)
        yield store.publish(_NAME, build)
