from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from persrv.errors import IndexMismatchError
from persrv.records import FIELDS, Semantics
from persrv.text.bm25f import idf
from persrv.text.meaning.fusion import Blend, best_text_score, fused, meaning_score, recalled
from persrv.text.meaning.learn import learned_space, sticker_rows
from persrv.text.meaning.phrases import phrases
from persrv.text.meaning.registry import text_encoder
from persrv.text.meaning.rows import cosines, indexed_rows, unit_rows
from persrv.text.meaning.scatter import Scatter
from persrv.text.meaning.space import MeaningSpace

Vectors = NDArray[np.floating[Any]]
WORDS = st.lists(st.text("ab \t", max_size=4), max_size=5).map(tuple)
SEMANTICS = st.builds(Semantics, **dict.fromkeys(FIELDS, WORDS))


def test_fields_take_turns_and_repeats_are_left_out() -> None:
    message = Semantics(
        name=("Cat",),
        tags=("cute", "cat "),
        emoji=("😺",),
        description=("A  cat sits.",),
        queries=("aww", ""),
        pack=("p",),
    )
    assert phrases(message) == ["cat", "cute", "aww", "a cat sits.", "grinning cat", "大笑的猫"]
    assert phrases(message, most=2) == ["cat", "cute"]
    assert phrases(Semantics(emoji=("😺",), pack=("p",))) == ["grinning cat", "大笑的猫"]
    assert phrases(Semantics(pack=("Lazy Dogs",))) == ["lazy dogs"]
    assert phrases(Semantics(tags=("pug",), pack=("Lazy Dogs",))) == ["pug", "lazy dogs"]


@given(SEMANTICS, st.integers(1, 8))
def test_phrases_are_few_distinct_and_not_empty(found_text: Semantics, most: int) -> None:
    found = phrases(found_text, most)
    assert len(found) == len(set(found)) <= most
    assert all(phrase.strip() == phrase != "" for phrase in found)


def test_rows_lean_to_the_mean() -> None:
    half = np.sqrt(0.5)
    near = np.array([1 + half, half]) / np.hypot(1 + half, half)
    found = indexed_rows(np.eye(2))
    np.testing.assert_allclose(found, [near, near[::-1]], atol=1e-6)
    np.testing.assert_allclose(indexed_rows(np.array([[0.0, 1.0]])), [[0.0, 1.0]])


def test_the_nearest_phrases_are_merged() -> None:
    vectors = unit_rows(np.array([[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1.0]]))
    found = indexed_rows(vectors, most=2)
    middle = unit_rows(vectors.sum(axis=0)[None, :])
    expected = unit_rows(unit_rows(np.array([vectors[2], vectors[0] + vectors[1]])) + middle)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_phrases_that_cancel_out_and_empty_ones_give_no_rows() -> None:
    assert indexed_rows(np.zeros((0, 3))).shape == (0, 3)
    assert indexed_rows(np.zeros((2, 3))).shape == (0, 3)
    assert indexed_rows(np.array([[1.0, 0], [-1.0, 0]]), most=1).shape == (0, 2)


@given(st.integers(0, 9), st.integers(1, 5), st.integers(0, 2**32))
def test_rows_are_few_and_of_length_one(count: int, most: int, seed: int) -> None:
    found = indexed_rows(unit_rows(np.random.default_rng(seed).normal(size=(count, 4))), most)
    assert len(found) == min(count, most)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 2**32))
def test_phrases_are_merged_as_if_all_were_compared_anew_each_time(count: int, most: int, seed: int) -> None:
    units = unit_rows(np.random.default_rng(seed).normal(size=(count, 4)))
    sums = list(units)
    while len(sums) > most:
        of_length_one = unit_rows(np.array(sums))
        pairs = [(left, right) for left in range(len(sums)) for right in range(left + 1, len(sums))]
        left, right = max(pairs, key=lambda pair: of_length_one[pair[0]] @ of_length_one[pair[1]])
        merged = sums[left] + sums[right]
        sums = [row for at, row in enumerate(sums) if at not in (left, right)] + [merged]
    expected = unit_rows(unit_rows(np.array(sums)) + unit_rows(units.sum(axis=0)[None, :]))
    np.testing.assert_allclose(indexed_rows(units, most), expected, atol=1e-6)


def test_many_stickers_have_the_rows_that_each_has_alone() -> None:
    stickers, searches, owners = _collection()
    space = MeaningSpace.fit(stickers, searches, owners)
    batch = [*stickers, np.zeros((0, 10)), *stickers] * 9  # more phrases than are projected at once
    assert sum(map(len, batch)) > 4096
    for together, alone in zip(space.stickers(batch), map(space.sticker, batch), strict=True):
        np.testing.assert_allclose(together, alone, atol=1e-6)
    assert space.stickers([]) == []


@pytest.mark.parametrize("stickers", [1, 255, 256, 700])
def test_what_is_summed_up_in_groups_is_what_all_phrases_have(stickers: int) -> None:
    rng = np.random.default_rng(stickers)
    phrases_ = [rng.normal(3.0, 1.0, size=(rng.integers(1, 6), 4)) for _ in range(stickers)]
    found, every = Scatter.of(phrases_, 4), np.concatenate(phrases_)
    np.testing.assert_allclose(found.mean, every.mean(axis=0))
    np.testing.assert_allclose(found.total, (every - every.mean(axis=0)).T @ (every - every.mean(axis=0)))
    several = [rows for rows in phrases_ if len(rows) > 1]
    within = sum((np.cov(rows, rowvar=False) * len(rows) for rows in several), np.zeros((4, 4)))
    np.testing.assert_allclose(found.within, within, atol=1e-9)
    assert found.phrases == sum(map(len, several))


def test_a_sticker_is_as_like_as_its_best_row() -> None:
    stickers = [np.array([[1.0, 0], [0, 1.0]]), np.zeros((0, 2)), np.array([[-1.0, 0]])]
    searches = np.array([[0.6, 0.8], [1.0, 0.0]])
    np.testing.assert_allclose(cosines(searches, stickers), [[0.8, -1.0, -0.6], [1.0, -1.0, -1.0]])
    assert cosines(searches, []).shape == (2, 0)
    assert cosines(searches, stickers[1:2]).tolist() == [[-1.0], [-1.0]]


def _collection(seed: int = 0) -> tuple[list[Vectors], Vectors, list[int]]:
    """Stickers whose phrases say the same in the first 4 of 10 dimensions, and anything, loudly, in the others."""
    rng = np.random.default_rng(seed)
    loud = np.r_[np.full(4, 0.3), np.full(6, 2.0)]
    stickers: list[Vectors] = []
    searches: list[Vectors] = []
    owners: list[int] = []
    for number in range(60):
        middle = np.r_[rng.normal(size=4) * 1.5, np.zeros(6)] + 5.0
        texts_ = middle + rng.normal(size=(5, 10)) * loud
        stickers.append(unit_rows(texts_[:4]))
        searches.append(unit_rows(texts_[4:] + 3.0)[0])
        owners.append(number)
    return stickers, np.array(searches), owners


def _own_ranks(space: MeaningSpace | None) -> float:
    stickers, searches, owners = _collection(1)
    rows = [space.sticker(messages) if space else indexed_rows(messages) for messages in stickers]
    ranks = []
    for search, owner in zip(searches, owners, strict=True):
        likes = cosines((space.search(search) if space else search)[None, :], rows)[0]
        ranks.append(1 / (1 + (likes > likes[owner]).sum()))
    return float(np.mean(ranks))


def test_a_space_learns_what_does_not_matter() -> None:
    assert _own_ranks(MeaningSpace.fit(*_collection(0))) > 1.5 * _own_ranks(None)


def test_within_stickers_every_direction_varies_alike() -> None:
    stickers, searches, owners = _collection()
    turn = MeaningSpace.fit(stickers, searches, owners).turn.astype(np.float64)
    within = np.mean([np.cov(output, rowvar=False) for output in stickers], axis=0)
    shrunk = 0.5 * within + 0.5 * np.trace(within) / 10 * np.eye(10)
    turned = turn.T @ shrunk @ turn
    np.testing.assert_allclose(turned / np.trace(turned) * 10, np.eye(10), atol=5e-3)


def test_likeness_by_chance_is_that_of_all_pairs_of_strangers() -> None:
    stickers, searches, owners = _collection()
    space = MeaningSpace.fit(stickers, searches, owners, dimension=5)
    rows = [space.sticker(messages) for messages in stickers]
    strangers = [
        float(max(row @ space.search(search) for row in rows[other]))
        for search, owner in zip(searches, owners, strict=True)
        for other in range(len(rows))
        if other != owner
    ]
    assert space.dimension == 5
    number = sum(len(messages) > 0 for messages in stickers)
    assert space.floor == pytest.approx(np.mean(strangers) + 1 / (number - 1), abs=1e-6)
    # twenty stickers with the usual 0.1 stand beside what was measured
    usual = (number * np.var(strangers) + 20 * 0.1**2) / (number + 20)
    assert space.spread == pytest.approx(np.sqrt(usual), abs=1e-6)


@pytest.mark.parametrize("number", [2, 3, 5, 8])
def test_a_few_stickers_are_no_measure_of_what_is_alike_by_chance(number: int) -> None:
    phrases = ["red car", "sleepy cat", "birthday cake", "rain cloud", "old phone", "tax form", "green tree", "hammer"]
    space = learned_space(text_encoder("use"), [Semantics(tags=(phrase,)) for phrase in phrases[:number]])
    assert -0.15 < space.floor < 0.15
    assert 0.07 < space.spread < 0.2


def test_a_space_survives_being_written_down() -> None:
    stickers, searches, owners = _collection()
    space = MeaningSpace.fit(stickers, searches, owners, dimension=7)
    again = MeaningSpace.from_dict(json.loads(json.dumps(space.to_dict())))
    np.testing.assert_array_equal(again.sticker(stickers[0]), space.sticker(stickers[0]))
    np.testing.assert_array_equal(again.search(searches[0]), space.search(searches[0]))
    assert (again.floor, again.spread, again.revision) == (space.floor, space.spread, space.revision)
    assert MeaningSpace.fit(*_collection(1), dimension=7).revision != space.revision


@pytest.mark.parametrize("stickers", [[], [np.zeros((0, 3))], [np.array([[0.6, 0.8, 0.0]])]])
def test_collections_with_next_to_nothing_have_a_space(stickers: list[Vectors]) -> None:
    space = MeaningSpace.fit(stickers, np.zeros((0, 3)), [])
    assert (space.floor, space.spread) == (0.0, 1.0)
    assert space.sticker(np.zeros((0, 3))).shape == (0, 3)
    assert not space.search(np.zeros(3)).any()
    assert np.linalg.norm(space.search(np.array([0.0, 0.0, 1.0]))) == pytest.approx(1)


def test_vectors_of_another_encoder_are_refused() -> None:
    space = MeaningSpace.fit(*_collection())
    with pytest.raises(IndexMismatchError, match=r"\(1, 9\).*10 dimensions"):
        space.search(np.ones(9))
    with pytest.raises(ValueError, match="2 owners"):
        MeaningSpace.fit([], np.zeros((3, 4)), [0, 1])
    with pytest.raises(ValueError, match=r"shape \(m, 4\)"):
        MeaningSpace.fit([np.zeros((2, 5))], np.zeros((0, 4)), [])


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"turn": "!"}, {"turn": ""}, {"spread": 0}, {"floor": float("nan")}, {"query_mean": "AAAAAA=="}],
)
def test_damaged_spaces_are_refused(change: dict[str, object]) -> None:
    content = MeaningSpace.fit(*_collection()).to_dict() | change
    with pytest.raises(IndexMismatchError, match="meaning space cannot be read"):
        MeaningSpace.from_dict(content)
    del content["floor"]
    with pytest.raises(IndexMismatchError):
        MeaningSpace.from_dict(content)


@dataclass(frozen=True)
class Counts:
    documents: int
    known: dict[str, int]

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        return {token: self.known[token] for token in tokens if token in self.known}


def test_a_blend_gives_a_share_of_what_words_could_give() -> None:
    most = best_text_score({"cat": 1.0, "gone": 0.5}, Counts(10, {"cat": 3}))
    assert most == pytest.approx(idf(10, 3) + 0.5 * idf(10, 0))
    assert best_text_score({}, Counts(10, {})) == 1.0
    space = MeaningSpace(np.zeros(2, np.float32), np.zeros(2, np.float32), np.eye(2, dtype=np.float32), 0.1, 0.2)
    blend = Blend.of(space, most, weight=0.2, reach=1.5)
    assert (blend.slope, blend.floor, blend.entry) == pytest.approx((most, 0.1, 0.4))
    cosine = np.array([-1.0, 0.1, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(meaning_score(cosine, blend), most * np.array([0, 0, 0.2, 0.3, 0.4]))
    bm25 = np.array([0.0, 2.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(fused(bm25, cosine, blend), bm25 + meaning_score(cosine, blend))
    assert recalled(bm25, cosine, blend).tolist() == [False, True, False, True, True]


@given(st.floats(0, 20), st.floats(0, 20), st.floats(-1, 1), st.floats(-1, 1))
def test_more_of_either_never_scores_less(less: float, more: float, apart: float, alike: float) -> None:
    blend = Blend(3.0, 0.1, 0.3)
    words, cosine = np.array(sorted((less, more))), np.array(sorted((apart, alike)))
    low, high = fused(words, cosine, blend)
    assert 0 <= low <= high


def test_a_collection_is_searched_by_meaning_in_two_languages() -> None:
    collection = [
        Semantics(name=("thumbs up",), tags=("well done", "great job")),
        Semantics(name=("sleeping cat",), tags=("tired", "good night")),
        Semantics(emoji=("🍕",)),
        Semantics(name=("angry face",), tags=("furious", "mad")),
        Semantics(name=("开心",), tags=("哈哈", "高兴")),
        Semantics(name=("birthday cake",), tags=("party", "celebrate")),
    ]
    encoder = text_encoder("use")
    space = learned_space(encoder, collection)
    rows = sticker_rows(encoder, space, collection)
    assert [len(indexed) for indexed in rows] == [3, 3, 2, 3, 3, 3]
    found = {
        query: int(cosines(space.search(encoder.encode_query(query))[None, :], rows).argmax())
        for query in ("excellent work", "晚安", "i am happy", "生日快乐", "so annoyed")
    }
    assert found == {"excellent work": 0, "晚安": 1, "i am happy": 4, "生日快乐": 5, "so annoyed": 3}
    assert learned_space(encoder, collection).revision == space.revision
