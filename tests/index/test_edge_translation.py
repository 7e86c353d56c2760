"""What the embedded engine is asked for, and what it is never asked for silently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import qdrant_edge as edge
from qdrant_client import models as m

from engines import filled, quick_folder
from index_samples import DIMENSION, PACKS, identity, sparse
from persrv.errors import QueryError
from persrv.index.edge_filter import to_edge_filter
from persrv.index.edge_models import to_edge_request
from persrv.index.engine import Collection, Request
from persrv.index.schema import IMAGE, TEXT

DENSE = [1.0] * DIMENSION
RECALL = m.Prefetch(query=DENSE, using=IMAGE, limit=5)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Collection]:
    with ExitStack() as stack:
        yield filled("embedded", stack.enter_context(quick_folder()), stack)


def field(**condition: object) -> m.Filter:
    return m.Filter.model_validate({"must": {"key": "pack", **condition}})


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request(query=m.NearestQuery(nearest=identity(1)), using=IMAGE, limit=1), "does not know str"),
        (Request(query=m.NearestQuery(nearest=DENSE, mmr=m.Mmr()), using=IMAGE, limit=1), "NearestQuery.mmr"),
        (Request(query=m.RecommendQuery(recommend=m.RecommendInput(positive=[DENSE])), limit=1), "RecommendQuery"),
        (Request(query=m.SampleQuery(sample=m.Sample.RANDOM), limit=1), "SampleQuery"),
        (
            Request(query=None, limit=1, prefetch=(m.Prefetch(limit=1, lookup_from=m.LookupLocation(collection="x")),)),
            "Prefetch.lookup_from",
        ),
        (
            Request(
                query=None,
                limit=1,
                prefetch=(RECALL.model_copy(update={"params": m.SearchParams(idf=m.IdfScope.GLOBAL)}),),
            ),
            "SearchParams.idf",
        ),
        (Request(query=None, limit=1, filter=field(match={"text": "cat"})), "MatchText"),
        (Request(query=None, limit=1, filter=field(geo_radius={"center": {"lon": 0, "lat": 0}, "radius": 1})), "geo"),
        (
            Request(query=None, limit=1, filter=m.Filter(min_should=m.MinShould(conditions=[], min_count=1))),
            "Filter.min_should",
        ),
        (
            Request(query=None, limit=1, filter=m.Filter(must=[m.HasIdCondition(has_id=["nobody"])])),
            "point id that is none",
        ),
        (
            Request(
                query=m.FormulaQuery(
                    formula=m.GeoDistance(geo_distance=m.GeoDistanceParams(origin=m.GeoPoint(lon=0, lat=0), to="x"))
                ),
                prefetch=(RECALL,),
                limit=1,
            ),
            "GeoDistance",
        ),
    ],
)
def test_what_is_not_translated_is_refused_by_name(request_: Request, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        to_edge_request(request_)


@pytest.mark.parametrize("animated", [True, False])
def test_truth_values_match(embedded: Collection, animated: bool) -> None:
    """The engine's own class turns ``True`` into 1, which matches nothing; the translation goes round that."""
    plain = edge.MatchValue(animated)
    assert plain.value == int(animated)
    assert type(plain.value) is int
    where = m.Filter(must=[m.FieldCondition(key="animated", match=m.MatchValue(value=animated))])
    assert embedded.count(where) == 150


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (m.Filter(must=m.FieldCondition(key="pack", match=m.MatchValue(value="cats"))), 75),
        (field(match={"any": ["cats", "dogs"]}), 150),
        (field(match={"any": []}), 0),
        (field(match={"except": ["cats"]}), 225),
        (m.Filter(must=[m.FieldCondition(key="bucket", range=m.Range(gt=9, lte=19))]), 30),
        (m.Filter(must=[m.IsEmptyCondition(is_empty=m.PayloadField(key="language"))]), 200),
        (m.Filter(must=[m.FieldCondition(key="language", is_empty=True)]), 200),
        (m.Filter(must_not=[m.HasVectorCondition(has_vector=IMAGE)]), 43),
        (m.Filter(must=[m.FieldCondition(key="tags", values_count=m.ValuesCount(gte=3))]), 0),
        (m.Filter(should=[m.HasIdCondition(has_id=[identity(1), identity(2), identity(999)])]), 2),
        (m.Filter(must=[m.Filter(must_not=[m.HasIdCondition(has_id=[identity(1)])])]), 299),
        (m.Filter(), 300),
    ],
)
def test_filters_keep_what_they_say(embedded: Collection, where: m.Filter, count: int) -> None:
    assert embedded.count(where) == count


DECAY = m.DecayParamsExpression(x="bucket", target=10.0, scale=20.0, midpoint=0.25)


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
@pytest.mark.parametrize(
    "expression",
    [
        m.Log10Expression(log10=m.SumExpression(sum=["bucket", 1.0])),
        m.AcoshExpression(acosh=m.SumExpression(sum=["bucket", 1.0])),
        m.LinDecayExpression(lin_decay=DECAY),
        m.ExpDecayExpression(exp_decay=DECAY),
        m.GaussDecayExpression(gauss_decay=DECAY.model_copy(update={"target": None})),
        m.MaxExpression(max=["$score[0]", "utility", -1]),
        m.DatetimeExpression(datetime="2026-11-04T12:13:14Z"),
        m.DatetimeKeyExpression(datetime_key="picked"),
        m.IsNullCondition(is_null=m.PayloadField(key="language")),
        m.NestedCondition(nested=m.Nested(key="tags", filter=m.Filter())),
        m.FieldCondition(key="picked", range=m.DatetimeRange(gte=datetime(2026, 1, 1, tzinfo=UTC))),
    ],
    ids=lambda expression: type(expression).__name__,
)
def test_every_expression_has_the_value_that_local_mode_gives_it(
    embedded: Collection, oracle: Collection, expression: m.Expression
) -> None:
    defaults = {"utility": 0.0, "bucket": 0.0, "$score[0]": 0.0, "picked": "2026-11-04T12:13:14Z"}
    recall = m.Prefetch(query=DENSE, using=IMAGE, limit=300)
    request = Request(m.FormulaQuery(formula=expression, defaults=defaults), limit=300, prefetch=(recall,))
    want = {p.id: p.score for p in oracle.query(request)}
    got = {p.id: p.score for p in embedded.query(request)}
    assert got == pytest.approx(want, rel=1e-6, abs=1e-6)
    assert len(got) > 200


def test_no_filter_stays_none() -> None:
    assert to_edge_filter(None) is None


def test_reciprocal_rank_fusion_uses_qdrants_constant(embedded: Collection) -> None:
    """The best of one list gets 1 / 2, since Qdrant's k is 2 and ranks count from 0."""
    for query in (m.FusionQuery(fusion=m.Fusion.RRF), m.RrfQuery(rrf=m.Rrf())):
        assert embedded.query(Request(query=query, prefetch=(RECALL,), limit=1))[0].score == pytest.approx(0.5)
    sixty = m.RrfQuery(rrf=m.Rrf(k=60))
    assert embedded.query(Request(query=sixty, prefetch=(RECALL,), limit=1))[0].score == pytest.approx(1 / 60)


def test_distribution_based_fusion_and_score_thresholds(embedded: Collection) -> None:
    query = m.FusionQuery(fusion=m.Fusion.DBSF)
    assert len(embedded.query(Request(query=query, prefetch=(RECALL, RECALL), limit=10))) == 5
    params = m.SearchParams(exact=True)
    strict = m.Prefetch(query=DENSE, using=IMAGE, limit=300, score_threshold=0.5, params=params)
    scores = [p.score for p in embedded.query(Request(query=query, prefetch=(strict,), limit=300))]
    loose = embedded.query(Request(query=m.NearestQuery(nearest=DENSE), using=IMAGE, limit=300))
    assert len(scores) == sum(p.score > 0.5 for p in loose) > 3


def test_order_by_starts_where_it_is_told(embedded: Collection) -> None:
    order = m.OrderByQuery(order_by=m.OrderBy(key="bucket", direction=m.Direction.ASC, start_from=95))
    got = embedded.query(Request(query=order, limit=100))
    assert [p.order_value for p in got] == sorted([95, 96, 97, 98, 99] * 3)
    plain = embedded.query(Request(query=m.OrderByQuery(order_by="bucket"), limit=3))
    assert [p.order_value for p in plain] == [0, 0, 0]


def test_answers_come_back_as_the_clients_models(embedded: Collection) -> None:
    query = m.NearestQuery(nearest=sparse([3], [1.0]))
    (found,) = embedded.query(Request(query=query, using=TEXT, limit=1, with_payload=True, with_vectors=(IMAGE, TEXT)))
    assert isinstance(found, m.ScoredPoint)
    assert isinstance(found.id, str)
    assert isinstance(found.vector, dict)
    assert isinstance(found.vector[TEXT], m.SparseVector)
    assert found.payload
    assert found.payload["pack"] in PACKS
