"""What all models of the CLIP family share (Radford et al. 2021): two towers into one space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from persrv.images.decode import Picture
from persrv.images.encoders.options import Option, Options
from persrv.images.encoders.squares import mean_by_owner, squares

_KNOWN = ("batch", "commit", "device", "licence")
_GROUND = 255


@dataclass(frozen=True, slots=True)
class TowerSettings:
    """What a recipe may set for every model of this family.

    Attributes:
        batch: Pictures or texts that go through the model at once.
        commit: Branch, tag or commit on the hub, ``""`` for the newest.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        licence: SPDX expression of the weights, which only whoever chose them can know.
    """

    batch: int
    commit: str
    device: str
    licence: str

    @classmethod
    def of(cls, encoder: str, given: Mapping[str, Option]) -> TowerSettings:
        """Return the recipe's settings over the defaults.

        Raises:
            RecipeError: One is unknown or impossible.
        """
        options = Options(encoder, given, _KNOWN)
        return cls(
            options.integer("batch", 32, 1, 4096),
            options.text("commit", ""),
            options.text("device", "auto", ("auto", "cpu", "cuda", "mps")),
            options.text("licence", "LicenseRef-Unstated"),
        )


@dataclass(frozen=True, slots=True)
class Towers:
    """A model that is ready to run.

    Attributes:
        side: Pixels of a picture's side.
        see: Pictures, uint8 RGB of shape (n, side, side, 3), to vectors of any length, shape (n, d).
        read: Texts to vectors of any length, shape (n, d).
        dimension: Length of a vector.
    """

    side: int
    see: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    read: Callable[[list[str]], NDArray[np.float32]]
    dimension: int


class TwoTowers:
    """An image encoder with a text tower; its model is loaded when it is first needed.

    A picture is cut to what is drawn, set on white, and shown whole. An animation's vector is the mean of the unit
    vectors of its visible frames, scaled to unit length.

    Args:
        name: What the recipe calls it.
        identity: Changes with the weights.
        settings: Batch, device and licence.
        load: Loads the model onto the device that it is given.
    """

    purpose: Literal["content"] = "content"

    def __init__(self, name: str, identity: str, settings: TowerSettings, load: Callable[[str], Towers]) -> None:
        self.name = name
        self.revision = f"1-{identity}"
        self.licence = settings.licence
        self._settings = settings
        self._load = load

    @cached_property
    def _towers(self) -> Towers:
        return self._load(self._settings.device)

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the model.

        Raises:
            MissingExtraError: The model's packages are not installed.
            SourceError: The model cannot be loaded.
        """
        return self._towers.dimension

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return unit vectors, shape (n_pictures, dimension); zero where nothing is visible.

        Raises:
            MissingExtraError: The model's packages are not installed.
            SourceError: The model cannot be loaded.
        """
        towers = self._towers
        owners: list[int] = []
        vectors = [np.zeros((0, towers.dimension), np.float32)]
        for numbers, frames in squares(pictures, towers.side, 0, _GROUND, self._settings.batch):
            owners += numbers
            vectors.append(_unit(towers.see(frames)))
        return _unit(mean_by_owner(np.concatenate(vectors), owners, len(pictures)))

    def encode_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors in the space of the pictures, shape (n_texts, dimension).

        Raises:
            MissingExtraError: The model's packages are not installed.
            SourceError: The model cannot be loaded.
        """
        towers = self._towers
        vectors = [np.zeros((0, towers.dimension), np.float32)]
        for start in range(0, len(texts), self._settings.batch):
            vectors.append(_unit(towers.read(list(texts[start : start + self._settings.batch]))))
        return np.concatenate(vectors)


def chosen_device(wanted: str) -> str:
    """Return ``"cuda"``, ``"mps"`` or ``"cpu"``: what is wanted, or for ``"auto"`` the best that this machine has."""
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def mend_torchvision() -> None:
    """Let packages that import torchvision where it is installed do so; where it is not, they do without."""
    from persrv.images.encoders.torchvision_shim import ensure_torchvision

    with suppress(ImportError):
        ensure_torchvision()


def as_pixels(frames: NDArray[np.uint8], mean: Sequence[float], deviation: Sequence[float]) -> NDArray[np.float32]:
    """Return pictures as most models of this family take them.

    Args:
        frames: RGB, shape (n, side, side, 3).
        mean: Of the training pictures' channels, 0 to 1.
        deviation: Likewise.

    Returns:
        Shape (n, 3, side, side), each channel shifted and scaled.
    """
    scaled = (frames.astype(np.float32) / 255 - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def as_array(vectors: Any) -> NDArray[np.float32]:
    """Return a torch tensor of any device and precision as an array."""
    return np.asarray(vectors.float().cpu().numpy(), np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit
