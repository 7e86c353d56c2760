"""Points, requests and a NumPy reference that the tests of the index share."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.index.language import (
    AbsoluteValue,
    Condition,
    Division,
    Expression,
    Filter,
    Formula,
    HasId,
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
    ScoredPoint,
    StoredVector,
    Sum,
    nearest_style,
)
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import IMAGE, TEXT, Schema, sticker_schema
from persrv.text.bm25f import SparseVector

DIMENSION = 8
SCHEMA: Schema = sticker_schema(DIMENSION)
VOCABULARY = 40
PACKS = ("cats", "dogs", "frogs", "birds")


def manifest(stickers: int, **changes: Any) -> Manifest:
    values = {
        "build": new_build(),
        "recipe": "sample",
        "tokenizer": "t1",
        "text": "abc",
        "encoder": "statistics@1",
        "dimension": DIMENSION,
        "avg_length": {"name": 3.25},
        "stickers": stickers,
        "space": {"mean": [0.5, 0.25], "scale": 2.0},
        "created": "2026-11-04T12:13:14Z",
        "persrv": "0.1.0",
    }
    return Manifest.model_validate(values | changes)


def identity(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sample {number}"))


def sparse(indices: Sequence[int], values: Sequence[float]) -> SparseVector:
    return SparseVector(list(indices), list(values))


def point(number: int, *, seed: int = 0, image: bool = True, text: bool = True) -> Point:
    """One sticker; its weights are continuous, so that equal scores do not occur by chance."""
    rng = np.random.default_rng([seed, number])
    tokens = np.sort(rng.choice(VOCABULARY, size=int(rng.integers(2, 7)), replace=False))
    weights = rng.uniform(0.3, 2.0, size=len(tokens))
    vectors: dict[str, StoredVector] = {}
    if image:
        vectors[IMAGE] = unit(rng, 1)[0].astype(np.float32).tolist()
    if text:
        vectors[TEXT] = sparse(tokens.tolist(), weights.astype(np.float32).tolist())
    payload: dict[str, Any] = {
        "sticker_id": uuid.UUID(identity(number)).hex,
        "title": f"sticker {number} 😀",
        "pack": PACKS[number % 4],
        "tags": [f"tag{number % 3}", f"tag{number % 5}"],
        "animated": number % 2 == 0,
        "bucket": number % 100,
    }
    if number % 6:
        payload["utility"] = float(np.float32(rng.uniform()))
    if number % 3 == 0:
        payload["language"] = "zh" if number % 2 else "en"
    return Point(identity(number), vectors, payload)


def sample_points(count: int, seed: int = 0) -> list[Point]:
    """Stickers of which every seventh has no picture and every eleventh no text."""
    return [point(n, seed=seed, image=n % 7 != 3, text=n % 11 != 5) for n in range(count)]


def unit(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    rows = rng.normal(size=(count, DIMENSION))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def online(
    tokens: Sequence[int],
    centroids: NDArray[np.float64],
    weights: Sequence[float] = (),
    *,
    pool: int = 50,
    limit: int = 20,
    where: Filter | None = None,
    beta: float = 0.5,
    gamma: float = 1.0,
) -> Request:
    """The online stage as one request: recall x (1 + beta utility) x (1 + gamma max_c w_c cos)."""
    recall = Prefetch(Nearest(sparse(tokens, [1.0] * len(tokens)), TEXT), limit=pool, filter=where)
    factors: list[Expression] = [PrefetchScore(0), Sum((1.0, Product((beta, PayloadNumber("utility")))))]
    prefetch = [recall]
    if len(centroids):
        rows = [[w * float(x) for x in c] for w, c in zip(weights, centroids, strict=True)]
        prefetch.append(Prefetch(NearestStyles(rows, IMAGE), limit=pool, inner=(recall,), filter=where))
        factors.append(Sum((1.0, Product((gamma, nearest_style(PrefetchScore(1)))))))
    return Request(
        Formula(Product(tuple(factors))), limit=limit, prefetch=tuple(prefetch), filter=where, with_payload=True
    )


def reference(
    points: Sequence[Point],
    tokens: Sequence[int],
    centroids: NDArray[np.float64],
    weights: Sequence[float],
    *,
    pool: int,
    keep: set[str] | None = None,
    beta: float = 0.5,
    gamma: float = 1.0,
) -> list[tuple[str, float]]:
    """What :func:`online` must answer: inner products, then the formula; ``keep`` holds filtered ids."""
    texts = {p.id: p.vectors[TEXT] for p in points if TEXT in p.vectors}
    bags = {i: dict(zip(t.indices, t.values, strict=True)) for i, t in texts.items() if isinstance(t, SparseVector)}
    recall = {i: sum(bag[t] for t in tokens if t in bag) for i, bag in bags.items() if set(bag) & set(tokens)}
    kept = {i: score for i, score in recall.items() if keep is None or i in keep}
    best = sorted(kept.items(), key=lambda item: -item[1])[:pool]
    answers = []
    for p in points:
        score = dict(best).get(p.id)
        if score is None:
            continue
        vector = p.vectors.get(IMAGE)
        cosines = centroids @ np.asarray(vector) if vector else np.zeros(len(centroids))
        similarity = max((w * c for w, c in zip(weights, cosines, strict=True)), default=0.0)
        utility = p.payload.get("utility", 0.0)
        answers.append((p.id, score * (1 + beta * utility) * (1 + gamma * similarity)))
    return sorted(answers, key=lambda item: -item[1])


def assert_same(got: Sequence[ScoredPoint], want: Sequence[tuple[str, float]], limit: int) -> None:
    """Same ids with the same scores to 1e-5; where scores are equal to 1e-5 at the cut, either may be in."""
    expected = dict(want)
    assert len(got) == min(limit, len(want))
    np.testing.assert_allclose([p.score for p in got], [s for _, s in want[: len(got)]], rtol=1e-5, atol=1e-5)
    for p in got:
        assert abs(p.score - expected.get(p.id, want[len(got) - 1][1])) <= 1e-5 * max(1.0, abs(p.score))


def random_requests(seed: int, count: int) -> list[Request]:
    """Requests of every shape that the package makes, each with an explicit limit."""
    rng = np.random.default_rng(seed)
    return [_random_request(rng, n % 8) for n in range(count)]


def random_filter(rng: np.random.Generator) -> Filter | None:
    packs = tuple(str(pack) for pack in rng.choice(PACKS, size=2, replace=False))
    conditions: list[Condition] = [
        Matches("pack", packs),
        Matches("pack", packs[:1]),
        Matches("animated", (bool(rng.integers(2)),)),
        Matches("tags", (f"tag{rng.integers(5)}",)),
        Matches("bucket", (int(rng.integers(100)),)),
        HasId(tuple(identity(int(n)) for n in rng.choice(300, size=150, replace=False))),
    ]
    first, second = (conditions[int(i)] for i in rng.choice(len(conditions), size=2, replace=False))
    return [
        None,
        Filter(must=(first,)),
        Filter(must_not=(first,)),
        Filter(must=(first,), must_not=(second,)),
        Filter(must_not=(first, second)),
    ][int(rng.integers(5))]


def _random_request(rng: np.random.Generator, shape: int) -> Request:
    where = random_filter(rng)
    tokens = np.sort(rng.choice(VOCABULARY, size=int(rng.integers(1, 6)), replace=False)).tolist()
    dense = unit(rng, 1)[0].tolist()
    limit = int(rng.integers(1, 60))
    k = int(rng.integers(1, 6))
    text = Prefetch(Nearest(sparse(tokens, rng.uniform(0.5, 2, len(tokens)).tolist()), TEXT), limit=80, filter=where)
    image = Prefetch(Nearest(dense, IMAGE), limit=40, filter=where)
    if shape == 0:
        query = Nearest(sparse(tokens, [1.0] * len(tokens)), TEXT)
        return Request(query, limit=limit, filter=where, offset=int(rng.integers(4)))
    if shape == 1:
        return Request(Nearest(dense, IMAGE), limit=limit, filter=where)
    if shape == 2:
        return online(tokens, np.zeros((0, DIMENSION)), limit=limit, where=where)
    if shape in (3, 4):
        return online(tokens, unit(rng, k), rng.dirichlet(np.ones(k)).tolist(), limit=limit, where=where, pool=30)
    if shape == 5:
        return Request(Nearest(dense, IMAGE), prefetch=(text,), limit=limit, filter=where)
    if shape == 6:
        styles = NearestStyles((unit(rng, k) * rng.uniform(0.2, 1, (k, 1))).tolist(), IMAGE)
        useful = Prefetch(OrderBy("utility"), limit=40, filter=where)
        return Request(styles, limit=limit, prefetch=(useful, text))
    first, second, utility = PrefetchScore(0, 0.25), PrefetchScore(1, -0.125), PayloadNumber("utility", 0.5)
    formulas: list[Expression] = [
        Sum((first, Product((-0.5, second)))),
        Product((Sum((1.0, AbsoluteValue(second))), Division(first, utility, by_zero=1.0))),
        Division(utility, Sum((2.0, second)), by_zero=0.0),
        Power(Sum((2.0, AbsoluteValue(second))), 16.0),
    ]
    chosen = formulas[int(rng.integers(len(formulas)))]
    return Request(Formula(chosen), prefetch=(text, image), limit=limit, with_payload=True)
