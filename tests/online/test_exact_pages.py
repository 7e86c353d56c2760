"""The first page is the formula's over all stickers that match, whatever the pool, the build and the shards."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from engines import make_store, new_name, quick_folder
from index_samples import manifest
from persrv.index.engine import Collection
from persrv.index.language import Point
from persrv.index.schema import IMAGE, REGIONAL, STYLE_CLUSTER, TEXT, TRENDING, point_id, sticker_schema
from persrv.online import ranker as ranker_module
from persrv.online.candidate_source import text_source
from persrv.online.page import Page, Ranked
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall, popular_recall
from persrv.online.request import NO_TASTE, Taste
from persrv.ranking.formula import final_scores, order
from persrv.ranking.profile import unit
from persrv.ranking.regional import regional_text
from persrv.ranking.stored import stored_text, trending
from persrv.ranking.style_clusters import cluster_of, fit_clusters
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector
from sharded import ShardedCollection

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

COUNT, LOOK, BETA, POOL = 1500, 8, 0.5, 60
LOVE, RARE = 3, 9
_RNG = np.random.default_rng(5)
IDS = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(COUNT)]
"""In another order than the points are written in."""
UTILITY = np.where(np.arange(COUNT) % 500 == 7, 0.9, 0.1)
IMAGES = unit(_RNG.normal(size=(COUNT, LOOK)))
HAS_IMAGE = np.arange(COUNT) % 11 != 4
TEXTS = [
    SparseVector([LOVE], [0.5]) if number % 5 else SparseVector([LOVE, RARE], [0.4, 0.3 + 0.0001 * number])
    for number in range(COUNT)
]
WEIGHTS = {LOVE: 0.7, RARE: 2.5}
TASTE = Taste(unit(_RNG.normal(size=(4, LOOK))), np.array([1.0, 0.7, 0.5, 0.4]))


def _points() -> list[Point]:
    return [
        Point(
            point_id(IDS[n]),
            {TEXT: stored_text(TEXTS[n], float(UTILITY[n]), BETA, IDS[n])}
            | ({IMAGE: IMAGES[n].tolist()} if HAS_IMAGE[n] else {}),
            {"utility": float(UTILITY[n]), TRENDING: trending(float(UTILITY[n]), IDS[n])},
        )
        for n in range(COUNT)
    ]


CLUSTERS = fit_clusters(IMAGES, seed=0, count=6)
FREQUENT = {LOVE}


def _clustered() -> list[Point]:
    numbers = [cluster_of(IMAGES[n], CLUSTERS) if HAS_IMAGE[n] else None for n in range(COUNT)]
    return [
        point if number is None else _in_region(point, number) for point, number in zip(_points(), numbers, strict=True)
    ]


def _in_region(point: Point, number: int) -> Point:
    text = point.vectors[TEXT]
    assert isinstance(text, SparseVector)
    vectors = {**point.vectors, REGIONAL: regional_text(text, number, FREQUENT)}
    return replace(point, vectors=vectors, payload={**point.payload, STYLE_CLUSTER: number})


def _built(
    engine: str, shards: int, stack: ExitStack, points: list[Point], clusters: list[list[float]] | None = None
) -> Collection:
    made = []
    for number in range(shards):
        folder = stack.enter_context(quick_folder())
        store, name = make_store(engine, folder, stack), new_name()
        mine = [point for point in points if int(point.id.replace("-", ""), 16) % shards == number]
        described = manifest(len(mine), dimension=LOOK, beta=BETA, regions=clusters or [])
        described = described.model_copy(update={"regional_words": sorted(FREQUENT) if clusters else []})
        build = store.create(name, sticker_schema(LOOK, regions=True), described)
        build.upsert(mine)
        made.append(store.publish(name, build))
    return ShardedCollection(made)


@pytest.fixture(scope="module", params=[("embedded", 1), ("embedded", 2), ("embedded", 4), ("memory", 1)], ids=str)
def collection(request: pytest.FixtureRequest) -> Iterator[Collection]:
    with ExitStack() as stack:
        yield _built(*request.param, stack, _points())


def _expected(tokens: list[int], taste: Taste) -> list[str]:
    bags = [dict(zip(*text, strict=True)) for text in TEXTS]
    text = np.array([math.fsum(WEIGHTS[t] * bag.get(t, 0.0) for t in tokens) for bag in bags])
    images = np.where(HAS_IMAGE[:, None], IMAGES, 0.0)
    scores = final_scores(text, UTILITY, images, taste.centroids, taste.weights, BETA, 1.0)
    matching = [n for n in range(COUNT) if text[n] > 0]
    ids = [IDS[n] for n in matching]
    return [ids[i] for i in order(scores[matching], ids)]


def _words(tokens: list[int]) -> SparseVector:
    return SparseVector(tokens, [WEIGHTS[t] for t in tokens])


def _search(collection: Collection, tokens: list[int], taste: Taste, page: Page) -> Ranked:
    ranker = Ranker(collection, Ranking(beta=BETA, gamma=1.0, pool=POOL))
    return ranker.rank(Recall((text_source(_words(tokens)),)), taste, page)


@pytest.mark.parametrize("taste", [NO_TASTE, TASTE], ids=["anybody", "styles"])
@pytest.mark.parametrize("tokens", [[LOVE], [RARE], [LOVE, RARE]], ids=str)
def test_every_page_is_that_of_all_stickers(collection: Collection, tokens: list[int], taste: Taste) -> None:
    expected = _expected(tokens, taste)
    for offset in (0, 20, 40, 200):
        page = Page(offset, 20)
        found = _search(collection, tokens, taste, page)
        assert found.ids[offset : page.end] == expected[offset : page.end]


def test_the_useful_are_found_among_many_equal_texts(collection: Collection) -> None:
    useful = {IDS[n] for n in range(COUNT) if n % 500 == 7}
    assert set(_search(collection, [LOVE], NO_TASTE, Page(0, 3)).ids[:3]) == useful


def test_scores_are_those_of_the_formula(collection: Collection) -> None:
    found = _search(collection, [LOVE], NO_TASTE, Page(0, 20))
    assert found.scores[:3] == pytest.approx([0.7 * 0.5 * 1.45] * 3, rel=1e-6)
    assert found.scores[3] == pytest.approx(0.7 * 0.5 * 1.05, rel=1e-6)


def test_another_weight_of_utility_is_asked_for_without_a_build(collection: Collection) -> None:
    ranker = Ranker(collection, Ranking(beta=0.0, gamma=1.0, pool=POOL))
    found = ranker.rank(Recall((text_source(_words([LOVE])),)), NO_TASTE, Page(0, 20))
    assert found.scores[:20] == pytest.approx([0.7 * 0.5] * 20, rel=2e-5)


def test_popular_stickers_come_in_the_order_of_utility_and_id(collection: Collection) -> None:
    ranker = Ranker(collection, Ranking(beta=BETA, gamma=1.0, pool=POOL))
    expected = [IDS[i] for i in order(UTILITY, IDS)]
    assert ranker.rank(popular_recall(None), NO_TASTE, Page(0, 30)).ids[:30] == expected[:30]


def test_two_builds_in_another_order_give_the_same_pages() -> None:
    with ExitStack() as stack:
        builds = [_built("embedded", 1, stack, points) for points in (_points(), _points()[::-1])]
        for tokens in ([LOVE], [LOVE, RARE]):
            for taste in (NO_TASTE, TASTE):
                first, second = (_search(build, tokens, taste, Page(0, 20)).ids[:20] for build in builds)
                assert first == second


@pytest.mark.parametrize("shards", [1, 2])
def test_regions_near_the_user_are_recalled_apart(shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer candidates the page is the same; without the second recall so few would not hold it."""
    monkeypatch.setattr(ranker_module, "CLUSTERED", 5)
    monkeypatch.setattr(ranker_module, "GROWTH", 1)
    monkeypatch.setattr(ranker_module, "DEEPEST", 0)
    monkeypatch.setattr(ranker_module, "SLACK", 200)
    with ExitStack() as stack:
        near = _built("embedded", shards, stack, _clustered(), CLUSTERS.tolist())
        alone = _built("embedded", shards, stack, _clustered())
        for style in CLUSTERS[1:].astype(np.float64):
            taste = Taste(style[None, :], np.array([1.0]))
            expected = _expected([LOVE], taste)[:20]
            assert _search(near, [LOVE], taste, Page(0, 20)).ids[:20] == expected
            assert shards > 1 or _search(alone, [LOVE], taste, Page(0, 20)).ids[:20] != expected
        popular = Ranker(near, Ranking(beta=BETA, gamma=1.0, pool=POOL)).trending((), taste, Page(0, 5), None)
        images = np.where(HAS_IMAGE[:, None], IMAGES, 0.0)
        scores = final_scores(np.ones(COUNT), UTILITY, images, taste.centroids, taste.weights, BETA, 1.0)
        assert popular.ids[:5] == [IDS[i] for i in order(scores, IDS)][:5]
