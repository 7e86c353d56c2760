"""The features' parts against hand-computed values and independent loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from picture_files import drawing, solid
from PIL import Image

from persrv.images.features.group import histogram, joint_histogram, weighted_mean
from persrv.images.features.raster import rasterise
from persrv.images.oklab import to_oklab
from persrv.images.statistics import GROUPS, descriptor

START = {}
for _group in GROUPS:
    START[_group.name] = sum(len(g.meanings) for g in GROUPS[: GROUPS.index(_group)])


def part(frame: np.ndarray, name: str) -> np.ndarray:
    vector = descriptor(frame)
    assert vector is not None
    length = next(len(group.meanings) for group in GROUPS if group.name == name)
    return vector[START[name] : START[name] + length]


def test_oklab_matches_its_authors_reference_values() -> None:
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    expected = [(1, 0, 0), (0, 0, 0), (0.628, 0.225, 0.126), (0.866, -0.234, 0.179), (0.452, -0.032, -0.312)]
    assert np.allclose(to_oklab(colours).T, expected, atol=1e-3)


def test_a_value_is_shared_by_its_neighbouring_bins() -> None:
    values = np.array([0.0, 0.25, 2.0, -1.0], np.float32)
    weights = np.array([1.0, 2.0, 1.0, 0.0], np.float32)
    assert histogram(values, weights, (0.0, 1.0, 1.5)).tolist() == [0.625, 0.125, 0.25]
    assert histogram(values, 0 * weights, (0.0, 1.0)).tolist() == [0, 0]


points = npst.arrays(np.float32, 9, elements=st.floats(-0.5, 1.5, width=32))


@given(points, points, npst.arrays(np.float32, 9, elements=st.floats(0.125, 1, width=32)))
def test_the_joint_histogram_agrees_with_a_loop_and_its_margins(
    first: np.ndarray, second: np.ndarray, weights: np.ndarray
) -> None:
    rows, columns = (0.0, 0.3, 1.0), (0.0, 0.5)

    def hat(value: float, centres: tuple[float, ...]) -> list[float]:
        return [float(np.interp(value, centres, np.eye(len(centres))[k])) for k in range(len(centres))]

    expected = np.zeros((3, 2))
    for x, y, weight in zip(first, second, weights, strict=True):
        expected += float(weight) * np.outer(hat(float(x), rows), hat(float(y), columns))
    expected /= float(weights.sum())
    found = joint_histogram(first, second, weights, rows, columns).reshape(3, 2)
    assert np.allclose(found, expected, atol=1e-5)
    assert np.allclose(found.sum(axis=1), histogram(first, weights, rows), atol=1e-5)


def test_weighted_mean() -> None:
    assert weighted_mean(np.float32([1, 5]), np.float32([3, 1])) == 2.0
    assert weighted_mean(np.float32([1, 5]), np.float32([0, 0])) == 0.0


def test_the_raster_knows_its_depth() -> None:
    raster = rasterise(solid((90, 90, 90), 100, 100))
    assert raster is not None
    assert raster.depth[0, 0] == 0
    assert raster.depth[2, 30] == 1
    assert raster.depth[4, 30] == 3
    assert raster.depth[32, 32] == 12
    assert raster.total == 3600


def test_palette_lists_shares_from_the_largest() -> None:
    frame = solid((255, 0, 0), 60, 60)
    frame[:15] = (0, 0, 255, 255)
    assert np.allclose(part(frame, "palette"), [0.75, 0.25, 0, 0, 0, 0, 0, 0])


def test_the_contour_sees_an_outline() -> None:
    frame = solid((250, 220, 90), 60, 60)
    outlined = frame.copy()
    outlined[:2] = outlined[-2:] = outlined[:, :2] = outlined[:, -2:] = (0, 0, 0, 255)
    assert np.allclose(part(frame, "contour"), 0, atol=1e-5)
    rings = part(outlined, "contour").reshape(6, 4)
    assert rings[:2, 0].max() < -0.6
    assert rings[:2, 3].min() == 1
    assert rings[2:, 3].max() == 0


def test_shading_knows_its_direction() -> None:
    frame = solid((0, 0, 0), 60, 60)
    frame[..., :3] = np.linspace(100, 200, 60).astype(np.uint8)[:, None, None]
    edges = part(frame, "edges")
    smooth, _, down, right, lighter_down, darker_down = edges[18:24]
    assert smooth > 0.99
    assert down > 0.2
    assert abs(right) < 1e-6
    assert lighter_down > 0.9
    assert darker_down == 0
    upside_down = part(np.ascontiguousarray(frame[::-1]), "edges")
    assert upside_down[20] == pytest.approx(-down, abs=1e-5)


def test_hue_says_which_and_how_one_sided() -> None:
    red = part(solid((255, 0, 0), 60, 60), "hue")
    # Red lies at 29.2°, between the bins of 0° and 30°.
    assert red[:3] == pytest.approx([0.026, 0.974, 0], abs=2e-3)
    assert red[12:14] == pytest.approx([1, 1], abs=1e-5)
    assert np.abs(part(solid((90, 90, 90), 60, 60), "hue")[:12]).max() < 1e-3


def test_a_flat_picture_has_no_texture() -> None:
    frame = solid((90, 120, 30), 60, 60)
    patterns = part(frame, "patterns")
    assert patterns[0] == pytest.approx(1)
    assert part(frame, "bands").reshape(4, 2)[:, 0] == pytest.approx([0, 0, 0, 0], abs=1e-3)


def test_local_binary_patterns_agree_with_a_loop() -> None:
    frame = drawing(60, 60)
    raster = rasterise(frame)
    assert raster is not None
    plane, counts = raster.grounded[0], np.zeros(10)
    ring = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    for y in range(1, 63):
        for x in range(1, 63):
            bits = [bool(plane[y + dy, x + dx] - plane[y, x] > np.float32(0.012)) for dy, dx in ring]
            changes = sum(bits[k] != bits[k - 1] for k in range(8))
            counts[sum(bits) if changes <= 2 else 9] += float(raster.alpha[y, x])
    assert np.allclose(part(frame, "patterns"), counts / counts.sum(), atol=1e-5)


def test_shape_of_a_full_square() -> None:
    shape = part(solid((1, 2, 3), 60, 60), "shape")
    assert shape[0] == pytest.approx(1)
    assert shape[1] == 0
    assert shape[3] == 1
    assert shape[6:10] == pytest.approx([1, 1, 1, 1])
    assert shape[10] == pytest.approx(56 * 56 / 3600)


@settings(max_examples=25, deadline=None)
@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(4))))
def test_every_feature_stays_in_its_documented_range(frame: np.ndarray) -> None:
    vector = descriptor(frame)
    if vector is None:
        assert not frame[..., 3].any()
        return
    assert np.isfinite(vector).all()
    for group in GROUPS:
        values = vector[START[group.name] : START[group.name] + len(group.meanings)]
        assert values.min() >= group.low - 1e-5, group.name
        assert values.max() <= group.high + 1e-5, group.name


def test_grain_tells_pixel_art_from_a_smooth_drawing() -> None:
    made = np.random.default_rng(0)
    blocks = made.integers(0, 256, (16, 16, 4), dtype=np.uint8)
    blocks[..., 3] = 255
    art = np.kron(blocks, np.ones((12, 12, 1), dtype=np.uint8))
    smooth = np.asarray(Image.fromarray(blocks).resize((192, 192), Image.Resampling.BICUBIC))
    (of_art, of_smooth) = (part(frame, "grain") for frame in (art, smooth))
    width = np.log2(12) / 5
    assert of_art == pytest.approx([1, width, 11 / 12, 1, width, 11 / 12, 0], abs=0.02)
    assert of_smooth[[0, 1, 3, 4]] == pytest.approx(np.zeros(4))
    assert of_smooth[[2, 5]].max() < 0.1
