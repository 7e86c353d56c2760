"""The collection's vector space: hand-computed cases, an independent oracle, odd collections."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from persrv.errors import IndexMismatchError
from persrv.images.space import Space


def drawing_styles(
    seed: int = 0, packs: int = 6, each: int = 40, dimension: int = 20, loud: float = 4.0
) -> tuple[np.ndarray, list[str]]:
    """Return vectors whose pack shifts every dimension a little, under strong variation along two directions."""
    rng = np.random.default_rng(seed)
    style = np.repeat(rng.normal(size=(packs, dimension)), each, axis=0)
    noise = rng.normal(size=(packs * each, dimension)) * 0.5
    meaning = rng.normal(size=(packs * each, 2)) @ rng.normal(size=(2, dimension)) * loud
    names = [f"pack{number}" for number in range(packs) for _ in range(each)]
    return (style + noise + meaning + 7).astype(np.float32), names


def agreement(unit: np.ndarray, packs: list[str]) -> float:
    """Return the share of rows whose nearest other row is of the same pack."""
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    nearest = cosines.argmax(axis=1)
    return float(np.mean([packs[row] == packs[near] for row, near in enumerate(nearest)]))


def slow_projection(raw: np.ndarray, packs: list[str] | None) -> np.ndarray:
    """Project by the documented steps, with plain covariances and a full eigenbasis."""
    x = raw.astype(np.float64)
    least, low, middle, high, most = np.percentile(x, [1, 10, 50, 90, 99], axis=0)
    spread = np.maximum((high - low) / 2.5631031310892007, 0.25 * np.clip(x, least, most).std(axis=0))
    z = np.clip((x - middle) / spread, -3, 3)
    labels = np.array(packs if packs else ["all"] * len(x))
    count, shrinkage = (48, 0.1) if packs else (8, 1.0)
    covariance = sum(
        np.cov(z[labels == name].T, bias=True) * (labels == name).sum() for name in sorted(set(labels))
    ) / len(x)
    variances, vectors = np.linalg.eigh(covariance)
    count = min(count, len(variances) - 1)
    shrunk = variances + shrinkage * variances.mean()
    factor = np.ones_like(shrunk)
    factor[-count:] = np.sqrt(shrunk[-count - 1] / shrunk[-count:])
    whitened = (z - z.mean(axis=0)) @ (vectors * factor) @ vectors.T
    return np.asarray(whitened / np.linalg.norm(whitened, axis=1, keepdims=True))


@pytest.mark.parametrize("with_packs", [False, True])
def test_projection_agrees_with_the_plain_formula(with_packs: bool) -> None:
    raw, packs = drawing_styles()
    given_packs = packs if with_packs else None
    found = Space.fit(raw, given_packs).project(raw)
    assert found.dtype == np.float32
    assert np.allclose(found, slow_projection(raw, given_packs), atol=2e-5)


def test_what_varies_within_packs_is_damped() -> None:
    raw, packs = drawing_styles()
    without, labelled = Space.fit(raw), Space.fit(raw, packs)
    plain = Space(without.centre, without.gain, without.shift, without.directions[:0], without.damping[:0])
    scores = [agreement(space.project(raw), packs) for space in (plain, without, labelled)]
    assert scores[0] < scores[1] < scores[2]
    assert scores[2] > 0.9


def test_packs_help_hands_that_the_fit_never_saw() -> None:
    raw, packs = drawing_styles(packs=12)
    seen, unseen = slice(0, 240), slice(240, 480)
    labelled = Space.fit(raw[seen], packs[seen]).project(raw[unseen])
    plain = Space.fit(raw[seen]).project(raw[unseen])
    assert agreement(labelled, packs[unseen]) > agreement(plain, packs[unseen])


@pytest.mark.parametrize(
    "packs", [["a"] * 240, [""] * 240, [str(n) for n in range(240)], ["a"] * 239 + ["b"], ["a", "a", *[""] * 238]]
)
def test_unusable_packs_give_the_space_without_packs(packs: list[str]) -> None:
    raw, _ = drawing_styles()
    assert Space.fit(raw, packs).revision == Space.fit(raw).revision


def test_stickers_without_a_pack_do_not_count_as_one() -> None:
    raw, packs = drawing_styles()
    loose = [*packs[:200], *[""] * 40]
    pooled = [*packs[:200], *["other"] * 40]
    assert Space.fit(raw, loose).revision != Space.fit(raw, pooled).revision


@pytest.mark.parametrize("with_packs", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter(with_packs: bool, seed: int) -> None:
    raw, packs = drawing_styles(seed)
    order = np.random.default_rng(seed).permutation(len(raw))
    shuffled = Space.fit(raw[order], [packs[i] for i in order] if with_packs else None)
    space = Space.fit(raw, packs if with_packs else None)
    assert np.abs(space.project(raw) - shuffled.project(raw)).max() < 1e-6


def test_equally_strong_directions_do_not_depend_on_the_order_of_rows() -> None:
    corners = np.concatenate([np.eye(12), -np.eye(12)]).astype(np.float32)
    space, turned = Space.fit(corners), Space.fit(np.roll(corners, 5, axis=0))
    assert np.abs(space.project(corners) - turned.project(corners)).max() < 1e-6


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5])
def test_few_rows(rows: int) -> None:
    raw, packs = drawing_styles()
    raw, packs = raw[::40][:rows], ["a", "a", "b", "b", "c"][:rows]
    for space in (Space.fit(raw), Space.fit(raw, packs)):
        unit = space.project(raw)
        assert unit.shape == (rows, 20)
        assert np.isfinite(unit).all()
        lengths = np.linalg.norm(unit, axis=1)
        assert np.allclose(lengths[lengths > 0], 1, atol=1e-6)
    if rows == 1:
        assert not Space.fit(raw).project(raw).any()


def test_the_average_has_no_direction() -> None:
    raw = np.array([[-1, 2], [1, 2], [0, 2]], np.float32)
    unit = Space.fit(raw).project(raw)
    assert unit.tolist() == [[-1, 0], [1, 0], [0, 0]]


def test_constant_dimensions_stay_silent_even_for_new_values() -> None:
    raw, packs = drawing_styles()
    raw[:, 3] = 0.7
    space = Space.fit(raw, packs)
    other = raw.copy()
    other[:, 3] = 900
    assert np.array_equal(space.project(raw), space.project(other))


def test_half_precision_noise_is_not_taken_for_a_difference() -> None:
    raw, _ = drawing_styles()
    raw[:, 0] = np.where(np.arange(len(raw)) % 2, np.float16(0.7), np.nextafter(np.float16(0.7), np.float16(1)))
    assert Space.fit(raw).gain[0] == 0


def test_one_wild_value_hardly_changes_the_others() -> None:
    raw, packs = drawing_styles()
    wild = raw.copy()
    wild[5, 2] = 1e4
    clean, disturbed = Space.fit(raw, packs).project(raw), Space.fit(wild, packs).project(wild)
    others = np.arange(len(raw)) != 5
    assert (clean * disturbed).sum(axis=1)[others].min() > 0.99
    assert abs(disturbed[5, 2]) < 0.95


def test_a_space_survives_json() -> None:
    raw, packs = drawing_styles()
    space = Space.fit(raw, packs)
    text = json.dumps(space.to_dict())
    again = Space.from_dict(json.loads(text))
    assert again.revision == space.revision
    assert np.array_equal(again.project(raw), space.project(raw))
    assert Space.fit(raw[:200], packs[:200]).revision != space.revision


def test_an_empty_space_survives_json() -> None:
    space = Space.fit(np.zeros((0, 4), np.float32), [])
    assert Space.from_dict(space.to_dict()).project(np.ones((2, 4), np.float32)).tolist() == [[0] * 4] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"centre": None},
        {"centre": [1.0]},
        {"gain": ["a"]},
        {"shift": [float("nan")] * 20},
        {"damping": [0.1]},
        {"directions": "%%%"},
        {"directions": "AAAA"},
        {"directions": 7},
    ],
)
def test_a_damaged_space_is_refused(change: dict[str, object]) -> None:
    raw, packs = drawing_styles()
    content = Space.fit(raw, packs).to_dict() | change
    with pytest.raises(IndexMismatchError, match="image space cannot be read"):
        Space.from_dict(content)


def test_a_missing_space_is_refused() -> None:
    with pytest.raises(IndexMismatchError, match="version"):
        Space.from_dict({})


def test_vectors_of_another_encoder_are_refused() -> None:
    raw, _ = drawing_styles()
    with pytest.raises(IndexMismatchError, match=r"\(3, 7\).* 20 dimensions"):
        Space.fit(raw).project(np.zeros((3, 7), np.float32))


@pytest.mark.parametrize("bad", [np.full((3, 4), np.nan), np.zeros(4), np.full((3, 4), np.inf)])
def test_what_cannot_be_fitted_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite"):
        Space.fit(bad)
    with pytest.raises(ValueError, match="2 packs for 3 vectors"):
        Space.fit(np.zeros((3, 4)), ["a", "b"])


@settings(max_examples=60, deadline=None)
@given(
    npst.arrays(np.float16, st.tuples(st.integers(1, 12), st.integers(1, 6)), elements=st.floats(-6e4, 6e4, width=16)),
    st.data(),
)
def test_any_finite_collection_can_be_fitted(raw: np.ndarray, data: st.DataObject) -> None:
    packs = data.draw(st.lists(st.sampled_from(["", "a", "b"]), min_size=len(raw), max_size=len(raw)))
    space = Space.fit(raw, packs)
    unit = space.project(raw)
    lengths = np.linalg.norm(unit, axis=1)
    assert np.isfinite(unit).all()
    assert np.all((lengths < 1e-9) | (np.abs(lengths - 1) < 1e-5))
    assert np.array_equal(Space.from_dict(space.to_dict()).project(raw), unit)
