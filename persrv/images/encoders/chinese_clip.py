"""Chinese-CLIP (Yang et al. 2022), by hub name or folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.errors import SourceError
from persrv.images.encoders.model_files import find_model
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

_LONGEST = 52
"""Tokens of a text, as the model was trained."""
_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's training pictures; for folders that do not say."""


def chinese_clip_encoder(model: str, given: Mapping[str, Option], model_folder: Path | None) -> TwoTowers:
    """Return the encoder ``chinese-clip:<model>``.

    Args:
        model: A hub name (``OFA-Sys/chinese-clip-vit-base-patch16``) or a folder.
        given: See :class:`~persrv.images.encoders.two_towers.Settings`.
        model_folder: Where ``model`` is looked for first; it may be the model's own folder.

    Raises:
        RecipeError: An option is wrong.
        SourceError: There is no such model.
        MissingExtraError: The model must be fetched, and the hub's client is not installed.
    """
    name = f"chinese-clip:{model}"
    settings = TowerSettings.of(name, given)
    files = find_model(model, model_folder, settings.commit, "clip", ("config.json",))
    return TwoTowers(name, files.identity, settings, lambda device: _load(name, files.folder, device))


def _load(name: str, folder: Path, wanted_device: str) -> Towers:
    with needs("clip", name):
        import torch

        mend_torchvision()
        from transformers import AutoTokenizer, ChineseCLIPModel
    device = chosen_device(wanted_device)
    try:
        loaded: Any = ChineseCLIPModel.from_pretrained(
            folder,
            local_files_only=True,
            output_loading_info=True,
            dtype=torch.float16 if device == "cuda" else torch.float32,
        )
        model, report = loaded
        if report["missing_keys"]:
            raise ValueError(f"the weights lack {sorted(report['missing_keys'])[0]}")
        model = model.to(device).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        mean, deviation = _preparation(folder)
    # transformers raises what it likes, from OSError to KeyError.
    except Exception as error:
        raise SourceError(
            f"{name} cannot be loaded: {error}", f"check that {folder} holds a complete Chinese-CLIP model"
        ) from error

    def see(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(as_pixels(frames, mean, deviation)).to(device, model.dtype)
            return as_array(model.get_image_features(pixel_values=pixels).pooler_output)

    def read(texts: list[str]) -> NDArray[np.float32]:
        tokens = tokenizer(texts, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt").to(device)
        with torch.inference_mode():
            return as_array(model.get_text_features(**tokens).pooler_output)

    return Towers(model.config.vision_config.image_size, see, read, model.config.projection_dim)


def _preparation(folder: Path) -> tuple[list[float], list[float]]:
    file = folder / "preprocessor_config.json"
    settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return settings.get("image_mean", list(_MEAN)), settings.get("image_std", list(_DEVIATION))
