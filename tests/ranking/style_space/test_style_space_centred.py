from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from persrv.images.space import Space
from persrv.ranking.style_space.centred import (
    ONE_STYLE,
    MeaningCentred,
    _damped,
    _slope,
    centred_looks,
    later_style,
)
from persrv.text.bm25f import SparseVector

NONE = SparseVector([], [])
STYLES, MEANINGS, SIZE = 6, 30, 24


@dataclass(frozen=True)
class World:
    """Looks that are a style, a meaning and chance, each in directions of its own."""

    raw: NDArray[np.float32]
    style: NDArray[np.int64]
    meaning: NDArray[np.int64]
    word: list[SparseVector]

    @property
    def packs(self) -> list[str]:
        return [f"style {number}" for number in self.style]


def world(seed: int = 0, of_meaning: float = 2.0) -> World:
    random = np.random.default_rng(seed)
    style, meaning = (part.ravel() for part in np.divmod(np.arange(STYLES * MEANINGS), MEANINGS))
    raw = random.normal(size=(STYLES, SIZE))[style] + of_meaning * random.normal(size=(MEANINGS, SIZE))[meaning]
    raw += 0.3 * random.normal(size=raw.shape)
    return World(raw.astype(np.float32), style, meaning, [SparseVector([int(number)], [0.5]) for number in meaning])


def names_its_style(vectors: NDArray[np.float32], found: World) -> float:
    """How often the nearest sticker of another meaning is of the same style."""
    cosines = vectors @ vectors.T
    cosines[found.meaning[:, None] == found.meaning[None, :]] = -2
    return float((found.style[cosines.argmax(axis=1)] == found.style).mean())


def test_words_of_other_packs_take_the_meaning_out() -> None:
    found = world()
    centred = MeaningCentred.fit(found.raw, found.word, found.packs)
    without = MeaningCentred.fit(found.raw, [NONE] * len(found.raw), found.packs)
    assert centred.removed > 0.8 and without.removed == 0
    assert names_its_style(centred.vectors, found) > names_its_style(without.vectors, found) + 0.1
    assert centred.vectors.dtype == np.float32
    assert np.linalg.norm(centred.vectors, axis=1) == pytest.approx(np.ones(len(found.raw)), abs=1e-5)


def test_words_that_predict_the_drawing_style_are_left_alone() -> None:
    found = world(of_meaning=1.0)
    # Every style has several packs, and signs some of its stickers: taking its name out would take out the style.
    packs = [f"{style} {meaning % 3}" for style, meaning in zip(found.style, found.meaning, strict=True)]
    signs = [
        SparseVector([int(s)], [0.5]) if m % 4 == 0 else NONE for s, m in zip(found.style, found.meaning, strict=True)
    ]
    content = MeaningCentred.fit(found.raw, signs, packs)
    silent = MeaningCentred.fit(found.raw, [NONE] * len(found.raw), packs)
    assert silent.likeness > content.likeness >= ONE_STYLE
    assert content.removed == 0
    assert np.array_equal(content.vectors, silent.vectors)


def test_a_pack_in_its_own_words_loses_nothing() -> None:
    found = world()
    own = [SparseVector([1000 * int(s) + int(m)], [0.5]) for s, m in zip(found.style, found.meaning, strict=True)]
    result = MeaningCentred.fit(found.raw, own, found.packs)
    silent = MeaningCentred.fit(found.raw, [NONE] * len(found.raw), found.packs)
    assert result.vectors == pytest.approx(silent.vectors, abs=1e-4)


def test_packs_that_hold_meanings_are_not_used() -> None:
    found = world()
    themes = [f"{meaning // 5} {style % 2}" for style, meaning in zip(found.style, found.meaning, strict=True)]
    fooled, none = (MeaningCentred.fit(found.raw, found.word, packs) for packs in (themes, [""] * len(themes)))
    assert fooled.likeness < ONE_STYLE
    assert fooled.removed == none.removed == 0
    assert np.array_equal(fooled.vectors, none.vectors)


def test_without_usable_packs_no_text_is_read() -> None:
    found = world()

    def unread() -> SparseVector:
        raise AssertionError

    for packs in ([""] * len(found.raw), ["one"] * len(found.raw)):
        centred = MeaningCentred.fit(found.raw, (unread() for _ in found.raw), packs)
        assert (centred.removed, centred.likeness) == (0.0, 0.0)


@pytest.mark.parametrize("packs", [True, False])
def test_a_sticker_without_words_lies_where_the_space_puts_its_picture(packs: bool) -> None:
    found = world()
    words = [NONE if i % 4 == 0 else word for i, word in enumerate(found.word)]
    centred = MeaningCentred.fit(found.raw, words, found.packs if packs else [""] * len(words))
    silent = [i for i, word in enumerate(words) if not word.indices]
    assert centred.vectors[silent] == pytest.approx(centred.space.project(found.raw[silent]), abs=1e-5)
    if not packs:
        assert centred.vectors == pytest.approx(centred.space.project(found.raw), abs=1e-5)


def test_what_an_index_keeps_survives_json() -> None:
    found = world()
    space = MeaningCentred.fit(found.raw, found.word, found.packs).space
    assert np.array_equal(Space.from_dict(space.to_dict()).project(found.raw), space.project(found.raw))


def test_the_first_step_is_the_spaces_own() -> None:
    found = world()
    centred = MeaningCentred.fit(found.raw, found.word, [""] * len(found.raw)).space
    plain = Space.fit(found.raw)
    for part in ("centre", "gain", "shift"):
        assert np.array_equal(getattr(centred, part), getattr(plain, part))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 14))
def test_small_collections_of_any_kind_get_unit_vectors(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    raw = random.normal(size=(n, 5)).astype(np.float32)
    words = [SparseVector([int(random.integers(3))], [0.5]) if random.random() < 0.8 else NONE for _ in range(n)]
    centred = MeaningCentred.fit(raw, words, [random.choice(["", "a", "b", "c"]) for _ in range(n)])
    lengths = np.linalg.norm(centred.vectors, axis=1)
    assert (np.isclose(lengths, 1, atol=1e-5) | (lengths == 0)).all()
    assert 0 <= centred.removed <= 1 and centred.likeness <= 1
    assert np.isfinite(centred.space.project(raw)).all()


def test_the_order_of_stickers_does_not_matter() -> None:
    found, order = world(), np.random.default_rng(0).permutation(STYLES * MEANINGS)
    packs = found.packs
    one = MeaningCentred.fit(found.raw, found.word, packs)
    other = MeaningCentred.fit(found.raw[order], [found.word[i] for i in order], [packs[i] for i in order])
    assert one.vectors[order] == pytest.approx(other.vectors, abs=1e-3)


def test_the_same_input_gives_the_same_output() -> None:
    found = world()
    one, again = (MeaningCentred.fit(found.raw, found.word, found.packs) for _ in range(2))
    assert np.array_equal(one.vectors, again.vectors)
    assert one.space.revision == again.space.revision


@pytest.mark.parametrize(
    "raw", [np.zeros((3, 4)), np.ones((3, 4)), np.zeros((1, 4)), np.zeros((0, 4)), np.zeros((3, 1))]
)
def test_looks_without_differences_are_zero(raw: NDArray[np.float64]) -> None:
    centred = MeaningCentred.fit(raw, [NONE] * len(raw), ["a"] * len(raw))
    assert centred.vectors.shape == raw.shape
    assert not centred.vectors.any()


def test_impossible_input_is_refused() -> None:
    found = world()
    with pytest.raises(ValueError, match="2 packs for 180 vectors"):
        MeaningCentred.fit(found.raw, found.word, ["a", "b"])
    with pytest.raises(ValueError, match="1 documents for 180 vectors"):
        MeaningCentred.fit(found.raw, found.word[:1], found.packs)
    with pytest.raises(ValueError, match="finite"):
        MeaningCentred.fit(np.full((2, 2), np.nan), [NONE] * 2, ["", ""])


def test_a_sticker_that_comes_later_gets_the_vector_that_it_would_have_had() -> None:
    found = world()
    centred = MeaningCentred.fit(found.raw, found.word, found.packs)
    learnt = centred.word_looks
    assert learnt is not None
    looks = centred_looks(centred.space, found.raw)
    for row in (0, 37, 179):
        pack = np.flatnonzero(found.style == found.style[row])
        predicted = learnt.predicted(found.word[row], pack, lambda rows: looks[rows])
        vector = later_style(centred.space, looks[row : row + 1], predicted[None], centred.removed)
        assert vector[0] == pytest.approx(centred.vectors[row], abs=1e-5)
    strange = learnt.predicted(SparseVector([1_000_000], [0.5]), np.zeros(0, np.int64), lambda rows: looks[rows])
    assert not strange.any()


def test_words_of_other_rarity_count_for_a_later_sticker_as_for_the_others() -> None:
    found = world()
    words = [SparseVector([m, 100 + m // 10], [0.5, 0.25]) for m in found.meaning.tolist()]
    centred = MeaningCentred.fit(found.raw, words, found.packs)
    learnt = centred.word_looks
    assert learnt is not None
    looks = centred_looks(centred.space, found.raw)
    for row in (0, 100):
        pack = np.flatnonzero(found.style == found.style[row])
        # A word that nobody has weighs as a rare one does, and predicts nothing.
        for document in (words[row], SparseVector([*words[row].indices, 9_999], [*words[row].values, 0.1])):
            predicted = learnt.predicted(document, pack, lambda rows: looks[rows])
            vector = later_style(centred.space, looks[row : row + 1], predicted[None], centred.removed)
            alike = float(vector[0] @ centred.vectors[row])
            assert (alike > 1 - 1e-6) == (document is words[row])
            assert alike > 0.9


def test_the_share_of_what_words_predict_is_held_to_0_and_1() -> None:
    meaning = np.array([[0.1, 0.0], [0.0, 0.2]], np.float32)
    assert _slope(0.5 * meaning, meaning) == pytest.approx(0.5)
    assert _slope(3 * meaning, meaning) == 1.0
    assert _slope(-meaning, meaning) == 0.0
    assert _slope(meaning, np.zeros_like(meaning)) == 0.0


def test_strong_directions_are_damped_to_the_first_that_is_left_alone() -> None:
    space = Space.fit(world().raw)
    damped = _damped(space, np.diag([0.9, 0.4, 0.1]), 1, 0.3)
    added = 0.3 * 1.4 / 3
    assert damped.damping == pytest.approx([1 - np.sqrt((0.4 + added) / (0.9 + added))], rel=1e-6)
    assert np.abs(damped.directions).tolist() == [[1.0, 0.0, 0.0]]
