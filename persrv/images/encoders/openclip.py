"""Models of OpenCLIP (Ilharco et al. 2021), by architecture and weights, hub name or folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.errors import RecipeError, SourceError
from persrv.images.encoders.model_files import content_hash, find_model, local_folder
from persrv.images.encoders.options import Option, needs
from persrv.images.encoders.two_towers import (
    Towers,
    TowerSettings,
    TwoTowers,
    as_array,
    as_pixels,
    chosen_device,
    mend_torchvision,
)

_HUB = "hf-hub:"
_CONFIGURATION = "open_clip_config.json"


def openclip_encoder(model: str, given: Mapping[str, Option], model_folder: Path | None) -> TwoTowers:
    """Return the encoder ``open_clip:<model>``.

    Args:
        model: ``architecture/weights`` as OpenCLIP lists them (``ViT-B-32/laion2b_s34b_b79k``), ``hf-hub:owner/name``,
            or a folder with ``open_clip_config.json`` and weights.
        given: See :class:`~persrv.images.encoders.two_towers.Settings`.
        model_folder: Where ``model`` is looked for first; it may be the model's own folder.

    Raises:
        RecipeError: An option is wrong, or no weights are named: an architecture alone would have random ones.
        SourceError: The hub does not give the model.
    """
    name = f"open_clip:{model}"
    settings = TowerSettings.of(name, given)
    if folder := local_folder(model, model_folder, (_CONFIGURATION,)):
        return _from_folder(name, folder, content_hash(folder), settings)
    if model.startswith(_HUB):
        files = find_model(model.removeprefix(_HUB), None, settings.commit, "clip", (_CONFIGURATION,))
        return _from_folder(name, files.folder, files.identity, settings)
    architecture, _, weights = model.partition("/")
    if not architecture or not weights:
        raise RecipeError(
            f"image.encoder: {name} names no weights", "write open_clip:ViT-B-32/laion2b_s34b_b79k, or a model's folder"
        )
    identity = hashlib.sha256(model.encode()).hexdigest()[:16]
    return TwoTowers(name, identity, settings, lambda device: _load(name, architecture, weights, device))


def _from_folder(name: str, folder: Path, identity: str, settings: TowerSettings) -> TwoTowers:
    return TwoTowers(name, identity, settings, lambda device: _load(name, f"local-dir:{folder}", None, device))


def _load(name: str, architecture: str, weights: str | None, wanted_device: str) -> Towers:
    with needs("clip", name):
        import torch

        mend_torchvision()
        import open_clip
    device = chosen_device(wanted_device)
    try:
        model = open_clip.create_model(
            architecture,
            pretrained=weights,
            precision="fp16" if device == "cuda" else "fp32",
            device=device,
            require_pretrained=True,
        ).eval()
        tokenizer = open_clip.get_tokenizer(architecture)
        prepared = model.visual.preprocess_cfg
        size = prepared["size"]
        side = size if isinstance(size, int) else min(size)
    # OpenCLIP and the hub's client raise what they like, from RuntimeError to KeyError.
    except Exception as error:
        raise SourceError(
            f"{name} cannot be loaded: {error}", "check the names of model and weights, and the connection"
        ) from error

    def see(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(as_pixels(frames, prepared["mean"], prepared["std"])).to(device)
            return as_array(model.encode_image(pixels.half() if device == "cuda" else pixels))

    def read(texts: list[str]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return as_array(model.encode_text(tokenizer(texts).to(device)))

    return Towers(side, see, read, read(["a"]).shape[1])
