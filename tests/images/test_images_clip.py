"""The models of the CLIP family, each run for real with a few random weights from a folder."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from picture_files import animation, drawing, encoded, solid

from persrv.errors import MissingExtraError, PersrvError, RecipeError, SourceError
from persrv.images.compositing import fit, on_neutral
from persrv.images.decode import Picture, open_picture
from persrv.images.encoder import ImageEncoder, TextTower
from persrv.images.registry import encoder

torch = pytest.importorskip("torch")
tiny = pytest.importorskip("tiny_clip_models")
for package in ("open_clip", "transformers", "sentence_transformers"):
    pytest.importorskip(package)

Writer = Callable[..., Path]
FAMILIES: dict[str, tuple[Writer, int, str]] = {
    "open_clip": (tiny.write_openclip, 24, "open_clip"),
    "chinese-clip": (tiny.write_chinese_clip, 20, "transformers"),
    "sentence-transformers": (tiny.write_sentence_clip, 28, "sentence_transformers"),
}
TEXTS = ["cat", "猫", "a", "笑 cat"]


def picture(frame: NDArray[np.uint8]) -> Picture:
    return open_picture(encoded(frame, "PNG"))


DISC = picture(drawing())
SQUARE = picture(solid((30, 160, 60), 40, 60))
NOTHING = picture(solid((0, 0, 0, 0)))


@pytest.fixture(scope="module")
def folders(module_folder: Path) -> dict[str, Path]:
    root = module_folder
    return {family: write(root / family) for family, (write, _, _) in FAMILIES.items()}


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_and_texts_get_unit_vectors_of_one_length(family: str, folders: dict[str, Path]) -> None:
    made = encoder(f"{family}:{folders[family]}", {"device": "cpu", "batch": 2, "licence": "MIT"})
    assert isinstance(made, ImageEncoder)
    assert isinstance(made, TextTower)
    assert (made.dimension, made.purpose, made.licence) == (FAMILIES[family][1], "content", "MIT")
    vectors = made.encode([DISC, SQUARE, NOTHING])
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0], atol=1e-5)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    texts = made.encode_text(TEXTS)
    assert texts.shape == (4, made.dimension)
    assert np.allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    assert np.abs(texts[0] - texts[2]).max() > 1e-4
    assert made.encode([]).shape == made.encode_text([]).shape == (0, made.dimension)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_is_as_good_as_one_by_one(family: str, folders: dict[str, Path]) -> None:
    made = encoder(f"{family}:{folders[family]}", {"batch": 3})
    pictures = [DISC, SQUARE, NOTHING, DISC, SQUARE]
    assert np.allclose(made.encode(pictures), np.concatenate([made.encode([p]) for p in pictures]), atol=1e-5)
    assert isinstance(made, TextTower)
    assert np.allclose(made.encode_text(TEXTS), np.concatenate([made.encode_text([t]) for t in TEXTS]), atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_animation_is_the_mean_direction_of_its_visible_frames(family: str, folders: dict[str, Path]) -> None:
    frames = [drawing(), solid((30, 160, 60), 40, 60), solid((0, 0, 0, 0), 40, 60)]
    made = encoder(f"{family}:{folders[family]}")
    mean = made.encode([DISC, SQUARE]).mean(axis=0)
    found = made.encode([open_picture(animation(frames, "PNG"))])[0]
    assert np.allclose(found, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_transparent_is_not_black(family: str, folders: dict[str, Path]) -> None:
    black, white = drawing(), drawing()
    black[black[..., 3] == 0, :3] = 0
    white[white[..., 3] == 0, :3] = 255
    vectors = encoder(f"{family}:{folders[family]}").encode([picture(black), picture(white)])
    assert np.array_equal(vectors[0], vectors[1])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_revision_tells_weights_apart(family: str, folders: dict[str, Path], tmp_path: Path) -> None:
    copied = shutil.copytree(folders[family], tmp_path / "copied")
    written = FAMILIES[family][0](tmp_path / "written", 1)
    same, other = (encoder(f"{family}:x", model_folder=folder) for folder in (copied, written))
    first = encoder(f"{family}:{folders[family]}")
    assert same.revision == first.revision != other.revision
    assert np.allclose(same.encode([DISC]), first.encode([DISC]), atol=1e-6)
    assert np.abs(other.encode([DISC]) - first.encode([DISC])).max() > 1e-3


def test_openclip_agrees_with_its_own_preparation(folders: dict[str, Path]) -> None:
    import open_clip
    from PIL import Image

    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folders['open_clip']}")
    ready = Image.fromarray(on_neutral(fit(drawing(), 32), 255))
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(model.eval().encode_image(prepare(ready)[None]))[0].numpy()
        words = open_clip.get_tokenizer(f"local-dir:{folders['open_clip']}")(["a happy cat"])
        text = torch.nn.functional.normalize(model.encode_text(words))[0].numpy()
    made = encoder(f"open_clip:{folders['open_clip']}")
    assert np.allclose(made.encode([DISC])[0], expected, atol=1e-5)
    assert isinstance(made, TextTower)
    assert np.allclose(made.encode_text(["a happy cat"])[0], text, atol=1e-5)


def test_chinese_clip_agrees_with_its_own_model(folders: dict[str, Path]) -> None:
    from transformers import ChineseCLIPModel
    from transformers.models.chinese_clip.image_processing_pil_chinese_clip import ChineseCLIPImageProcessorPil

    model = ChineseCLIPModel.from_pretrained(folders["chinese-clip"]).eval()
    prepare = ChineseCLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    ready = prepare(images=[on_neutral(fit(drawing(), 32), 255)], return_tensors="pt")
    with torch.inference_mode():
        expected = model.get_image_features(**ready).pooler_output[0].numpy()
    made = encoder("chinese-clip:chinese-clip", model_folder=folders["chinese-clip"].parent)
    assert np.allclose(made.encode([DISC])[0], expected / np.linalg.norm(expected), atol=1e-5)


def test_a_model_without_weights_is_refused_rather_than_random(tmp_path: Path) -> None:
    bare = tiny.write_openclip(tmp_path / "bare", weights=False)
    with pytest.raises(SourceError, match="cannot be loaded"):
        encoder(f"open_clip:{bare}").encode([DISC])
    with pytest.raises(RecipeError, match="names no weights"):
        encoder("open_clip:ViT-B-32")
    with pytest.raises(SourceError, match=r"open_clip:ViT-B-32/none cannot be loaded"):
        encoder("open_clip:ViT-B-32/none").encode([DISC])
    lacking = tiny.write_chinese_clip(tmp_path / "lacking")
    from safetensors.torch import load_file, save_file

    weights = load_file(lacking / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, lacking / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SourceError, match=r"the weights lack visual_projection\.weight"):
        encoder(f"chinese-clip:{lacking}").encode([DISC])


@pytest.mark.parametrize("name", ["chinese-clip:", "chinese-clip:./nowhere", "sentence-transformers:/nowhere"])
def test_folders_that_are_not_there(name: str) -> None:
    with pytest.raises(SourceError, match="there is no model"):
        encoder(name)


@pytest.mark.parametrize(
    "name", ["chinese-clip:owner/name", "sentence-transformers:owner/name", "open_clip:hf-hub:a/b"]
)
def test_a_hub_that_cannot_be_reached(name: str) -> None:
    with pytest.raises(SourceError, match="cannot be fetched"):
        encoder(name)


@pytest.mark.parametrize("family", FAMILIES)
def test_wrong_options_are_refused(family: str, folders: dict[str, Path]) -> None:
    for options, reason in (({"device": "abacus"}, "device = 'abacus'"), ({"size": 3}, "no option 'size'")):
        with pytest.raises(RecipeError, match=reason):
            encoder(f"{family}:{folders[family]}", options)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_missing_package_names_the_extra(
    family: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = encoder(f"{family}:{folders[family]}")
    monkeypatch.setitem(sys.modules, FAMILIES[family][2], None)
    with pytest.raises(MissingExtraError, match=r"persrv\[clip\]"):
        made.encode([DISC])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_broken_model_is_one_of_our_errors(family: str, folders: dict[str, Path], tmp_path: Path) -> None:
    for mark in ("open_clip_config.json", "config.json", "modules.json"):
        (tmp_path / mark).write_text("{", encoding="utf-8")
    with pytest.raises(PersrvError, match="cannot be loaded"):
        encoder(f"{family}:{tmp_path}").encode([DISC])
