"""The descriptor as a whole: pinned values, invariances, and odd pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import animation, drawing, encoded, solid

from persrv.images.decode import Picture, open_picture
from persrv.images.statistics import DIMENSION, GROUPS, StatisticsEncoder, descriptor, reference_table
from repository import ROOT

ENCODER = StatisticsEncoder()
PAGE = ROOT / "docs" / "reference" / "style-descriptor.md"


def picture(*frames: np.ndarray) -> Picture:
    height, width = frames[0].shape[:2]
    return Picture("png", width, height, len(frames), frames)


def outlined_gradient() -> np.ndarray:
    """Return a shaded square with an outline, 60 x 60, which needs no resizing."""
    frame = solid((250, 200, 60), 60, 60)
    frame[..., 0] = np.linspace(140, 250, 60).astype(np.uint8)[:, None]
    frame[:3] = frame[-3:] = frame[:, :3] = frame[:, -3:] = (40, 20, 10, 255)
    frame[20:30, 15:45] = (30, 90, 200, 128)
    frame[:10, :10] = 0
    return frame


# fmt: off
GOLDEN: dict[str, dict[int, float]] = {
    "disc": {
        5: 0.03, 6: 0.8935, 7: 0.0765, 16: 0.0342, 17: 0.0678, 21: 0.1889, 22: 0.3662, 26: 0.1191, 27: 0.2238,
        43: 0.2228, 48: 0.5361, 53: 0.0784, 60: 0.0531, 61: 0.7631, 62: 0.2678, 63: 0.1171, 64: 0.5379, 71: 0.0357,
        72: 0.3049, 73: 0.0044, 75: 0.5834, 76: 0.5357, 77: 0.4385, 78: 0.6082, 79: 0.3072, 80: 0.0423, 81: 0.0423,
        86: 0.0162, 87: 0.2104, 88: 0.4392, 89: -0.0355, 90: -1.0501, 91: 0.02, 92: 0.0543, 95: 0.0209, 96: 0.0549,
        99: 0.0203, 100: 0.0555, 103: 0.018, 104: 0.0571, 107: 0.0171, 108: 0.0576, 111: 0.0153, 112: 0.0588,
        115: 0.8134, 116: 0.0011, 117: 0.0016, 118: 0.0423, 119: 0.0525, 122: 0.0736, 123: 0.0154, 124: 0.8134,
        125: 0.0011, 126: 0.0209, 127: 0.0352, 128: 0.0403, 131: 0.0818, 132: 0.0073, 133: 0.9109, 134: 0.0366,
        137: 0.0517, 138: 0.0517, 139: 0.0028, 140: 0.0028, 141: 0.0694, 142: 0.8701, 143: 0.0015, 144: 0.0097,
        145: 0.109, 146: 0.0073, 147: 0.0023, 152: 0.2181, 153: 0.367, 154: 0.2646, 155: 0.5608, 156: 0.3418,
        157: 0.8014, 158: 0.4131, 159: 0.9183, 160: 0.7461, 161: 0.4683, 162: -0.0475, 163: 1.0, 164: 0.9631,
        165: 0.0322, 170: 0.8776, 171: 0.764, 172: 0.6091, 173: 0.4248, 176: 0.9592, 179: 0.9209,
    },
    "outlined": {
        1: 0.0778, 2: 0.1111, 4: 0.2022, 5: 0.5868, 6: 0.0221, 8: 0.0046, 9: 0.0739, 13: 0.0065, 14: 0.1039,
        21: 0.0321, 22: 0.0124, 26: 0.0347, 27: 0.0048, 30: 0.034, 31: 0.5929, 32: 0.0248, 35: 0.007, 36: 0.0679,
        41: 0.1107, 42: 0.1857, 43: 0.1244, 46: 0.2946, 47: 0.5885, 48: 0.1717, 50: 0.2901, 51: 0.2726, 52: 0.5057,
        55: 0.2003, 56: 0.1445, 64: 0.0229, 65: 0.0287, 66: 0.3224, 67: 0.5235, 68: 0.043, 71: 0.0172, 72: 0.0422,
        75: 0.8409, 76: 0.8184, 77: 0.4954, 78: 0.3038, 79: 0.2547, 80: 0.1978, 81: 0.1931, 82: 0.0506, 86: 0.1889,
        87: 0.0376, 88: 0.2169, 89: 0.1291, 90: 0.1369, 91: -0.4315, 92: 0.1319, 93: -0.0922, 94: 0.9404, 95: -0.4276,
        96: 0.1389, 97: -0.0913, 98: 0.9336, 99: -0.4235, 100: 0.146, 101: -0.0903, 102: 0.9263, 103: 0.1262,
        104: 0.0324, 105: 0.0247, 107: 0.1262, 108: 0.0311, 109: 0.0242, 111: 0.126, 112: 0.0285, 113: 0.0233,
        115: 0.079, 116: 0.5895, 117: 0.1509, 121: 0.0135, 122: 0.0407, 123: 0.1265, 124: 0.1063, 125: 0.6696,
        126: 0.0435, 129: 0.0246, 130: 0.1444, 131: 0.0116, 133: 0.8193, 134: 0.0698, 135: 0.0698, 137: 0.8735,
        141: 0.095, 142: 0.8621, 143: 0.0009, 144: 0.0018, 145: 0.1326, 147: 0.0027, 152: 0.485, 153: 0.4518,
        154: 0.5046, 155: 0.5373, 156: 0.449, 157: 0.74, 158: 0.5491, 159: 0.9107, 160: 0.9307, 161: 0.4255,
        162: 0.0912, 163: 1.0, 164: 0.9573, 165: 0.0732, 167: 1.0, 168: 1.0, 169: 1.0, 170: 0.8683, 171: 0.7469,
        172: 0.584, 173: 0.4023, 176: 0.963, 179: 0.2503, 180: 0.3429,
    },
}
# fmt: on
"""Dimension to value; dimensions left out are 0."""


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_vectors_pin_the_revision(name: str) -> None:
    frame = {"disc": drawing(60, 60), "outlined": outlined_gradient()}[name]
    assert ENCODER.revision == "2", "another revision needs other golden vectors"
    found = ENCODER.encode([picture(frame)])[0]
    expected = np.zeros(DIMENSION)
    for dimension, value in GOLDEN[name].items():
        expected[dimension] = value
    assert np.abs(found - expected).max() < 2e-3


def test_the_reference_page_lists_every_dimension() -> None:
    assert reference_table() in PAGE.read_text(encoding="utf-8"), "paste persrv.images.statistics.reference_table()"
    assert f"{DIMENSION} numbers" in PAGE.read_text(encoding="utf-8")


def test_dimensions_are_counted_and_named_once() -> None:
    meanings = [(group.name, meaning) for group in GROUPS for meaning in group.meanings]
    assert len(meanings) == len(set(meanings)) == DIMENSION == ENCODER.dimension


def test_a_batch_is_its_pictures_one_by_one() -> None:
    pictures = [picture(drawing()), picture(outlined_gradient()), picture(drawing(), solid((1, 2, 3), 40, 60))]
    batch = ENCODER.encode(pictures)
    assert batch.shape == (3, DIMENSION)
    assert batch.dtype == np.float32
    for row, single in zip(batch, pictures, strict=True):
        assert np.array_equal(ENCODER.encode([single])[0], row)


def test_an_animation_is_the_mean_of_its_visible_frames() -> None:
    first, second, empty = drawing(), outlined_gradient()[:40, :60], np.zeros((40, 60, 4), np.uint8)
    mean = (ENCODER.encode([picture(first)])[0] + ENCODER.encode([picture(second)])[0]) / 2
    assert np.allclose(ENCODER.encode([picture(first, empty, second)])[0], mean, atol=1e-6)


def test_a_decoded_animation_is_encoded() -> None:
    moving = open_picture(animation([drawing(), np.ascontiguousarray(drawing()[::-1, ::-1])], "PNG"))
    assert np.isfinite(ENCODER.encode([moving])).all()


def test_nothing_visible_gives_the_zero_vector() -> None:
    ghost = solid((200, 10, 10))
    ghost[..., 3] = 0
    assert descriptor(ghost) is None
    assert not ENCODER.encode([picture(ghost)]).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (3, 3), (512, 512)])
@pytest.mark.parametrize("alpha", [1, 30, 255])
def test_odd_pictures_have_finite_descriptors(shape: tuple[int, int], alpha: int) -> None:
    frame = solid((200, 100, 20), *shape)
    frame[..., 3] = alpha
    vector = ENCODER.encode([picture(frame)])[0]
    assert np.isfinite(vector).all()
    assert np.abs(vector).max() <= 2


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_empty_canvas_around_a_drawing_changes_nothing(top: int, bottom: int, left: int, right: int) -> None:
    frame = outlined_gradient()
    padded = np.pad(frame, ((top, bottom), (left, right), (0, 0)))
    assert np.array_equal(ENCODER.encode([picture(frame)]), ENCODER.encode([picture(padded)]))


def test_colours_of_transparent_pixels_do_not_matter() -> None:
    frame = outlined_gradient()
    other = frame.copy()
    other[frame[..., 3] == 0] = (0, 255, 0, 0)
    assert np.array_equal(ENCODER.encode([picture(frame)]), ENCODER.encode([picture(other)]))


def test_size_hardly_matters() -> None:
    small, large = ENCODER.encode([picture(drawing(120, 180)), picture(drawing(480, 720))])
    assert np.abs(small - large).mean() < 0.01


def test_lossy_storage_changes_less_than_another_hand() -> None:
    frame = drawing(96, 96)
    stored = open_picture(encoded(frame, "WEBP", quality=80)).frames[0]
    flat, lossy, other = ENCODER.encode([picture(frame), picture(stored), picture(outlined_gradient())])
    assert np.linalg.norm(flat - lossy) < 0.5 * np.linalg.norm(flat - other)
