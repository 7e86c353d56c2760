"""The request language on the embedded engine: its traps, and that each formula has the value it should have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
import qdrant_edge as edge

from engines import filled, quick_folder
from index_samples import DIMENSION, PACKS, identity, sample_points, sparse
from persrv.index.client_translator import to_request
from persrv.index.edge_translator import to_edge_filter, to_edge_requests
from persrv.index.engine import Collection
from persrv.index.language import (
    AbsoluteValue,
    Division,
    Expression,
    Filter,
    Formula,
    HasId,
    Matches,
    Nearest,
    NearestStyles,
    PayloadNumber,
    Power,
    Prefetch,
    PrefetchScore,
    Product,
    Request,
    ScoredPoint,
    Sum,
    nearest_style,
)
from persrv.index.schema import IMAGE, MEANING, TEXT
from persrv.text.bm25f import SparseVector

DENSE = [1.0] * DIMENSION
RECALL = Prefetch(Nearest(DENSE, IMAGE), limit=300)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Collection]:
    with ExitStack() as stack:
        yield filled("embedded", stack.enter_context(quick_folder()), stack)


@pytest.mark.parametrize("animated", [True, False])
def test_truth_values_match(embedded: Collection, animated: bool) -> None:
    """The engine's own class turns ``True`` into 1, which matches nothing; the translation goes round that."""
    plain = edge.MatchValue(animated)
    assert plain.value == int(animated)
    assert type(plain.value) is int
    assert embedded.count(Filter(must=(Matches("animated", (animated,)),))) == 150


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (Filter(must=(Matches("pack", ("cats",)),)), 75),
        (Filter(must=(Matches("pack", ("cats", "dogs")),)), 150),
        (Filter(must=(Matches("pack", ()),)), 0),
        (Filter(must=(Matches("bucket", (9,)),)), 3),
        (Filter(must_not=(Matches("pack", ("cats",)),)), 225),
        (Filter(must=(HasId((identity(1), identity(2), identity(999))),)), 2),
        (Filter(must_not=(HasId((identity(1),)),)), 299),
        (Filter(must=(Matches("pack", ("cats",)), Matches("animated", (True,)))), 75),
        (Filter(), 300),
    ],
)
def test_filters_keep_what_they_say(embedded: Collection, where: Filter, count: int) -> None:
    assert embedded.count(where) == count


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
@pytest.mark.parametrize(
    "expression",
    [
        2.5,
        PrefetchScore(0),
        PayloadNumber("bucket", default=3.0),
        Sum((PrefetchScore(0), PayloadNumber("bucket"), -1.0)),
        Product((PrefetchScore(0), PayloadNumber("utility", default=0.5))),
        Division(PrefetchScore(0), PayloadNumber("utility"), by_zero=7.0),
        AbsoluteValue(PrefetchScore(0)),
        Power(PrefetchScore(0), 3.0),
    ],
    ids=lambda expression: type(expression).__name__,
)
def test_every_expression_has_the_value_that_local_mode_gives_it(
    embedded: Collection, oracle: Collection, expression: Expression
) -> None:
    request = Request(Formula(expression), limit=300, prefetch=(RECALL,))
    want = {p.id: p.score for p in oracle.query(request)}
    got = {p.id: p.score for p in embedded.query(request)}
    assert got == pytest.approx(want, rel=1e-6, abs=1e-6)
    assert len(got) > 200


@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_nearest_style_comes_out_of_the_formula_as_it_went_in(embedded: Collection, count: int) -> None:
    rng = np.random.default_rng(count)
    styles = rng.normal(size=(count, DIMENSION))
    styles /= np.linalg.norm(styles, axis=1, keepdims=True)
    styles *= rng.uniform(0.2, 1, (count, 1))
    everything = Prefetch(Nearest(sparse(list(range(40)), [1.0] * 40), TEXT), limit=300)
    near = Prefetch(NearestStyles(styles.tolist(), IMAGE), limit=300, inner=(everything,))
    request = Request(Formula(nearest_style(PrefetchScore(1))), limit=300, prefetch=(everything, near))
    found = {p.id: p.score for p in embedded.query(request)}
    stored = {p.id: p.vectors.get(IMAGE) for p in sample_points(300) if TEXT in p.vectors}
    want = {i: float((styles @ np.asarray(image)).max()) if image else 0.0 for i, image in stored.items()}
    assert found == pytest.approx(want, abs=1e-6)
    assert 0.0 in want.values()
    assert count > 1 or min(want.values()) < -0.1


def test_no_filter_stays_none() -> None:
    assert to_edge_filter(None) is None


def test_score_thresholds(embedded: Collection) -> None:
    strict = Prefetch(Nearest(DENSE, IMAGE), limit=300, threshold=0.5)
    scores = [p.score for p in embedded.query(Request(Formula(PrefetchScore(0)), prefetch=(strict,), limit=300))]
    loose = embedded.query(Request(Nearest(DENSE, IMAGE), limit=300))
    assert len(scores) == sum(p.score > 0.5 for p in loose) > 3


def test_answers_come_back_in_our_words(embedded: Collection) -> None:
    query = Nearest(sparse([3], [1.0]), TEXT)
    (found,) = embedded.query(Request(query, limit=1, with_payload=True, with_vectors=(IMAGE, TEXT)))
    assert isinstance(found, ScoredPoint)
    assert isinstance(found.id, str)
    assert isinstance(found.sparse(TEXT), SparseVector)
    assert found.dense(TEXT) is None
    assert found.sparse(IMAGE) is None
    assert found.payload["pack"] in PACKS


@pytest.mark.parametrize("exact", [True, False])
def test_all_points_are_compared_where_that_is_asked_for(exact: bool) -> None:
    near = Nearest([DENSE], MEANING, exact)
    inside = to_edge_requests([Request(near, limit=5), Request(RECALL.query, limit=5, prefetch=(Prefetch(near, 5),))])
    for translated in (inside[0], inside[1].prefetches[0]):
        assert (translated.params is not None and translated.params.exact) == exact
    client = to_request(Request(near, limit=5, prefetch=(Prefetch(near, 5),)))
    assert client.prefetch is not None
    for params in (client.params, client.prefetch[0].params):  # type: ignore[index, union-attr]
        assert (params is not None and params.exact) == exact
