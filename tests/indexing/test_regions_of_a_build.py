"""Regions of style: written by a build of a large collection, kept by later changes, and brought to an older index."""

from __future__ import annotations

from contextlib import closing

import pytest

from persrv.index.language import Nearest, Record, Request
from persrv.index.schema import REGIONAL, STYLE_CLUSTER, TEXT
from persrv.indexing import fit
from persrv.indexing.progress import Silent
from persrv.offline import build_collection
from persrv.online.overview import examine
from persrv.ranking import regional, style_clusters
from persrv.ranking.regional import regional_query, regional_text
from persrv.text.bm25f import SparseVector, token_id
from persrv.workspace import Workspace
from tiny_collection import Tiny

CAT = token_id("cat")


@pytest.fixture
def large(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """The small collection, built as if it were large enough to have regions."""
    let_be_large(monkeypatch)
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    return tiny


def let_be_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style_clusters, "LEAST", 20)
    monkeypatch.setattr(regional, "FREQUENT", 3)


def ills(tiny: Tiny) -> list[str]:
    return [check.finding for check in examine(tiny.file, home=tiny.home, deep=Silent()) if not check.passed]


def check_points(tiny: Tiny) -> list[Record]:
    """Return all points, each of which has a region, and its frequent words in it."""
    workspace = Workspace.of(tiny.file, tiny.home)
    with closing(workspace.store()) as store, store.open("tiny") as stickers:
        frequent = {*stickers.manifest.regional_words}
        found = list(stickers.scroll(with_vectors=(TEXT, REGIONAL)))
    assert CAT in frequent
    for record in found:
        text, stored = record.vectors[TEXT], record.vectors.get(REGIONAL, SparseVector([], []))
        assert isinstance(text, SparseVector)
        assert isinstance(stored, SparseVector)
        wanted = regional_text(text, int(record.payload[STYLE_CLUSTER]), frequent)
        assert stored.indices == wanted.indices
        assert stored.values == pytest.approx(wanted.values, rel=1e-6)
    return found


def test_a_build_writes_regions_and_words_find_stickers_in_them(large: Tiny) -> None:
    found = check_points(large)
    regions = {record.id: record.payload[STYLE_CLUSTER] for record in found}
    assert len(found) == 30
    assert len(set(regions.values())) > 1
    workspace = Workspace.of(large.file, large.home)
    with closing(workspace.store()) as store, store.open("tiny") as stickers:
        cat = SparseVector([CAT], [1.0])
        everywhere = {point.id for point in stickers.query(Request(Nearest(cat, TEXT), limit=30))}
        assert len(everywhere) > 1
        for region in set(regions.values()):
            asked = regional_query(cat, {region: 1.0}, {CAT})
            inside = stickers.query(Request(Nearest(asked, REGIONAL), limit=30))
            assert {point.id for point in inside} == {one for one in everywhere if regions[one] == region}
    with large.open() as retriever:
        assert len(retriever.search("cat", "ann")) == len(everywhere)
    assert ills(large) == []


def test_an_edit_and_a_pick_keep_them(large: Tiny) -> None:
    with large.open() as retriever:
        sticker = retriever.search("cat", "ann")[0].sticker_id
        retriever.edit(sticker, "tags", ["zebra"], editor="ann")
        retriever.record("bo", "zebra", sticker)
        assert [hit.sticker_id for hit in retriever.search("zebra", "ann")] == [sticker]
    check_points(large)
    assert ills(large) == []


def test_an_index_from_before_regions_answers_until_the_next_build_makes_them(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "_POINTS", 1)
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    monkeypatch.undo()
    let_be_large(monkeypatch)
    with tiny.open() as retriever:
        assert retriever.search("cat", "ann")
    report = build_collection(tiny.file, home=tiny.home)
    assert report.index is not None
    assert report.index.way == "beside"
    check_points(tiny)
    again = build_collection(tiny.file, home=tiny.home)
    assert again.index is not None
    assert again.index.way == "in place"
