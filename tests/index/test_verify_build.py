"""The last check before a build becomes current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index_samples import DIMENSION, SCHEMA, identity, manifest, point, sparse
from persrv.errors import VectorIndexError
from persrv.index.embedded import EmbeddedStore
from persrv.index.embedded_collection import EmbeddedCollection
from persrv.index.language import Nearest, Point, Request, ScoredPoint, StoredVector
from persrv.index.schema import IMAGE, TEXT
from persrv.index.verify import verify


@pytest.fixture
def store(folder: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(folder) as opened:
        yield opened


@pytest.mark.parametrize("lost", [IMAGE, TEXT])
def test_a_build_that_does_not_find_its_own_points_is_refused(
    store: EmbeddedStore, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.create("emoji", SCHEMA, manifest(1))
    made.upsert([point(0)])
    verify(made)
    answer = EmbeddedCollection.query

    def forgetful(self: EmbeddedCollection, request: Request) -> list[ScoredPoint]:
        return [] if isinstance(request.query, Nearest) and request.query.using == lost else answer(self, request)

    monkeypatch.setattr(EmbeddedCollection, "query", forgetful)
    with pytest.raises(VectorIndexError, match=f"does not find point {identity(0)} by its vector {lost}"):
        verify(made)


def test_points_without_vectors_or_words_of_weight_are_no_reason_to_refuse(store: EmbeddedStore) -> None:
    made = store.create("emoji", SCHEMA, manifest(3))
    vectors: list[dict[str, StoredVector]] = [{}, {TEXT: sparse([4], [0.0])}, {IMAGE: [DIMENSION**-0.5] * DIMENSION}]
    made.upsert([Point(identity(n), vector) for n, vector in enumerate(vectors)])
    verify(made)
