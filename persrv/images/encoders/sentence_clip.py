"""CLIP models packed for sentence-transformers, by hub name or folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.errors import SourceError
from persrv.images.encoders.model_files import find_model
from persrv.images.encoders.options import Option, needs
from persrv.images.encoders.two_towers import Towers, TowerSettings, TwoTowers, chosen_device, mend_torchvision

_SIDE = 224
"""Pixels of the squares handed over; the model's own preparation brings them to its size."""


def sentence_clip_encoder(model: str, given: Mapping[str, Option], model_folder: Path | None) -> TwoTowers:
    """Return the encoder ``sentence-transformers:<model>``.

    Args:
        model: A hub name (``sentence-transformers/clip-ViT-B-32``) or a folder.
        given: See :class:`~persrv.images.encoders.two_towers.Settings`.
        model_folder: Where ``model`` is looked for first; it may be the model's own folder.

    Raises:
        RecipeError: An option is wrong.
        SourceError: There is no such model.
        MissingExtraError: The model must be fetched, and the hub's client is not installed.
    """
    name = f"sentence-transformers:{model}"
    settings = TowerSettings.of(name, given)
    files = find_model(model, model_folder, settings.commit, "clip", ("modules.json", "config.json"))
    return TwoTowers(name, files.identity, settings, lambda device: _load(name, files.folder, device, settings.batch))


def _load(name: str, folder: Path, wanted_device: str, batch: int) -> Towers:
    with needs("clip", name):
        import torch

        mend_torchvision()
        from sentence_transformers import SentenceTransformer
    device = chosen_device(wanted_device)

    def embed(items: list[str] | list[Image.Image]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found = model.encode(items, batch_size=batch, convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(found, np.float32)

    def see(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return embed([Image.fromarray(frame) for frame in frames])

    try:
        model = SentenceTransformer(str(folder), device=device, local_files_only=True)
        if device == "cuda":
            model = model.half()
        dimension = see(np.zeros((1, _SIDE, _SIDE, 3), np.uint8)).shape[1]
        if embed(["a"]).shape[1] != dimension:
            raise ValueError("its texts and pictures have vectors of different lengths")
    # sentence-transformers raises what it likes, from OSError to KeyError.
    except Exception as error:
        raise SourceError(
            f"{name} cannot be loaded: {error}", f"check that {folder} holds a complete CLIP model"
        ) from error
    return Towers(_SIDE, see, embed, dimension)
