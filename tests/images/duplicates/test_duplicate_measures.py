from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from picture_copies import printed, saved
from PIL import Image, ImageDraw

from persrv.images.duplicates import neighbours
from persrv.images.duplicates.alike import alike
from persrv.images.duplicates.frame import Frame, frame_of, sample
from persrv.images.duplicates.layout import DIMENSION, layout_on_grey, moves, on_white, opaque
from persrv.images.duplicates.neighbours import near_pairs
from persrv.images.duplicates.resampling import unexplained

SMOOTH = arrays.arrays(np.float32, (2, 12, 12, 1), elements=st.floats(0, 1, width=32))


def test_the_frame_of_a_square_is_centred_and_grows_with_it() -> None:
    weight = np.zeros((40, 60), np.float32)
    weight[10:20, 30:40] = 1.0
    frame = frame_of(weight)
    assert frame is not None
    # Ten pixels in a row, half a pixel to four and a half from the centre: the 16th root of the mean 16th power.
    reach = (2 * sum((k + 0.5) ** 16 for k in range(5)) / 10) ** (1 / 16)
    assert (frame.x, frame.y) == pytest.approx((35.0, 15.0))
    assert frame.side == pytest.approx(2 * 1.45 * reach)
    assert frame_of(np.zeros((5, 5), np.float32)) is None


def test_an_edge_pixel_moves_the_frame_by_a_part_of_a_pixel() -> None:
    weight = np.zeros((40, 40), np.float32)
    weight[10:30, 10:30] = 1.0
    blended = weight.copy()
    blended[10:30, 30] = 0.3
    before, after = frame_of(weight), frame_of(blended)
    assert before is not None and after is not None
    assert 0.0 < after.x - before.x < 0.3 and abs(after.side - before.side) < 1.0


def test_cells_are_means_under_a_triangle() -> None:
    line = np.arange(8, dtype=np.float32).reshape(1, 8, 1).repeat(8, axis=0)
    cells = sample(line, Frame(4.0, 4.0, 4.0), 2)
    # Cells two pixels wide, centred at 3 and 5: of a ramp, a symmetric triangle takes the value at its centre.
    assert cells[..., 0] == pytest.approx(np.array([[2.5, 4.5], [2.5, 4.5]]))
    fine = np.linspace(0, 8, 80_001)[:-1] + 5e-5
    steps = np.random.default_rng(0).random(8).astype(np.float32)
    triangle = np.maximum(0.0, 1.0 - np.abs(fine - 3.1) / 1.7)
    expected = (steps[fine.astype(int)] * triangle).sum() / triangle.sum()
    planes = np.repeat(steps.reshape(1, 8, 1), 9, axis=0)
    assert sample(planes, Frame(3.1, 4.5, 1.7), 1)[0, 0, 0] == pytest.approx(expected, abs=1e-4)


def test_beyond_the_picture_is_nothing() -> None:
    cells = sample(np.ones((4, 4, 1), np.float32), Frame(2.0, 2.0, 16.0), 4)
    assert cells[0, 0, 0] == 0.0 and cells[1, 1, 0] > 0.2


@settings(max_examples=60, deadline=None)
@given(SMOOTH)
def test_the_difference_is_symmetric_and_none_between_equals(pair: np.ndarray) -> None:
    left, right = pair[:1], pair[1:]
    assert unexplained(left, left) == pytest.approx(0.0, abs=1e-6)
    assert unexplained(left, right) == pytest.approx(unexplained(right, left), rel=1e-3, abs=1e-4)


def blob(x: float, y: float, width: float, height: float = 2.5) -> np.ndarray:
    rows, columns = np.mgrid[:24, :24]
    values = np.exp(-(((columns - x) / width) ** 2) - ((rows - y) / height) ** 2)
    return values[None, ..., None].astype(np.float32)


@pytest.mark.parametrize("copy", [blob(11.9, 12.1, 3.0), blob(11.7, 12.0, 3.0), blob(11.7, 12.0, 3.1, 2.6)])
def test_a_little_shift_and_blur_is_explained(copy: np.ndarray) -> None:
    assert unexplained(blob(11.7, 12.0, 3.0), copy)[0] < 0.03


def test_a_change_in_one_place_and_a_long_way_moved_are_not_explained() -> None:
    spot = blob(11.7, 12.0, 3.0)
    spot[0, 4, 4, 0] += 0.2
    assert unexplained(blob(11.7, 12.0, 3.0), spot)[0] > 0.4
    assert unexplained(blob(9.0, 12.0, 3.0), blob(13.0, 12.0, 3.0))[0] > 0.3
    assert unexplained(spot[:0], spot[:0]).shape == (0,)


def all_with_all(points: np.ndarray, nearest: int, farthest: float) -> set[tuple[int, int]]:
    far = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
    np.fill_diagonal(far, np.inf)
    pairs = set()
    for i, row in enumerate(far):
        pairs |= {
            tuple(sorted((i, int(j)))) for j in np.argsort(row.round(3), kind="stable")[:nearest] if row[j] < farthest
        }
    return pairs


@pytest.mark.parametrize("few", [True, False])
def test_neighbours_are_those_of_a_comparison_of_all_with_all(few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not few:
        monkeypatch.setattr(neighbours, "_FEW", 0)
    rng = np.random.default_rng(1)
    crowded = rng.random((200, 3)).astype(np.float32)
    apart = np.concatenate([rng.random((600, 8)), 0.01 * rng.random((200, 8)) + rng.random((200, 8))])
    apart = np.concatenate([apart, apart[:100] + 0.02]).astype(np.float32)
    for points, nearest, farthest in ((crowded, 6, 0.18), (crowded, 24, 0.18), (apart, 24, 0.1)):
        expected = all_with_all(points, nearest, farthest)
        assert {*map(tuple, near_pairs(points, nearest, farthest).tolist())} == expected
        half = len(points) // 2
        late = {pair for pair in expected if pair[1] >= half}
        found = {*map(tuple, near_pairs(points, nearest, farthest, first=half).tolist())}
        # A late point's nearest are looked for; early points do not bring in late ones.
        assert found <= late and len(found) >= 0.9 * len(late)
    assert near_pairs(crowded[:0], 24, 0.1).shape == (0, 2)
    assert near_pairs(crowded[:1], 24, 0.1).shape == (0, 2)
    assert near_pairs(crowded, 24, 0.1, first=200).shape == (0, 2)


def test_where_points_lie_close_the_nearest_are_found() -> None:
    rng = np.random.default_rng(2)
    few, many = rng.random((40, 48)), rng.normal(0, 0.03, (4000, 48))
    points = (0.3 * few[rng.integers(0, 40, 4000)] + many).astype(np.float32)
    copies = (points[:500] + rng.normal(0, 0.004, (500, 48))).astype(np.float32)
    found = {*map(tuple, near_pairs(np.concatenate([points, copies]), 24, 0.3).tolist())}
    assert {(i, 4000 + i) for i in range(500)} <= found


@pytest.mark.parametrize("few", [True, False])
def test_equal_points_hang_together(few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not few:
        monkeypatch.setattr(neighbours, "_FEW", 0)
    points = np.random.default_rng(3).random((400, 5)).astype(np.float32)
    points[50:350] = points[50]
    pairs = near_pairs(points, 3, 0.01).tolist()
    reached = {50}
    for _ in range(300):
        reached |= {place for pair in pairs if reached & {*pair} for place in pair}
    assert reached == set(range(50, 350))


def test_only_pairs_across_the_two_sides() -> None:
    points = np.zeros((6, 2), np.float32)
    side = np.array([True, False, False, True, False, False])
    pairs = near_pairs(points, 24, 0.1, side=side).tolist()
    assert pairs and all(side[one] != side[other] for one, other in pairs)


def test_facts_and_sides_stand_where_the_layout_says() -> None:
    image = Image.new("RGBA", (100, 60))
    ImageDraw.Draw(image).ellipse((20, 10, 59, 49), fill="red")
    rows = printed(saved(image), saved(image.resize((200, 120), Image.Resampling.NEAREST)), saved(image.convert("RGB")))
    assert rows.shape == (3, DIMENSION)
    assert opaque(rows).tolist() == [False, False, True] and not moves(rows).any()
    first, second, _ = layout_on_grey(rows).side
    assert second == pytest.approx(2 * first, rel=0.02) and 40 < first < 60
    assert layout_on_grey(rows).colour[0, 8, 8] == pytest.approx([1.0, -0.5, 1.0], abs=1e-3)
    assert on_white(rows).light[0, 0, 0, 0] == 1.0


def test_a_large_picture_is_reduced_and_remembers_its_size() -> None:
    image = Image.new("RGBA", (2000, 1400))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 100, 1900, 1300), fill="orange", outline="black", width=80)
    draw.line((400, 500, 900, 800), fill="navy", width=60)
    rows = printed(saved(image), saved(image.resize((250, 175), Image.Resampling.BOX)))
    assert layout_on_grey(rows).side[0] == pytest.approx(8 * layout_on_grey(rows).side[1], rel=0.02)
    assert alike(rows[:1], rows[1:]).all()
