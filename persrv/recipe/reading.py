"""How a sticker is read: its look, the text in it, what it means, and the space of its texts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from persrv.recipe.section import Fraction, NotNegative, Positive, Section


class Image(Section):
    """How a sticker's look becomes the vector ``image``."""

    encoder: str = "statistics"
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    model_folder: Path | None = None
    batch: int = Field(default=64, ge=1, le=4096)


class Ocr(Section):
    """How the text in pictures is read; ``engine = ""`` leaves it unread."""

    engine: Literal["", "rapidocr", "easyocr"] = ""
    languages: tuple[str, ...] = ("ch_sim", "en")
    min_confidence: Fraction = 0.6
    max_side: int = Field(default=320, ge=32, le=4096)
    model_folder: Path | None = None
    download: bool = False


class Describe(Section):
    """What says what stickers mean; ``engine = ""`` leaves them undescribed."""

    engine: Literal["", "transformers", "openai", "nearest", "labels"] = ""
    model: str = ""
    adapter: Path | None = None
    revision: str = ""
    language: Literal["en", "zh"] = "en"
    prompt: str = ""
    batch: int = Field(default=8, ge=1, le=1024)
    max_tokens: int = Field(default=160, ge=8, le=4096)
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    four_bit: bool = False
    base_url: str = ""
    concurrency: int = Field(default=4, ge=1, le=256)
    timeout_s: Positive = 60.0
    retries: int = Field(default=4, ge=0, le=20)


class Meaning(Section):
    """Dense recall by meaning beside BM25F; ``"auto"`` takes the best encoder that is installed, ``""`` none.

    ``weight`` is what one standard deviation of likeness is worth, as a share of the best possible text score, where
    nobody picked; :mod:`persrv.text.meaning.fusion` says how picks lower it. ``reach`` is how many of them let a
    sticker in that has none of the query's words.
    """

    encoder: str = "auto"
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    dimension: int = Field(default=256, ge=1, le=4096)
    weight: NotNegative = 0.2
    reach: NotNegative = 1.0
