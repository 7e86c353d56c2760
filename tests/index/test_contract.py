"""What every engine must do alike: embedded, the client's local mode, REST, and a real server where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines import ENGINES
from index_samples import (
    DIMENSION,
    SCHEMA,
    assert_same,
    identity,
    manifest,
    online,
    point,
    random_requests,
    reference,
    sample_points,
    sparse,
    unit,
)
from persrv.errors import BuildGoneError, NotFoundError, QueryError, VectorIndexError
from persrv.index.engine import Collection, Store
from persrv.index.language import (
    Division,
    Expression,
    Filter,
    Formula,
    Matches,
    Nearest,
    NearestStyles,
    OrderBy,
    PayloadNumber,
    Point,
    Power,
    Prefetch,
    PrefetchScore,
    Product,
    Request,
    Sum,
    nearest_style,
)
from persrv.index.manifest import new_build
from persrv.index.schema import IMAGE, TEXT, centroid_id, user_schema

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")

COUNT = 300
NOBODY = np.zeros((0, DIMENSION))
CATS = Filter(must=(Matches("pack", ("cats",)),))


def build(store: Store, name: str, points: list[Point], **changes: object) -> Collection:
    collection = store.create(name, SCHEMA, manifest(len(points), **changes))
    collection.upsert(points)
    return collection


def best_score(collection: Collection, token: int) -> float:
    return collection.query(Request(Nearest(sparse([token], [1.0]), TEXT), limit=1))[0].score


# Answers


# A pool is cut in each shard; that a page does not depend on it is tested in tests/online/test_exact_pages.py.
@pytest.mark.parametrize("sample", ENGINES, indirect=True)
@pytest.mark.parametrize("k", [0, 1, 5])
@pytest.mark.parametrize("where", [None, CATS], ids=["all", "filtered"])
def test_online_request_computes_the_formula(sample: Collection, k: int, where: Filter | None) -> None:
    rng = np.random.default_rng(k)
    points = sample_points(COUNT)
    keep = {p.id for p in points if p.payload["pack"] == "cats"} if where else None
    centroids, weights = unit(rng, k), rng.dirichlet(np.ones(k)).tolist() if k else []
    for tokens in ([3], [1, 8, 20], [0, 5, 11, 30, 39]):
        want = reference(points, tokens, centroids, weights, pool=40, keep=keep)
        got = sample.query(online(tokens, centroids, weights, pool=40, limit=25, where=where))
        assert_same(got, want, 25)


@pytest.mark.parametrize("sample", ENGINES, indirect=True)
def test_a_negative_cosine_lowers_the_score_and_a_missing_picture_does_not(sample: Collection) -> None:
    points = {p.id: p for p in sample_points(COUNT)}
    far = unit(np.random.default_rng(1), 1)
    plain = {p.id: p.score for p in sample.query(online([3, 8], NOBODY, limit=50))}
    personal = {p.id: p.score for p in sample.query(online([3, 8], far, [1.0], limit=50))}
    assert plain.keys() == personal.keys()
    lowered = 0
    for key, score in plain.items():
        vector = points[key].vectors.get(IMAGE)
        cosine = float(far[0] @ np.asarray(vector)) if vector else 0.0
        lowered += cosine < 0
        assert personal[key] == pytest.approx(score * (1 + cosine), rel=1e-5)
    assert lowered > 3
    assert any(IMAGE not in points[key].vectors for key in plain)


@pytest.fixture(scope="module")
def answers(oracle: Collection) -> list[tuple[Request, list[tuple[str, float]]]]:
    """Random requests with the oracle's answers."""
    requests = random_requests(seed=11, count=104)
    return [(request, [(p.id, p.score) for p in oracle.query(request)]) for request in requests]


@pytest.mark.parametrize("sample", [engine for engine in ENGINES if engine != "memory"], indirect=True)
def test_engines_agree_on_random_requests(
    sample: Collection, answers: list[tuple[Request, list[tuple[str, float]]]]
) -> None:
    assert sum(bool(want) for _, want in answers) >= 95
    for request, want in answers:
        assert_same(sample.query(request), want, request.limit)


@pytest.mark.parametrize("sample", [engine for engine in ENGINES if engine != "memory"], indirect=True)
def test_several_requests_at_once_are_answered_as_each_alone(sample: Collection) -> None:
    requests = random_requests(seed=12, count=6)
    together = sample.query_many(requests)
    assert len(together) == len(requests)
    for request, found in zip(requests, together, strict=True):
        assert_same(found, [(p.id, p.score) for p in sample.query(request)], request.limit)
    payload = Request(Nearest(sparse([3], [1.0]), TEXT), limit=2, with_payload=("pack",), with_vectors=(TEXT,))
    (full,), (bare,) = sample.query_many([replace(payload, limit=1), Request(payload.query, limit=1)])
    assert set(full.vectors) == {TEXT}
    assert set(full.payload) == {"pack"}
    assert bare.payload == bare.vectors == {}
    assert sample.query_many([]) == []
    with pytest.raises(QueryError):
        sample.query_many([requests[0], Request(query=None, limit=0)])


@pytest.mark.parametrize("sample", ENGINES, indirect=True)
def test_trending_takes_the_most_useful_and_the_nearest(sample: Collection, oracle: Collection) -> None:
    centroids = unit(np.random.default_rng(5), 2)
    styles = NearestStyles(centroids.tolist(), IMAGE)
    useful = Prefetch(OrderBy("utility"), limit=10, filter=CATS)
    near = Prefetch(styles, limit=10, filter=CATS)
    both = Prefetch(styles, limit=20, inner=(useful, near))
    utility = Sum((1.0, Product((0.5, PayloadNumber("utility")))))
    formula = Product((utility, Sum((1.0, nearest_style(PrefetchScore(2))))))
    request = Request(Formula(formula), 40, (useful, near, both), with_payload=True)
    want = oracle.query(request)
    assert {p.payload["pack"] for p in want} == {"cats"}
    assert 10 < len(want) <= 20
    assert_same(sample.query(request), [(p.id, p.score) for p in want], 40)


def test_order_by_utility_skips_points_without_it(sample: Collection) -> None:
    utilities = sorted(p.payload["utility"] for p in sample_points(COUNT) if "utility" in p.payload)
    got = sample.query(Request(OrderBy("utility"), limit=COUNT, with_payload=True))
    assert [p.payload["utility"] for p in got] == pytest.approx(utilities[::-1])
    assert [p.score for p in got] == pytest.approx(utilities[::-1])


def test_payload_and_vectors_come_only_when_asked_for(sample: Collection) -> None:
    query = Nearest(sparse([3], [1.0]), TEXT)
    bare = sample.query(Request(query, limit=1))[0]
    full = sample.query(Request(query, limit=1, with_payload=True, with_vectors=(TEXT,)))[0]
    part = sample.query(Request(query, limit=1, with_payload=("pack", "nothing")))[0]
    assert bare.payload == {}
    assert bare.vectors == {}
    assert full.payload["title"].startswith("sticker ")
    assert set(full.vectors) == {TEXT}
    assert set(part.payload) == {"pack"}
    (record,) = sample.retrieve([full.id], with_payload=False)
    assert record.payload == {}


def test_an_empty_query_vector_finds_nothing(sample: Collection) -> None:
    assert sample.query(Request(Nearest(sparse([], []), TEXT), limit=5)) == []


ALL_ONES = [1.0] * DIMENSION


@pytest.mark.parametrize(
    "request_",
    [
        Request(query=None, limit=0),
        Request(query=None, limit=3, offset=-1),
        Request(Nearest(sparse([3, 3], [1.0, 1.0]), TEXT), limit=3),
        Request(Nearest(sparse([4, 3], [1.0, 1.0]), TEXT), limit=3),
        Request(Nearest(sparse([3, 4], [1.0]), TEXT), limit=3),
        Request(Nearest(sparse([3], [float("nan")]), TEXT), limit=3),
        Request(Nearest([float("inf")] * DIMENSION, IMAGE), limit=3),
        Request(Nearest([1.0] * (DIMENSION + 1), IMAGE), limit=3),
        Request(Nearest(ALL_ONES, "colour"), limit=3),
        Request(Formula(PrefetchScore(0)), limit=3),
        Request(NearestStyles([], IMAGE), limit=3),
        Request(NearestStyles([ALL_ONES, [float("nan")] * DIMENSION], IMAGE), limit=3),
    ],
    ids=[
        *("limit", "offset", "twice", "order", "lengths", "nan"),
        *("inf", "dimension", "name", "no-prefetch", "no-style", "nan-style"),
    ],
)
@pytest.mark.parametrize("sample", ["embedded", "rest"], indirect=True)
def test_impossible_requests_are_query_errors(sample: Collection, request_: Request) -> None:
    with pytest.raises(QueryError):
        sample.query(request_)


@pytest.mark.parametrize(
    ("formula", "problem"),
    [
        (PrefetchScore(2), "has only 1 prefetches"),
        (Product((PrefetchScore(0), float("nan"))), "constant in the formula is nan"),
        (PrefetchScore(0, default=float("inf")), "is inf"),
        (PayloadNumber("utility", default=float("nan")), "default of utility is nan"),
        (Division(1.0, PrefetchScore(0), by_zero=float("inf")), "division by 0 is inf"),
        (Power(PrefetchScore(0), float("nan")), "exponent is nan"),
    ],
)
@pytest.mark.parametrize("sample", ["embedded", "rest"], indirect=True)
def test_impossible_formulas_are_query_errors(sample: Collection, formula: Expression, problem: str) -> None:
    prefetch = Prefetch(Nearest(ALL_ONES, IMAGE), limit=5)
    with pytest.raises(QueryError, match=problem):
        sample.query(Request(Formula(formula), prefetch=(prefetch,), limit=3))


# Stored points


def test_retrieve_keeps_the_asked_order_and_leaves_out_strangers(sample: Collection) -> None:
    wanted = [identity(9), identity(5000), identity(2), identity(9)]
    found = sample.retrieve(wanted, with_vectors=[IMAGE, TEXT])
    assert [r.id for r in found] == [identity(9), identity(2)]
    stored = point(9)
    assert {k: v for k, v in found[0].payload.items() if k != "utility"} == {
        k: v for k, v in stored.payload.items() if k != "utility"
    }
    np.testing.assert_allclose(found[0].dense(IMAGE), stored.vectors[IMAGE], rtol=1e-5)
    text = found[0].sparse(TEXT)
    assert text is not None
    np.testing.assert_allclose(text.values, stored.vectors[TEXT].values, rtol=1e-6)
    assert text.indices == stored.vectors[TEXT].indices


@pytest.mark.parametrize("batch", [1, 7, 300, 1000])
def test_scroll_visits_every_matching_point_once_by_id(sample: Collection, batch: int) -> None:
    got = [r.id for r in sample.scroll(CATS, batch=batch)]
    assert got == sorted(identity(n) for n in range(COUNT) if n % 4 == 0)


def test_count_is_exact(sample: Collection) -> None:
    assert sample.count() == COUNT
    assert sample.count(CATS) == COUNT // 4
    assert sample.count(Filter(must_not=(Matches("pack", ("cats",)),))) == COUNT - COUNT // 4


def test_upsert_replaces_the_whole_point(store: Store, name: str) -> None:
    with build(store, name, sample_points(20)) as collection:
        collection.upsert([Point(identity(4), {TEXT: sparse([7], [1.5])}, {"title": "new"})])
        (record,) = collection.retrieve([identity(4)], with_vectors=[IMAGE, TEXT])
        assert record.payload == {"title": "new"}
        assert record.vectors == {TEXT: sparse([7], [1.5])}
        assert collection.count() == 20


def test_a_score_depends_on_no_other_point(store: Store, name: str) -> None:
    with build(store, name, sample_points(60)) as collection:
        before = best_score(collection, 3)
        collection.upsert(sample_points(60))
        assert best_score(collection, 3) == pytest.approx(before, rel=1e-6)
        best = collection.query(Request(Nearest(sparse([3], [1.0]), TEXT), limit=1))[0].id
        collection.delete([p.id for p in sample_points(60) if p.id != best])
        assert best_score(collection, 3) == pytest.approx(before, rel=1e-6)


def test_set_payload_merges_and_ignores_strangers(store: Store, name: str) -> None:
    with build(store, name, sample_points(20)) as collection:
        collection.set_payload(
            [(identity(1), {"utility": 0.25}), (identity(999), {"utility": 0.5}), (identity(2), {"seen": 3})]
        )
        first, second = collection.retrieve([identity(1), identity(2)])
        assert first.payload["utility"] == 0.25
        assert first.payload["title"] == "sticker 1 😀"
        assert second.payload["seen"] == 3
        assert collection.count() == 20
        best = collection.query(Request(OrderBy("utility"), limit=20))
        assert next(p.score for p in best if p.id == identity(1)) == 0.25


def test_delete_removes_and_ignores_strangers(store: Store, name: str) -> None:
    with build(store, name, sample_points(20)) as collection:
        collection.delete([identity(3), identity(999)])
        collection.delete([])
        assert collection.count() == 19
        assert collection.retrieve([identity(3)]) == []
        assert identity(3) not in {p.id for p in collection.query(Request(query=None, limit=30))}


BAD_POINTS = [
    (Point(identity(1), {IMAGE: [1.0]}), f"has 1 numbers, not {DIMENSION}"),
    (Point(identity(1), {IMAGE: [float("nan")] * DIMENSION}), "not finite"),
    (Point(identity(1), {IMAGE: [1.0] * DIMENSION}), "has length 2.828, not 1"),
    (Point(identity(1), {"colour": [1.0]}), "'colour' of type list is not in the schema"),
    (Point(identity(1), [1.0] * DIMENSION), "not a dictionary by name"),
    (Point(identity(1), {TEXT: sparse([2, 2], [1.0, 1.0])}), "repeat or are not in ascending"),
    (Point(identity(1), {TEXT: sparse([1, 2], [1.0])}), "has 2 indices for 1 values"),
    (Point(identity(1), {TEXT: sparse([2**32], [1.0])}), "outside of 32 bits"),
    (Point(identity(1), {}, {"utility": "high"}), "does not fit its float index"),
    (Point(identity(1), {}, {"bucket": 1.5}), "does not fit its integer index"),
    (Point(identity(1), {}, {"animated": 1}), "does not fit its bool index"),
    (Point(identity(1), {}, {"tags": ["a", 3]}), "does not fit its keyword index"),
    (Point(identity(1), {}, {"size": float("nan")}), "is no JSON value"),
    (Point(7, {}), "7 is no point id"),
    (Point("abc", {}), "'abc' is no point id"),
]


def test_a_bad_point_is_named_and_nothing_of_its_batch_is_written(store: Store, name: str) -> None:
    with store.create(name, SCHEMA, manifest(0)) as collection:
        for bad, message in BAD_POINTS:
            with pytest.raises(VectorIndexError, match=message):
                collection.upsert([point(0), bad])
        assert collection.count() == 0


def test_bad_payload_changes_are_refused_before_any_is_made(store: Store, name: str) -> None:
    with build(store, name, sample_points(5)) as collection:
        with pytest.raises(VectorIndexError, match="does not fit its float index"):
            collection.set_payload([(identity(1), {"utility": 0.5}), (identity(2), {"utility": "x"})])
        (record,) = collection.retrieve([identity(1)])
        assert record.payload["utility"] == pytest.approx(point(1).payload["utility"])
        for call in (collection.delete, collection.retrieve):
            with pytest.raises(VectorIndexError, match="no point id"):
                call(["nobody"])


# Versions


def test_open_without_anything_published(store: Store, name: str) -> None:
    assert store.manifest(name) is None
    assert name not in store.names()
    with pytest.raises(NotFoundError, match=name):
        store.open(name)
    with pytest.raises(NotFoundError, match=name):
        store.rollback(name)
    build(store, name, sample_points(3)).close()
    with pytest.raises(NotFoundError, match=name):
        store.open(name)


def test_publish_open_and_manifest_round_trip(store: Store, name: str) -> None:
    made = build(store, name, sample_points(12))
    with store.publish(name, made) as published:
        assert published.manifest == made.manifest
        assert published.schema == SCHEMA
        assert published.count() == 12
    assert store.manifest(name) == made.manifest
    assert store.names() == [name]
    with store.open(name) as opened:
        assert opened.manifest == made.manifest
        assert opened.schema == SCHEMA
        assert best_score(opened, 3) > 0
    made.close()
    with pytest.raises(VectorIndexError, match="closed"):
        made.count()


def test_a_new_version_replaces_the_old_one_which_can_come_back(store: Store, name: str) -> None:
    for size in (5, 6, 7):
        store.publish(name, build(store, name, sample_points(size))).close()
    for size in (7, 6, 7):
        with store.open(name) as opened:
            assert (opened.count(), opened.manifest.stickers) == (size, size)
        back = store.rollback(name)
        assert store.manifest(name) == back
        assert back.stickers == 13 - size


def test_a_build_that_is_kept_can_be_opened_by_its_id(store: Store, name: str) -> None:
    assert store.current(name) is None
    builds = []
    for size in (5, 6, 7):
        with store.publish(name, build(store, name, sample_points(size))) as published:
            builds.append(published.manifest.build)
        assert store.current(name) == builds[-1]
    for size, made in ((6, builds[1]), (7, builds[2])):
        with store.open(name, made) as opened:
            assert (opened.count(), opened.manifest.build) == (size, made)
    for gone in (builds[0], new_build()):
        with pytest.raises(BuildGoneError):
            store.open(name, gone)
    store.rollback(name)
    assert store.current(name) == builds[1]


def test_a_wrong_count_is_not_published(store: Store, name: str) -> None:
    store.publish(name, build(store, name, sample_points(5))).close()
    short = store.create(name, SCHEMA, manifest(9))
    short.upsert(sample_points(8))
    with pytest.raises(VectorIndexError, match="holds 8 points, not 9"):
        store.publish(name, short)
    assert store.manifest(name).stickers == 5
    short.upsert(sample_points(9))
    with store.publish(name, short) as published:
        assert published.count() == 9


def test_a_count_that_nobody_knew_before_is_checked_and_kept(store: Store, name: str) -> None:
    made = store.create(name, SCHEMA, manifest(0))
    made.upsert(sample_points(8))
    with pytest.raises(VectorIndexError, match="holds 8 points, not 7"):
        store.publish(name, made, 7)
    with store.publish(name, made, 8) as published:
        assert (published.count(), published.manifest.stickers) == (8, 8)
    assert store.manifest(name) == made.manifest.model_copy(update={"stickers": 8})


def test_only_an_unpublished_build_of_this_name_is_published(store: Store, name: str) -> None:
    published = store.publish(name, build(store, name, sample_points(4)))
    with pytest.raises(VectorIndexError, match="no unpublished build"):
        store.publish(name, published)
    other = build(store, f"{name}_users", sample_points(4))
    with pytest.raises(VectorIndexError, match="no unpublished build"):
        store.publish(name, other)


def test_create_replaces_an_older_unpublished_build(store: Store, name: str) -> None:
    older = build(store, name, sample_points(4))
    with build(store, name, sample_points(5)) as newer:
        with pytest.raises((VectorIndexError, NotFoundError)):
            older.count()
        with store.publish(name, newer) as published:
            assert published.count() == 5


def test_a_build_id_is_used_once(store: Store, name: str) -> None:
    first = manifest(0)
    store.publish(name, store.create(name, SCHEMA, first)).close()
    with pytest.raises(VectorIndexError, match=first.build):
        store.create(name, SCHEMA, first)


def test_two_collections_of_one_store_are_open_at_once(store: Store, name: str) -> None:
    users = f"{name}_users"
    shared = manifest(6)
    stickers = store.create(name, SCHEMA, shared)
    stickers.upsert(sample_points(6))
    centroids = store.create(users, user_schema(DIMENSION), shared.model_copy(update={"stickers": 2}))
    rows = unit(np.random.default_rng(0), 2)
    centroids.upsert(
        [
            Point(centroid_id("zoë", n), {IMAGE: row.tolist()}, {"user": "zoë", "share": 0.5})
            for n, row in enumerate(rows)
        ]
    )
    with store.publish(name, stickers) as first, store.publish(users, centroids) as second:
        assert (first.count(), second.count()) == (6, 2)
        who = Filter(must=(Matches("user", ("zoë",)),))
        nearest = second.query(Request(Nearest(rows[1].tolist(), IMAGE), limit=1, filter=who))
        assert nearest[0].id == centroid_id("zoë", 1)
        assert nearest[0].score == pytest.approx(1.0, abs=1e-6)
    assert store.names() == [name, users]
    store.publish(name, build(store, name, sample_points(3))).close()
    store.publish(name, build(store, name, sample_points(2))).close()
    assert store.open(users).count() == 2


def test_a_reader_keeps_its_version_while_another_is_published(store: Store, name: str) -> None:
    reader = store.publish(name, build(store, name, sample_points(5)))
    newer = store.publish(name, build(store, name, sample_points(6)))
    assert (reader.count(), newer.count()) == (5, 6)
    assert reader.manifest.stickers == 5
