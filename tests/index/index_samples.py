"""Points, requests and a NumPy reference that the tests of the index share."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qdrant_client import models as m

from persrv.index.engine import Request
from persrv.index.manifest import Manifest, new_build
from persrv.index.schema import IMAGE, TEXT, Schema, sticker_schema

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


def sparse(indices: Sequence[int], values: Sequence[float]) -> m.SparseVector:
    return m.SparseVector(indices=list(indices), values=list(values))


def point(number: int, *, seed: int = 0, image: bool = True, text: bool = True) -> m.PointStruct:
    """One sticker; its weights are continuous, so that equal scores do not occur by chance."""
    rng = np.random.default_rng([seed, number])
    tokens = np.sort(rng.choice(VOCABULARY, size=int(rng.integers(2, 7)), replace=False))
    weights = rng.uniform(0.3, 2.0, size=len(tokens))
    vectors: dict[str, m.Vector] = {}
    if image:
        vectors[IMAGE] = rng.normal(size=DIMENSION).astype(np.float32).tolist()
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
    return m.PointStruct(id=identity(number), vector=vectors, payload=payload)


def sample_points(count: int, seed: int = 0) -> list[m.PointStruct]:
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
    where: m.Filter | None = None,
    beta: float = 0.5,
    gamma: float = 1.0,
) -> Request:
    """The online stage as one request: recall x (1 + beta utility) x (1 + gamma max_c w_c cos)."""
    recall = m.Prefetch(query=sparse(tokens, [1.0] * len(tokens)), using=TEXT, limit=pool, filter=where)
    near = [m.Prefetch(prefetch=recall, query=c.tolist(), using=IMAGE, limit=pool, filter=where) for c in centroids]
    factors: list[m.Expression] = [
        "$score[0]",
        m.SumExpression(sum=[1.0, m.MultExpression(mult=[beta, "utility"])]),
    ]
    pulls: list[m.Expression] = [
        m.MultExpression(mult=[float(w), f"$score[{c}]"]) for c, w in enumerate(weights, start=1)
    ]
    if pulls:
        factors.append(m.SumExpression(sum=[1.0, m.MultExpression(mult=[gamma, m.MaxExpression(max=pulls)])]))
    defaults = {"utility": 0.0} | {f"$score[{c}]": 0.0 for c in range(len(weights) + 1)}
    return Request(
        query=m.FormulaQuery(formula=m.MultExpression(mult=factors), defaults=defaults),
        prefetch=(recall, *near),
        limit=limit,
        filter=where,
        with_payload=True,
    )


def reference(
    points: Sequence[m.PointStruct],
    tokens: Sequence[int],
    centroids: NDArray[np.float64],
    weights: Sequence[float],
    *,
    pool: int,
    keep: set[str] | None = None,
    beta: float = 0.5,
    gamma: float = 1.0,
) -> list[tuple[str, float]]:
    """What :func:`online` must answer, point by point: Lucene's IDF, then the formula; ``keep`` holds filtered ids."""
    texts = {str(p.id): p.vector[TEXT] for p in points if isinstance(p.vector, dict) and TEXT in p.vector}
    bags = {i: dict(zip(t.indices, t.values, strict=True)) for i, t in texts.items() if isinstance(t, m.SparseVector)}
    count = len(bags)
    frequency = {token: sum(token in bag for bag in bags.values()) for token in tokens}
    idf = {t: np.log((count - df + 0.5) / (df + 0.5) + 1.0) for t, df in frequency.items()}
    recall = {i: sum(idf[t] * bag[t] for t in tokens if t in bag) for i, bag in bags.items() if set(bag) & set(tokens)}
    kept = {i: score for i, score in recall.items() if keep is None or i in keep}
    best = sorted(kept.items(), key=lambda item: -item[1])[:pool]
    answers = []
    for p in points:
        score = dict(best).get(str(p.id))
        if score is None:
            continue
        vector = p.vector.get(IMAGE) if isinstance(p.vector, dict) else None
        cosines = centroids @ np.asarray(vector) / np.linalg.norm(vector) if vector else np.zeros(len(centroids))
        pull = max((w * c for w, c in zip(weights, cosines, strict=True)), default=0.0)
        utility = (p.payload or {}).get("utility", 0.0)
        answers.append((str(p.id), score * (1 + beta * utility) * (1 + gamma * pull)))
    return sorted(answers, key=lambda item: -item[1])


def assert_same(got: Sequence[m.ScoredPoint], want: Sequence[tuple[str, float]], limit: int) -> None:
    """Same ids with the same scores to 1e-5; where scores are equal to 1e-5 at the cut, either may be in."""
    expected = dict(want)
    assert len(got) == min(limit, len(want))
    np.testing.assert_allclose([p.score for p in got], [s for _, s in want[: len(got)]], rtol=1e-5, atol=1e-5)
    for p in got:
        assert abs(p.score - expected.get(str(p.id), want[len(got) - 1][1])) <= 1e-5 * max(1.0, abs(p.score))


def random_requests(seed: int, count: int) -> list[Request]:
    """Requests of every shape that the package makes, each with an explicit limit."""
    rng = np.random.default_rng(seed)
    return [_random_request(rng, n % 8) for n in range(count)]


def random_filter(rng: np.random.Generator) -> m.Filter | None:
    packs = [str(pack) for pack in rng.choice(PACKS, size=2, replace=False)]
    conditions: list[m.Condition] = [
        m.FieldCondition(key="pack", match=m.MatchAny(any=packs)),
        m.FieldCondition(key="pack", match=m.MatchExcept(**{"except": packs})),
        m.FieldCondition(key="animated", match=m.MatchValue(value=bool(rng.integers(2)))),
        m.FieldCondition(key="tags", match=m.MatchValue(value=f"tag{rng.integers(5)}")),
        m.FieldCondition(key="utility", range=m.Range(gte=float(rng.uniform(0, 0.6)), lt=0.95)),
        m.FieldCondition(key="bucket", range=m.Range(lte=int(rng.integers(20, 90)))),
        m.HasIdCondition(has_id=[identity(int(n)) for n in rng.choice(300, size=150, replace=False)]),
        m.IsEmptyCondition(is_empty=m.PayloadField(key="language")),
        m.HasVectorCondition(has_vector=IMAGE),
    ]
    first, second = (conditions[int(i)] for i in rng.choice(len(conditions), size=2, replace=False))
    return [
        None,
        m.Filter(must=[first]),
        m.Filter(must_not=[first]),
        m.Filter(should=[first, second]),
        m.Filter(must=[first], must_not=[second]),
        m.Filter(must=[m.Filter(should=[first, second])]),
    ][int(rng.integers(6))]


def _random_request(rng: np.random.Generator, shape: int) -> Request:
    where = random_filter(rng)
    tokens = np.sort(rng.choice(VOCABULARY, size=int(rng.integers(1, 6)), replace=False)).tolist()
    dense = unit(rng, 1)[0].tolist()
    limit = int(rng.integers(1, 60))
    k = int(rng.integers(1, 6))
    text = m.Prefetch(
        query=sparse(tokens, rng.uniform(0.5, 2, len(tokens)).tolist()), using=TEXT, limit=80, filter=where
    )
    image = m.Prefetch(query=dense, using=IMAGE, limit=40, filter=where)
    if shape == 0:
        query = m.NearestQuery(nearest=sparse(tokens, [1.0] * len(tokens)))
        return Request(query=query, using=TEXT, limit=limit, filter=where, offset=int(rng.integers(4)))
    if shape == 1:
        return Request(query=m.NearestQuery(nearest=dense), using=IMAGE, limit=limit, filter=where)
    if shape == 2:
        return online(tokens, np.zeros((0, DIMENSION)), limit=limit, where=where)
    if shape in (3, 4):
        return online(tokens, unit(rng, k), rng.dirichlet(np.ones(k)).tolist(), limit=limit, where=where, pool=30)
    if shape == 5:
        return Request(query=m.NearestQuery(nearest=dense), using=IMAGE, prefetch=(text,), limit=limit, filter=where)
    formula: list[m.Expression] = [
        m.SumExpression(sum=["$score[0]", m.NegExpression(neg=m.MultExpression(mult=[0.5, "$score[1]"]))]),
        m.MultExpression(
            mult=[
                m.LnExpression(ln=m.SumExpression(sum=[1.0, m.AbsExpression(abs="$score[1]")])),
                m.DivExpression(div=m.DivParams(left="$score", right="utility", by_zero_default=1.0)),
                m.SumExpression(sum=[1.0, m.FieldCondition(key="animated", match=m.MatchValue(value=True))]),
            ]
        ),
        m.MinExpression(
            min=[
                m.SqrtExpression(sqrt=m.AbsExpression(abs="$score[0]")),
                m.PowExpression(pow=m.PowParams(base=2.0, exponent="utility")),
                m.ExpExpression(exp="$score[1]"),
                m.GaussDecayExpression(
                    gauss_decay=m.DecayParamsExpression(x="utility", target=0.5, scale=0.3, midpoint=0.4)
                ),
            ]
        ),
    ]
    defaults = {"$score[0]": 0.25, "$score[1]": -0.125, "utility": 0.5}
    chosen = formula[int(rng.integers(3))]
    return Request(
        query=m.FormulaQuery(formula=chosen, defaults=defaults), prefetch=(text, image), limit=limit, with_payload=True
    )
