from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bm25s
import numpy as np
import pytest

from persrv.errors import QueryError, RecipeError
from persrv.lab.evaluation.leaks import check_picks
from persrv.lab.evaluation.material import Material, RawVectors, read_material
from persrv.lab.evaluation.postings import Postings, one_field, plain_bm25
from persrv.lab.evaluation.published import centres, published, published_recall, with_styles
from persrv.lab.evaluation.retrieved import Retrieved, trained_retriever
from persrv.lab.evaluation.splits import PickSplit, by_time
from persrv.lab.evaluation.systems import (
    NOBODY,
    bm25,
    bm25_with_utility,
    only_fields,
    ours,
    popularity,
    query_picks,
    query_picks_with_own,
    random_order,
    stickerfinder,
)
from persrv.lab.evaluation.view import View
from persrv.online.retriever import Retriever
from persrv.recipe import Ranking, Recipe
from persrv.records import Interaction, Semantics, Sticker
from persrv.text import score, tokenize
from persrv.workspace import Workspace
from tiny_collection import Tiny

START = datetime(2026, 1, 1, tzinfo=UTC)


def sticker(name: str, **texts: tuple[str, ...]) -> Sticker:
    packs = texts.get("pack", ())
    return Sticker(name, None, "", 0, 0, 0, packs, Semantics(**texts), "", "safe", "")


def pick(user: str, query: str, name: str, hour: int = 0) -> Interaction:
    return Interaction(user, query, name, START + timedelta(hours=hour))


STICKERS = (
    sticker("a", tags=("happy cat",), pack=("Cats",)),
    sticker("b", tags=("cat", "sleepy cat")),
    sticker("c", tags=("dog",), ocr=("good cat",)),
    sticker("d", description=("a cat and a dog in the rain",)),
    sticker("e", tags=("rain",)),
)
IMAGES = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8], [0, 0]], dtype=np.float32)
LOOKS = RawVectors("drawn@1", np.arange(4), IMAGES[:4])
RECIPE = Recipe.from_dict({"name": "drawn", "stickers": {"loader": "folder"}})
MATERIAL = Material(stickers=STICKERS, recipe=RECIPE, looks={"style": LOOKS, "content": LOOKS})
PICKS = (
    pick("ann", "kitty", "a", 0),
    pick("ann", "Kitty", "a", 1),
    pick("bo", "puss", "a", 2),
    pick("bo", "sleep", "b", 3),
)
VIEW = View(MATERIAL, PICKS)


@pytest.mark.parametrize("query", ["cat", "happy cat", "cat rain", "dog dog sleepy"])
def test_bm25_agrees_with_bm25s(query: str) -> None:
    corpus = [
        [word for _, phrases in s.semantics.items() for text in phrases for word in tokenize(text)] for s in STICKERS
    ]
    corpus[0] += tokenize("puss") + tokenize("kitty")
    corpus[1] += tokenize("sleep")
    oracle = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    oracle.index(corpus, show_progress=False)
    expected = oracle.get_scores(list(dict.fromkeys(tokenize(query))))
    typed = {word: tokenize(query).count(word) for word in tokenize(query)}
    if max(typed.values()) == 1:
        assert VIEW.flat_words.scores(query) == pytest.approx(expected, rel=1e-5)
    ranked = bm25(VIEW).rank(query, "", 5)
    assert ranked == sorted((i for i in ranked), key=lambda i: (-VIEW.flat_words.scores(query)["abcde".index(i)], i))


def test_postings_are_the_reference_score() -> None:
    documents = VIEW.documents
    for query in ("cat", "happy rain cat", "kitty 开心", "nothing"):
        expected = [score(_tokens(query), document, VIEW.words.statistics).total for document in documents]
        assert VIEW.words.scores(query) == pytest.approx(expected)


def _tokens(query: str) -> dict[str, float]:
    from persrv.text import query_tokens

    return dict(query_tokens(query))


def test_what_users_typed_is_learnt_folded_and_most_widely_used_first() -> None:
    assert VIEW.typed == {"a": ("puss", "kitty"), "b": ("sleep",)}
    assert VIEW.counts.tolist() == [[3, 2, 2], [1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert VIEW.ages[0] == pytest.approx(1 / 24)


def test_simple_baselines_by_hand() -> None:
    assert popularity(VIEW).rank("whatever", "", 3) == ["a", "b", "c"]
    chance = random_order(VIEW, seed=1)
    assert sorted(chance.rank("cat", "ann", 9)) == ["a", "b", "c", "d", "e"]
    assert chance.rank("cat", "ann", 9) == chance.rank("CAT ", "ann", 9)
    assert len({tuple(chance.rank(f"q{n}", "ann", 9)) for n in range(20)}) > 10
    factors = bm25_with_utility(VIEW).scores("cat", "") / np.maximum(bm25(VIEW).scores("cat", ""), 1e-9)
    assert factors[:2].tolist() == pytest.approx((1 + 0.5 * VIEW.utility[:2]).tolist())


def test_stickerfinder_by_hand() -> None:
    system = stickerfinder(VIEW)
    assert system.scores("cat", "").tolist() == pytest.approx([1.75, 1.0, 0.4, 0.0, 0.0])
    assert system.scores("cat", "ann")[0] == pytest.approx(1.75 + 2 * 0.05)
    assert system.scores("sleepy cat", "bo")[1] == pytest.approx(2.05)
    assert system.rank("kitty", "ann", 5) == []


def test_picks_of_a_query_are_counted_in_people() -> None:
    picks = (*PICKS, pick("cy", "kitty", "b", 4), pick("bo", "KITTY", "b", 5), pick("cy", "sleep", "c", 6))
    view = View(MATERIAL, picks)
    # ann picked "a" twice for it, bo and cy picked "b" once each.
    assert query_picks(view).scores("Kitty", "").tolist() == [1, 2, 0, 0, 0]
    assert query_picks(view).rank("kitty", "", 5) == ["b", "a"]
    assert query_picks(view).rank("cat", "", 5) == []
    # Whatever ann asks, her own "a" counts three times.
    assert query_picks_with_own(view).rank("kitty", "ann", 5) == ["a", "b"]
    assert query_picks_with_own(view).rank("kitty", "", 5) == ["b", "a"]


def test_the_published_recall_by_hand() -> None:
    described = Postings.of(
        [
            one_field(message)
            for message in (["happy cat"], ["cat", "sleepy cat"], ["dog"], ["a cat and a dog in the rain"], ["rain"])
        ],
        plain_bm25(),
    )
    read = Postings.of([one_field(message) for message in ([], [], ["good cat"], [], [])], plain_bm25())
    text = described.scores("cat") + read.scores("cat")
    queries = np.array([2, 1, 1.05, 1.05, 1.05])
    expected = np.where(text > 0, text + np.sqrt(0.3 * queries), 0.0)
    assert published_recall(VIEW).scores("cat", "ann") == pytest.approx(expected)
    typed = published_recall(VIEW).scores("kitty", "ann")
    assert typed[0] == pytest.approx(
        0.5
        * Postings.of([one_field(t) for t in (["puss", "kitty"], ["sleep"], [], [], [])], plain_bm25()).scores("kitty")[
            0
        ]
        + np.sqrt(0.6)
    )


def test_the_published_lean_is_gated_by_the_radius() -> None:
    view = View(
        MATERIAL, (pick("ann", "x", "a"), pick("ann", "x", "a", 1), pick("cy", "x", "a"), pick("cy", "y", "c", 1))
    )
    start = published_recall(view).scores("cat", "")
    ratio = published(view).scores("cat", "ann")[:4] / np.maximum(start[:4], 1e-9)
    assert ratio.tolist() == pytest.approx([1.3, 1, 1, 1])
    both = published(view).scores("cat", "cy")[:4] / np.maximum(start[:4], 1e-9)
    assert both.tolist() == pytest.approx([1.3, 1, 1.3, 1])
    assert published(view).scores("cat", "stranger") == pytest.approx(start)


def test_published_centres_are_means_and_radii_reach_the_farthest() -> None:
    angles = np.array([0.0, 0.1, 1.5, 1.6, 3.0, 3.1, 4.5, 4.6, 5.4, 5.5])
    found = centres(np.column_stack([np.cos(angles), np.sin(angles)]))
    pairs = angles.reshape(-1, 2)
    middles = np.stack([np.cos(pairs).mean(axis=1), np.sin(pairs).mean(axis=1)], axis=1)
    assert np.allclose(sorted(found.centres.tolist()), sorted(middles.tolist()))
    assert found.radii == pytest.approx(np.full(5, np.sin(0.05)))
    assert len(centres(np.zeros((0, 3))).centres) == 0
    assert centres(np.zeros((0, 3))).factor(np.ones((2, 3))).tolist() == [1.0, 1.0]


def test_parts_of_ours_can_be_left_out() -> None:
    # Only ann typed it, so that her picks answer her alone.
    assert ours(VIEW).rank("kitty", "", 5) == ours(VIEW).rank("kitty", "bo", 5) == []
    assert ours(VIEW).rank("kitty", "ann", 5) == ["a"]
    assert ours(VIEW, Ranking(omega=0.0, delta=0.0)).rank("kitty", "ann", 5) == []
    assert ours(only_fields(VIEW, "ocr"), profiles=NOBODY).rank("cat", "", 5) == ["c"]
    plain = ours(VIEW, utility=False, profiles=NOBODY).scores("cat", "ann")
    assert plain == pytest.approx(VIEW.own_words.scores("cat"))
    assert with_styles(VIEW, lambda query, user: plain)("cat", "nobody") == pytest.approx(plain)


@pytest.fixture(scope="module")
def learnt(tiny_built: Tiny) -> Iterator[tuple[View, PickSplit, Retriever]]:
    """The tiny collection's view and its real retriever, both from the same training picks."""
    workspace = Workspace.of(tiny_built.file, tiny_built.home)
    with workspace.catalog() as catalog:
        material = read_material(workspace, catalog)
        split = by_time(list(catalog.interactions()), 0.4)
    view = View(material, split.train)
    with trained_retriever(workspace, split) as retriever:
        yield view, split, retriever


def test_the_view_answers_as_the_real_retriever(learnt: tuple[View, PickSplit, Retriever]) -> None:
    view, _, retriever = learnt
    assert {"ann", "bo"} == set(view.profiles)
    for user in ("ann", "bo", ""):
        for query in ("happy", "cat", "love rain", "开心", "party dog sad"):
            hits = retriever.search(query, user or None, limit=30)
            system = ours(view, own=True)
            assert Retrieved("real", retriever).rank(query, user, 30) == system.rank(query, user, 30)
            scores = dict(zip(view.material.ids, system.scores(query, user), strict=True))
            assert [hit.score for hit in hits] == pytest.approx([scores[h.sticker_id] for h in hits], rel=1e-4)
    result, untold = Retrieved("result", retriever), Retrieved("untold", retriever, personal=False)
    assert result.rank("rain", "ann", 3) != result.rank("rain", "bo", 3)
    assert untold.rank("rain", "ann", 3) == untold.rank("rain", "bo", 3) == result.rank("rain", "", 3)


def test_held_out_picks_leave_no_trace(learnt: tuple[View, PickSplit, Retriever]) -> None:
    _, split, retriever = learnt
    for question in split.questions:
        for name in question.relevant:
            hit = next(h for h in retriever.search(question.query, limit=30) if h.sticker_id == name)
            assert hit.payload.get("picks", 0) == 0
    assert len(retriever.picks("ann")) + len(retriever.picks("bo")) == len(split.train)


def test_the_collection_itself_is_left_alone_and_its_leak_is_seen(tiny_built: Tiny) -> None:
    workspace = Workspace.of(tiny_built.file, tiny_built.home)
    with workspace.catalog() as catalog:
        picks = list(catalog.interactions())
        split = by_time(picks, 0.4)
    with trained_retriever(workspace, split):
        pass
    with workspace.catalog() as catalog:
        assert list(catalog.interactions()) == picks
        with pytest.raises(QueryError, match="held-out picks are in the index"):
            check_picks(split, catalog.interactions())


def test_a_catalog_on_a_server_is_refused(tiny_built: Tiny, tmp_path: Path) -> None:
    recipe = tiny_built.recipe
    there = recipe.model_copy(update={"catalog": recipe.catalog.model_copy(update={"url": "postgresql://nowhere/x"})})
    split = by_time([pick("ann", "x", "a"), pick("ann", "y", "a", 1)], 0.5)
    with pytest.raises(RecipeError, match="on a server"), trained_retriever(Workspace(there, tmp_path), split):
        pass
