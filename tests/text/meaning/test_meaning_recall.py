from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from meaning_engines import Answers, identity, in_memory, number_of, on_edge, sparse_scores
from numpy.typing import NDArray

from persrv.index.language import Filter, Matches, Point, ScoredPoint, StoredVector
from persrv.index.schema import IMAGE, MEANING, TEXT
from persrv.index.validate import check_request
from persrv.online.candidate_source import meaning_source, text_source
from persrv.online.recall import Recall
from persrv.online.request import NO_TASTE, Taste, Weights, personal_request
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.fusion import Blend, fused, recalled
from persrv.text.meaning.rows import cosines, unit_rows

COUNT, LOOK, SENSE, WORDS = 240, 6, 12, 15
PLAIN = Weights(0.0, 0.0, 0.0, IMAGE)
POOL = 500
PACKS = ("cats", "dogs", "frogs")
_RNG = np.random.default_rng(7)


def _rows(number: int) -> NDArray[np.float32]:
    topic = np.random.default_rng(number % 5).normal(size=SENSE)
    return unit_rows(topic + _RNG.normal(size=(number % 4, SENSE))).astype(np.float32)


ROWS = [_rows(number) for number in range(COUNT)]
IMAGES = unit_rows(_RNG.normal(size=(COUNT, LOOK)))
UTILITY = _RNG.uniform(size=COUNT).astype(np.float32).astype(np.float64)


def _point(number: int) -> Point:
    vectors: dict[str, StoredVector] = {IMAGE: IMAGES[number].tolist()}
    if len(ROWS[number]):
        vectors[MEANING] = ROWS[number].tolist()
    if number % 9:
        tokens = np.sort(_RNG.choice(WORDS, size=int(_RNG.integers(1, 5)), replace=False))
        weights = _RNG.uniform(0.2, 0.9, size=len(tokens)).astype(np.float32)
        vectors[TEXT] = SparseVector(tokens.tolist(), weights.tolist())
    payload = {"utility": UTILITY[number], "pack": PACKS[number % 3]}
    return Point(identity(number), vectors, payload)


POINTS = [_point(number) for number in range(COUNT)]


@pytest.fixture(scope="module", params=["edge", "memory"])
def answers(request: pytest.FixtureRequest, module_folder: Path) -> Iterator[Answers]:
    folder: Path = module_folder
    with ExitStack() as stack:
        engine = on_edge(POINTS, (LOOK, SENSE), folder) if request.param == "edge" else in_memory(POINTS, (LOOK, SENSE))
        yield stack.enter_context(engine)


def _search(seed: int) -> tuple[NDArray[np.float64], Blend]:
    rng = np.random.default_rng(seed)
    topic = np.random.default_rng(seed % 5).normal(size=SENSE)
    blend = Blend(float(rng.uniform(0.5, 4)), float(rng.uniform(0, 0.3)), float(rng.uniform(0.35, 0.6)))
    return unit_rows((topic + rng.normal(size=SENSE))[None, :])[0], blend


def _best(scores: dict[int, float], most: int) -> list[int]:
    return sorted(scores, key=lambda number: -scores[number])[:most]


def _expected(
    tokens: list[int], query: NDArray[np.float64], blend: Blend, pool: int, let_in: int, keep: set[int]
) -> dict[int, float]:
    bm25, cosine = sparse_scores(POINTS, tokens), cosines(query[None, :], ROWS)[0]
    by_words = {n: bm25[n] for n in keep if bm25[n] > 0}
    by_meaning = {n: cosine[n] for n in keep if cosine[n] >= blend.entry}
    candidates = {*_best(by_words, pool), *_best(by_meaning, let_in)}
    score = fused(bm25, cosine, blend)
    return {number: float(score[number]) for number in candidates}


def _check(found: list[ScoredPoint], expected: dict[int, float]) -> None:
    got = {number_of(point): point.score for point in found}
    assert got.keys() == expected.keys()
    for number, score in got.items():
        assert score == pytest.approx(expected[number], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("pool", [30, 250])
def test_words_and_meaning_score_as_the_reference(answers: Answers, seed: int, pool: int) -> None:
    query, blend = _search(seed)
    tokens = sorted({seed % WORDS, (7 * seed + 3) % WORDS})
    recall = Recall((text_source(SparseVector(tokens, [1.0] * len(tokens))), meaning_source(query, blend)))
    request = personal_request(recall, NO_TASTE, PLAIN, pool)
    check_request(request)
    expected = _expected(tokens, query, blend, pool, min(pool, 200), set(range(COUNT)))
    assert len(expected) > pool or pool == 250
    _check(answers(request), expected)


def test_pools_that_are_large_enough_give_exactly_what_the_reference_recalls(answers: Answers) -> None:
    query, blend = _search(3)
    bm25, cosine = sparse_scores(POINTS, [2, 5]), cosines(query[None, :], ROWS)[0]
    found = answers(
        personal_request(
            Recall((text_source(SparseVector([2, 5], [1.0, 1.0])), meaning_source(query, blend))), NO_TASTE, PLAIN, POOL
        )
    )
    assert {number_of(point) for point in found} == set(np.flatnonzero(recalled(bm25, cosine, blend)).tolist())
    unmatched = [point for point in found if bm25[number_of(point)] == 0]
    assert unmatched
    assert all(point.score > 0 for point in unmatched)


@pytest.mark.parametrize("seed", range(6))
def test_meaning_answers_alone_where_no_word_is_known(answers: Answers, seed: int) -> None:
    query, blend = _search(seed)
    found = answers(personal_request(Recall((meaning_source(query, blend),)), NO_TASTE, PLAIN, POOL))
    cosine = cosines(query[None, :], ROWS)[0]
    let_in = np.flatnonzero(cosine >= blend.entry)
    assert len(let_in) > 0
    _check(found, {int(n): blend.slope * (cosine[n] - blend.floor) for n in let_in})


def test_filters_hold_on_both_sides(answers: Answers) -> None:
    query, blend = _search(1)
    where = Filter(must=(Matches("pack", ("cats",)),))
    recall = Recall((text_source(SparseVector([1, 4], [1.0, 1.0])), meaning_source(query, blend)), where)
    cats = set(range(0, COUNT, 3))
    _check(answers(personal_request(recall, NO_TASTE, PLAIN, 40)), _expected([1, 4], query, blend, 40, 40, cats))


@pytest.mark.parametrize("words", [[3, 8], None])
def test_utility_and_taste_multiply_the_fused_score(answers: Answers, words: list[int] | None) -> None:
    query, blend = _search(4)
    rng = np.random.default_rng(0)
    taste = Taste(unit_rows(rng.normal(size=(3, LOOK))), np.array([1.0, 0.6, 0.3]))
    by_words = (text_source(SparseVector(words, [1.0, 1.0])),) if words else ()
    recall = Recall((*by_words, meaning_source(query, blend)))
    found = answers(personal_request(recall, taste, Weights(0.5, 0.8, 0.0, IMAGE), 500))
    bm25, cosine = sparse_scores(POINTS, words or []), cosines(query[None, :], ROWS)[0]
    similarity = (IMAGES @ taste.centroids.T * taste.weights).max(axis=1)
    score = fused(bm25, cosine, blend) * (1 + 0.5 * UTILITY) * (1 + 0.8 * similarity)
    _check(found, {int(n): float(score[n]) for n in np.flatnonzero(recalled(bm25, cosine, blend))})


def test_a_search_without_direction_adds_nothing(answers: Answers) -> None:
    blend = Blend(2.0, 0.1, 0.4)
    recall = Recall((text_source(SparseVector([2], [1.0])), meaning_source(np.zeros(SENSE), blend)))
    bm25 = sparse_scores(POINTS, [2])
    found = answers(personal_request(recall, NO_TASTE, PLAIN, POOL))
    _check(found, {int(n): float(bm25[n]) for n in np.flatnonzero(bm25)})
