"""Style apart from meaning, on vectors whose hand and meaning are known."""

from __future__ import annotations

import numpy as np
import pytest

from persrv.styling import MeaningCentred
from persrv.styling.foretell import foretold
from persrv.styling.packs import likeness, numbered, usable
from persrv.styling.words import WordTable
from persrv.text.bm25f import SparseVector

HANDS, MEANINGS, LENGTH = 5, 40, 24


def collection(seed: int = 0) -> tuple[np.ndarray, list[SparseVector], list[str], np.ndarray]:
    """Raw vectors that are a strong meaning, a weak hand and noise; words that tell the meaning; packs; hands."""
    random = np.random.default_rng(seed)
    hand, meaning = random.normal(0, 0.6, (HANDS, LENGTH)), random.normal(0, 1.5, (MEANINGS, LENGTH))
    hands = np.repeat(np.arange(HANDS), MEANINGS)
    meanings = np.tile(np.arange(MEANINGS), HANDS)
    raw = 5 + hand[hands] + meaning[meanings] + random.normal(0, 0.3, (HANDS * MEANINGS, LENGTH))
    return raw, [SparseVector([int(m)], [0.5]) for m in meanings], [f"pack {h}" for h in hands], hands


def same_hand(vectors: np.ndarray, hands: np.ndarray) -> float:
    """How often a sticker's nearest neighbour is of the same hand."""
    cosines = vectors @ vectors.T - 2 * np.eye(len(vectors))
    return float((hands[cosines.argmax(axis=1)] == hands).mean())


def test_the_hand_is_what_is_left() -> None:
    raw, documents, packs, hands = collection()
    plain = raw - raw.mean(axis=0)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    centred = MeaningCentred.fit(raw, documents, packs)
    assert centred.removed > 0.5
    assert same_hand(plain, hands) < 0.5
    assert same_hand(centred.vectors, hands) > 0.95


def test_vectors_are_unit_or_zero_and_repeatable() -> None:
    raw, documents, packs, _ = collection()
    first, again = (MeaningCentred.fit(raw, documents, packs) for _ in range(2))
    assert np.array_equal(first.vectors, again.vectors)
    assert first.vectors.dtype == np.float32
    assert np.linalg.norm(first.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_small_collections_without_words_or_packs(count: int) -> None:
    raw = np.random.default_rng(0).normal(5, 1, (count, LENGTH))
    centred = MeaningCentred.fit(raw, [SparseVector([], [])] * count, [""] * count)
    assert centred.vectors.shape == (count, LENGTH)
    assert np.isfinite(centred.vectors).all()
    assert centred.removed == 0.0


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="1 packs for 2"):
        MeaningCentred.fit(np.zeros((2, 3)), [SparseVector([], [])] * 2, [""])
    raw, documents, packs, _ = collection()
    with pytest.raises(ValueError, match="1 documents for 200"):
        MeaningCentred.fit(raw, documents[:1], packs)


def test_likeness_by_hand() -> None:
    # Two owners at -1 and +1 without any spread around them: all variance lies between.
    assert likeness(np.array([[-1.0], [-1.0], [1.0], [1.0]], np.float32), np.array([0, 0, 1, 1])) == pytest.approx(1.0)
    # Each owner holds -1 and +1: the estimate is (0 - 2) / (0 + 2).
    assert likeness(np.array([[-1.0], [1.0], [-1.0], [1.0]], np.float32), np.array([0, 0, 1, 1])) == pytest.approx(-1.0)
    assert likeness(np.ones((3, 1), np.float32), np.array([0, 1, 2])) == 0.0


def test_packs_are_numbered_and_lone_stickers_stand_alone() -> None:
    owners = numbered(["a", "", "b", "a", ""])
    assert owners[0] == owners[3]
    assert len(set(owners.tolist())) == 4
    assert usable(owners).tolist() == []
    assert usable(numbered(["a", "b", "a", "b", ""])).tolist() == [0, 1, 2, 3]


def test_a_look_is_foretold_by_other_packs_only() -> None:
    values = np.array([[1.0], [3.0], [8.0]], np.float32)
    table = WordTable.of([SparseVector([7], [1.0])] * 3)
    told = foretold(values, table, np.array([0, 0, 1]))
    # One word in all three, with the same weight w: sums over the other owner over (1 + their mass).
    weight = float(table.dense(np.array([0]))[1][0, 0])
    assert told[:2, 0] == pytest.approx([8 * weight / (1 + weight)] * 2, rel=1e-5)
    assert told[2, 0] == pytest.approx(4 * weight / (1 + 2 * weight), rel=1e-5)
