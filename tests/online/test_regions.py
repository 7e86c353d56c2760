"""Which regions of the space of style let stickers in by words, and how many."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from index_samples import manifest
from persrv.index.engine import Collection
from persrv.index.language import Prefetch, Request, ScoredPoint
from persrv.index.manifest import Manifest
from persrv.index.schema import STYLE_CLUSTER
from persrv.online.page import Page
from persrv.online.ranker import LARGE, Ranker
from persrv.online.recall import Recall, text_source
from persrv.online.request import Taste
from persrv.ranking.style_clusters import MOST_NEAR
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector

DIMENSION = 64


class Silent:
    """A collection that finds nothing, and keeps what it was asked."""

    def __init__(self, described: Manifest) -> None:
        self.manifest = described
        self.asked: list[Request] = []

    def query_many(self, requests: list[Request]) -> list[list[ScoredPoint]]:
        self.asked += requests
        return [[] for _ in requests]

    def query(self, request: Request) -> list[ScoredPoint]:
        return self.query_many([request])[0]


def near(request: Request) -> list[tuple[int, int]]:
    """The limit and the number of regions of each recall in a request that is kept to some."""
    found: set[tuple[int, int]] = set()
    waiting: list[Prefetch] = [*request.prefetch]
    while waiting:
        prefetch = waiting.pop()
        waiting += prefetch.inner
        for condition in prefetch.filter.must if prefetch.filter else ():
            if getattr(condition, "key", "") == STYLE_CLUSTER:
                found.add((prefetch.limit, len(getattr(condition, "values", ()))))
    return sorted(found)


@pytest.mark.parametrize(("stickers", "expected"), [(LARGE - 1, (200, MOST_NEAR)), (LARGE, (1200, 32))])
def test_a_large_collection_looks_in_wider_regions_and_deeper(stickers: int, expected: tuple[int, int]) -> None:
    described = manifest(stickers, dimension=DIMENSION).model_copy(
        update={"style_clusters": np.eye(DIMENSION).tolist()}
    )
    collection = Silent(described)
    # Forty regions are near by falling degrees, all of them above the bounds.
    style = np.where(np.arange(DIMENSION) < 40, np.linspace(1.0, 0.5, DIMENSION), 0.0)
    taste = Taste(style[None, :] / np.linalg.norm(style), np.ones(1))
    recall = Recall((text_source(SparseVector([3], [1.0])),))
    Ranker(cast(Collection, collection), Ranking()).rank(recall, taste, Page(0, 20))
    assert near(collection.asked[0]) == [expected]
