"""A picture reduced to what is left when size, margins, format and compression are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.images.decode import Picture
from persrv.images.duplicates.frame import frame_of, sample
from persrv.images.duplicates.layout import COLOUR_CELLS, DIMENSION, LIGHT_CELLS, SIDE_UNIT

_LONGEST = 512
"""Pixels to which larger pictures are reduced by a whole number first; cells are far larger than what is lost."""

_SEE_THROUGH = 0.98
"""A picture whose least alpha is below this is not opaque; some encoders write 254 for 255."""

_ALMOST_WHITE = 0.02
"""Distance from white up to which a pixel belongs to the ground: compression leaves a haze round a drawing."""

_FAINTEST = 0.1
"""Strongest pixel, alpha or distance from white, below which a drawing is too faint to be compared."""

_LIGHT = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue in the brightness that an eye sees (ITU-R BT.601)."""


class PerceptualHash:
    """What is drawn, as fine cells of brightness and coarse cells of colour; copies have near perceptual hashes.

    Each picture is measured twice: by its alpha, and as it looks on white. By the first, two pictures with
    transparency are compared; by the second, any two of which one is opaque, such as a sticker that was saved as JPEG.
    Brightness is finer than colour because compression spares it. The frames of an animation are averaged within one
    square, so that a drawing that only wanders is not the still one.

    :mod:`persrv.images.duplicates.layout` says what stands where.
    """

    name = "perceptual-hash"
    revision = "3"
    dimension = DIMENSION
    purpose: Literal["content"] = "content"
    licence = "Apache-2.0"

    def encode(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """Return perceptual hashes, shape (n_pictures, 3332), in [-1, 1] but for the two sides."""
        rows = [_perceptual_hash(picture) for picture in pictures]
        return np.array(rows, dtype=np.float32).reshape(-1, self.dimension)


def _perceptual_hash(picture: Picture) -> NDArray[np.float32]:
    reduced = [_premultiplied(frame) for frame in picture.frames]
    mean = np.asarray(np.mean(reduced, axis=0, dtype=np.float32), dtype=np.float32)
    scale = picture.frames[0].shape[0] / mean.shape[0]
    opaque = min(float(frame[..., 3].min()) for frame in reduced) >= _SEE_THROUGH
    shown = _measured(mean, mean[..., 3], scale, on_white=False)
    darkness = mean[..., 3] - mean[..., :3].mean(axis=2)
    white = _measured(mean, np.maximum(darkness - np.float32(_ALMOST_WHITE), 0.0), scale, on_white=True)
    facts = np.array([opaque, len(picture.frames) > 1], dtype=np.float32)
    return np.concatenate([*shown, *white, facts])


def _premultiplied(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    image = Image.fromarray(frame).convert("RGBa")
    factor = -(-max(image.size) // _LONGEST)
    return np.asarray(image.reduce(factor) if factor > 1 else image, dtype=np.float32) / np.float32(255)


def _measured(
    rgba: NDArray[np.float32], weight: NDArray[np.float32], scale: float, *, on_white: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return brightness, colour with alpha, and the side of the square, each flat; zeros where nothing is drawn."""
    frame = frame_of(weight) if float(weight.max()) >= _FAINTEST else None
    channels = 2 if on_white else 3
    if frame is None:
        nothing = np.zeros(LIGHT_CELLS**2, np.float32), np.zeros(COLOUR_CELLS**2 * channels, np.float32)
        return *nothing, np.zeros(1, np.float32)
    cells = sample(rgba, frame, LIGHT_CELLS)
    alpha = cells[..., 3]
    brightness = cells[..., :3] @ _LIGHT + (1.0 - alpha) * (1.0 if on_white else 0.5)
    red, green, blue = cells[..., 0], cells[..., 1], cells[..., 2]
    colour = np.stack([red - green, blue - (red + green) / 2, alpha][:channels], axis=-1)
    block = LIGHT_CELLS // COLOUR_CELLS
    coarse = colour.reshape(COLOUR_CELLS, block, COLOUR_CELLS, block, channels).mean(axis=(1, 3))
    side = np.array([frame.side * scale / SIDE_UNIT], dtype=np.float32)
    return brightness.ravel().astype(np.float32), coarse.ravel().astype(np.float32), side
