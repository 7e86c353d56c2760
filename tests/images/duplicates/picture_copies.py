"""Emoji, and copies of them as people make copies."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.images.decode import open_picture
from persrv.images.duplicates import PerceptualHash
from repository import ROOT

EMOJI = ROOT / "collections" / "emoji"

Copy = Callable[[Image.Image], bytes]


def names(count: int, seed: int = 0) -> list[str]:
    """Files of some of the shipped stickers, of all styles."""
    rows = [json.loads(line)["file"] for line in (EMOJI / "stickers.jsonl").read_text("utf-8").splitlines()]
    return random.Random(seed).sample(rows, count)


def picture(name: str) -> Image.Image:
    return Image.open(EMOJI / name).convert("RGBA")


def saved(image: Image.Image, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, **({"format": "PNG"} | how))
    return file.getvalue()


def printed(*files: bytes) -> NDArray[np.float32]:
    """Perceptual hashes, rounded as the cache rounds them."""
    rows = PerceptualHash().encode([open_picture(file) for file in files])
    return rows.astype(np.float16).astype(np.float32)


def given(ids: Sequence[str], rows: NDArray[np.float32]) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Perceptual hashes by id, as the cache gives them."""
    place = {name: i for i, name in enumerate(ids)}
    return lambda wanted: rows[[place[name] for name in wanted]]


def scaled(factor: float, how: Image.Resampling) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)), how)


def with_margin(image: Image.Image) -> Image.Image:
    wider = Image.new("RGBA", (image.width + 30, image.height + 50))
    wider.paste(image, (11, 7))
    return wider


def whitened(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


_HOW = Image.Resampling

COPIES: dict[str, tuple[Copy, float]] = {
    "half, Lanczos": (lambda image: saved(scaled(0.5, _HOW.LANCZOS)(image)), 0.95),
    "half, bilinear": (lambda image: saved(scaled(0.5, _HOW.BILINEAR)(image)), 0.95),
    "double, bicubic": (lambda image: saved(scaled(2.0, _HOW.BICUBIC)(image)), 0.95),
    "double, nearest": (lambda image: saved(scaled(2.0, _HOW.NEAREST)(image)), 0.95),
    "third, Lanczos": (lambda image: saved(scaled(1 / 3, _HOW.LANCZOS)(image)), 0.9),
    "WebP 50": (lambda image: saved(image, format="WEBP", quality=50), 0.98),
    "JPEG 75 on white": (lambda image: saved(whitened(image), format="JPEG", quality=75), 0.98),
    "another margin": (lambda image: saved(with_margin(image)), 0.98),
    "palette": (lambda image: saved(image.quantize(256, method=Image.Quantize.FASTOCTREE)), 0.98),
}
"""What was done, and the least share of copies that must be found."""
