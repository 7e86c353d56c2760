"""Made-up stickers in persrv's embedded index."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic import Stickers
from persrv.catalog.batches import chunks
from persrv.images.statistics import DIMENSION
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.language import Point, StoredVector
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import IMAGE, REGIONAL, STYLE_CLUSTER, TEXT, TRENDING, Schema, point_id, sticker_schema
from persrv.ranking import style_clusters
from persrv.ranking.regional import frequent_words, regional_text
from persrv.ranking.stored import stored_text, trending
from persrv.ranking.style_clusters import cluster_of
from persrv.recipe import Ranking, Text
from persrv.text import TOKENIZER, document_vector

BATCH = 256
BETA = Ranking().beta

_NAME = "benchmark"


@dataclass(frozen=True, slots=True)
class Regions:
    """Regions of the space of style.

    Attributes:
        directions: Shape (k, d), k = 0 in a small collection.
        words: Dimensions of the words that have one for each region.
    """

    directions: NDArray[np.float32]
    words: frozenset[int]


NO_REGIONS = Regions(np.zeros((0, 1), np.float32), frozenset())


def regions_of(stickers: Stickers) -> Regions:
    """Return the regions that a build would have, none for a small collection."""
    sample = stickers.images[: len(style_clusters.sampled(stickers.ids))]
    if not len(sample):
        return NO_REGIONS
    frequencies = Counter(token for tokens in stickers.tokens for token in set(tokens))
    directions = style_clusters.fit_clusters(sample, seed=0)
    return Regions(directions, frozenset(frequent_words(frequencies)))


def points(stickers: Stickers, text: Text, regions: Regions = NO_REGIONS) -> Iterator[Point]:
    """Yield each sticker's point; all its tokens stand in the one field ``tags``, as bm25s knows one field only."""
    average = {"tags": sum(map(len, stickers.tokens)) / len(stickers.tokens)}
    for row, (sticker_id, tokens) in enumerate(zip(stickers.ids, stickers.tokens, strict=True)):
        words = document_vector({"tags": tokens}, text, average)
        stored = stored_text(words, float(stickers.utility[row]), BETA, sticker_id)
        region = cluster_of(stickers.images[row], regions.directions)
        vectors: dict[str, StoredVector] = {TEXT: stored, IMAGE: stickers.images[row].tolist()}
        if region is not None and (regional := regional_text(stored, region, regions.words)).indices:
            vectors[REGIONAL] = regional
        yield Point(
            point_id(sticker_id),
            vectors,
            {
                "sticker_id": sticker_id,
                "title": tokens[0],
                "semantics": " · ".join(tokens),
                "tags": tokens,
                "style": "made up",
                STYLE_CLUSTER: region,
                "utility": float(stickers.utility[row]),
                TRENDING: trending(float(stickers.utility[row]), sticker_id),
            },
        )


def schema_of(regions: Regions = NO_REGIONS) -> Schema:
    """Return the layout of made-up stickers with these regions of style."""
    return sticker_schema(DIMENSION, regions=bool(regions.words))


def manifest_of(size: int, regions: Regions = NO_REGIONS) -> Manifest:
    """Return the manifest of ``size`` made-up stickers with their regions of style."""
    return Manifest(
        build=new_build(),
        recipe=_NAME,
        tokenizer=TOKENIZER,
        text="",
        encoder="",
        dimension=DIMENSION,
        beta=BETA,
        regions=regions.directions.tolist(),
        regional_words=sorted(regions.words),
        stickers=size,
        created="",
        persrv=version("persrv"),
    )


@contextmanager
def published(content: Iterable[Point], size: int, regions: Regions = NO_REGIONS) -> Iterator[Collection]:
    """Publish ``size`` points in a store in a temporary folder, which goes away at the end."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder)) as store:
        build = store.create(_NAME, schema_of(regions), manifest_of(size, regions))
        for batch in chunks(content, BATCH):
            build.upsert(batch)
        yield store.publish(_NAME, build)
