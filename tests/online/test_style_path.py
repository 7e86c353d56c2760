"""The whole path with style apart from meaning: its own vector, users' centroids in its space."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from persrv.catalog import VectorCache
from persrv.errors import IndexMismatchError, MissingExtraError, RecipeError
from persrv.images.encoders.cnn import STYLE_DIMENSION
from persrv.images.statistics import StatisticsEncoder
from persrv.index.schema import IMAGE, STYLE, point_id
from persrv.indexing.style_fit import StyleFit
from persrv.indexing.vector_sources import pictured
from persrv.offline import build_collection
from persrv.online.overview import overview
from persrv.online.retriever import Retriever
from persrv.ranking.style_space import REVISION
from persrv.recipe import Text
from persrv.text import Terms
from persrv.text.bm25f import SparseVector
from tiny_collection import MEANINGS, STYLES, Tiny


def says(tiny: Tiny, settings: str) -> Tiny:
    tiny.file.write_text(tiny.file.read_text() + f"[style]\n{settings}\n")
    return tiny


def vectors(retriever: Retriever, name: str) -> tuple[list[str], NDArray[np.float64]]:
    """Every sticker's style, and its vector of that name."""
    ids = [hit.sticker_id for hit in retriever.search("", limit=30)]
    records = retriever._newest.version.stickers.retrieve(
        [point_id(sticker_id) for sticker_id in ids], with_vectors=(name,)
    )
    payloads = [record.payload for record in records]
    rows = [record.dense(name) for record in records]
    return [p["style"] for p in payloads], np.array(rows)


def test_style_is_a_vector_of_its_own_and_centroids_lie_in_its_space(tiny_built: Tiny) -> None:
    with tiny_built.open() as retriever:
        manifest = retriever.manifest
        assert (manifest.taste_vector, manifest.taste_dimension) == (STYLE, StatisticsEncoder().dimension)
        assert manifest.style == f"{manifest.encoder} apart@{REVISION}"
        style, drawn = vectors(retriever, STYLE)
        assert len(style) == len(STYLES) * len(MEANINGS)
        (centroid,) = retriever.profile("ann").centroids
        nearest = np.argsort(-(drawn @ centroid))[: len(MEANINGS)]
        assert {style[i] for i in nearest} == {"line"}


def test_what_words_foretell_is_taken_out_of_the_vectors(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    style, meaning = np.divmod(np.arange(180), 30)
    raw = random.normal(size=(6, 24))[style] + 2 * random.normal(size=(30, 24))[meaning]
    ids = [f"{number:032x}" for number in range(181)]
    words = [SparseVector([int(number)], [0.5]) for number in meaning]
    packs = [f"style {number}" for number in style] + [""]
    nothing = [Terms.of({})] * 181
    with VectorCache(tmp_path, "drawn", "1", 24) as cache:
        cache.append(ids[:180], raw)
        have, seen = pictured(ids, cache)
        fits = [
            StyleFit.fit([ids[i] for i in have], seen, packs[:180], texts, {"tags": 1.0}) for texts in (words, None)
        ]
        apart, left_in = (fit.vectors_of(ids, packs, nothing, Text(), cache) for fit in fits)

    def same_hand(vectors: NDArray[np.float32]) -> float:
        cosines = vectors[:180] @ vectors[:180].T
        np.fill_diagonal(cosines, -2)
        return float((style[cosines.argmax(axis=1)] == style).mean())

    assert same_hand(apart) > 0.95 > 0.6 > same_hand(left_in)
    assert not apart[180].any()


def test_the_spaces_numbers_are_not_for_people(tiny_built: Tiny) -> None:
    found = overview(tiny_built.file, home=tiny_built.home)
    assert found["style"].endswith(f"apart@{REVISION}")
    assert "style_space" not in found
    json.dumps(found)


def test_a_pick_moves_the_profile_in_the_space_of_style(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        hit = retriever.search("cat", filters={"style": "soft"})[0]
        retriever.record("new", "cat", hit.sticker_id)
        records = retriever._newest.version.stickers.retrieve([point_id(hit.sticker_id)], with_vectors=(STYLE,))
        assert retriever.profile("new").centroids[0] == pytest.approx(records[0].dense(STYLE), abs=1e-5)
        assert retriever.search("rain", "new")[0].payload["style"] == "soft"


def test_without_apart_the_look_is_the_style(tiny: Tiny) -> None:
    build_collection(says(tiny, "apart = false").file, home=tiny.home)
    with tiny.open() as retriever:
        assert (retriever.manifest.style, retriever.manifest.taste_vector) == ("", IMAGE)
        assert set(retriever._newest.version.stickers.schema.vectors) == {IMAGE, "text", "picked"}
        assert retriever.search("cat", "ann")[0].payload["style"] == "line"


def test_an_index_built_otherwise_is_refused(tiny: Tiny) -> None:
    with pytest.raises(IndexMismatchError, match="built with style"):
        says(tiny, "apart = false").open()


@pytest.mark.parametrize("apart", [True, False])
def test_another_encoder_for_style_is_computed_beside(tiny: Tiny, apart: bool) -> None:
    settings = f'encoder = "efficientnet-lite0-style"\napart = {str(apart).lower()}'
    report = build_collection(says(tiny, settings).file, home=tiny.home)
    assert report.encoded == len(STYLES) * len(MEANINGS)
    with tiny.open() as retriever:
        manifest = retriever.manifest
        assert manifest.style.startswith("efficientnet-lite0-style@")
        assert (manifest.taste_vector, manifest.taste_dimension) == (STYLE, STYLE_DIMENSION)
        assert manifest.dimension == StatisticsEncoder().dimension
        assert retriever.search("cat", "bo")[0].payload["style"] == "flat"
        assert len(retriever.similar(retriever.search("cat")[0].sticker_id, by="look")) > 0
    assert build_collection(tiny.file, home=tiny.home).encoded == 0


def test_a_style_encoder_that_is_not_there_is_named(tiny: Tiny) -> None:
    with pytest.raises((RecipeError, MissingExtraError), match="crystal"):
        build_collection(says(tiny, 'encoder = "crystal"').file, home=tiny.home)


def test_a_collection_without_text_or_packs_is_built(tiny: Tiny) -> None:
    for side_car in (tiny.file.parent / "stickers").rglob("*.json"):
        side_car.unlink()
    build_collection(tiny.file, home=tiny.home)
    with tiny.open() as retriever:
        assert len(retriever.search("", limit=30)) == len(STYLES) * len(MEANINGS)
