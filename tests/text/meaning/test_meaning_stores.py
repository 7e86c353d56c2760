"""Words and meaning through the stores and the ranker, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from meaning_engines import sparse_scores
from test_meaning_recall import COUNT, IMAGES, LOOK, POINTS, ROWS, SENSE, UTILITY, _search

from engines import ENGINES, make_store, new_name, quick_folder
from index_samples import manifest
from persrv.errors import VectorIndexError
from persrv.index.engine import Collection
from persrv.index.language import Point
from persrv.index.schema import MEANING, sticker_schema
from persrv.online.candidate_source import meaning_source, text_source
from persrv.online.page import Page
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall
from persrv.online.request import Taste
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.fusion import fused, recalled
from persrv.text.meaning.rows import cosines, unit_rows

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")


@pytest.fixture(scope="module", params=ENGINES)
def collection(request: pytest.FixtureRequest) -> Iterator[Collection]:
    with quick_folder() as folder, ExitStack() as stack:
        store, name = make_store(request.param, folder, stack), new_name()
        build = store.create(name, sticker_schema(LOOK, meaning=SENSE), manifest(COUNT, dimension=LOOK))
        build.upsert(POINTS)
        yield store.publish(name, build)


@pytest.mark.parametrize("words", [[3, 8], None])
def test_ranker_gives_the_reference(collection: Collection, words: list[int] | None) -> None:
    query, blend = _search(4)
    taste = Taste(unit_rows(np.random.default_rng(0).normal(size=(3, LOOK))), np.array([1.0, 0.6, 0.3]))
    by_words = (text_source(SparseVector(words, [1.0, 1.0])),) if words else ()
    recall = Recall((*by_words, meaning_source(query, blend)))
    ranked = Ranker(collection, Ranking(beta=0.5, gamma=0.8)).rank(recall, taste, Page(0, 1000))
    bm25, cosine = sparse_scores(POINTS, words or []), cosines(query[None, :], ROWS)[0]
    similarity = (IMAGES @ taste.centroids.T * taste.weights).max(axis=1)
    score = fused(bm25, cosine, blend) * (1 + 0.5 * UTILITY) * (1 + 0.8 * similarity)
    expected = np.sort(score[recalled(bm25, cosine, blend)])[::-1]
    np.testing.assert_allclose(ranked.scores, expected, rtol=1e-5, atol=1e-5)


def test_rows_of_another_length_are_refused(collection: Collection) -> None:
    wrong = Point(POINTS[0].id, {MEANING: [[1.0] * (SENSE + 1)]})
    with pytest.raises(VectorIndexError, match=f"no list of {SENSE} numbers"):
        collection.upsert([wrong])
