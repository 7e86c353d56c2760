"""From whatever colours a file has to straight-alpha sRGB."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_PROFILED_MODES = {"RGB": "RGB", "L": "L", "CMYK": "CMYK"}


def to_rgba(image: Image.Image) -> NDArray[np.uint8]:
    """Return a decoded frame as straight-alpha sRGB, shape (h, w, 4).

    An embedded ICC profile is honoured; one that is broken, or that does not fit the picture's mode, is ignored.
    """
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        return _from_sixteen_bits(image)
    alpha: Image.Image | None = None
    if "A" in image.mode or "transparency" in image.info or image.mode == "P":
        image = _with_alpha(image)
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode not in _PROFILED_MODES:
        image = image.convert("RGB")
    if isinstance(profile, bytes):
        image = _to_srgb(image, profile)
    image = image.convert("RGB")
    if alpha is None:
        return np.dstack([np.asarray(image), np.full((image.height, image.width), 255, np.uint8)])
    return np.dstack([np.asarray(image), np.asarray(alpha)])


def _with_alpha(image: Image.Image) -> Image.Image:
    key = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        # A 16-bit file's transparent colour, while Pillow has already cut its pixels to 8 bits.
        image = image.copy()
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image.convert("RGBA")


def _from_sixteen_bits(image: Image.Image) -> NDArray[np.uint8]:
    """Return a grey picture of 16 bits (PNG only); Pillow's own conversion clips at 255 instead of scaling."""
    deep = np.asarray(image).astype(np.int64)
    grey = ((np.clip(deep, 0, 65535) * 255 + 32767) // 65535).astype(np.uint8)
    key = image.info.get("transparency")
    alpha = np.where(deep == key, 0, 255).astype(np.uint8) if isinstance(key, int) else np.full_like(grey, 255)
    return np.dstack([grey, grey, grey, alpha])


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image
