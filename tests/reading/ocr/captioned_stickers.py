"""Captioned stickers, drawn for the test: chat phrases over real pictures, with exact ground truth."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pylopdf_fonts_zh_cn as fonts
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from persrv.images.decode import Picture
from repository import ROOT

EMOJI = ROOT / "collections" / "emoji"
SIDE = 240
"""Width and height of a drawn sticker in pixels: messengers' stickers have 240 to 512."""

PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        *("OK", "LOL", "GOOD MORNING", "Good night", "THANK YOU", "Hello!", "Bye bye", "SORRY", "WOW", "NO WAY"),
        *("YES!", "Please", "I love you", "Miss you", "HAPPY\nBIRTHDAY", "Congrats", "So tired", "What?", "HELP ME"),
        *("See you", "Nice", "Awesome", "OMG", "LET'S GO", "Hungry", "Deal with it", "Good luck", "Why me"),
        *("Not today", "Cheers", "Coffee\ntime", "TGIF", "Too cute", "Come on", "Well done", "Big hug", "Oh no"),
        *("Hahaha", "Boring", "On my way", "Call me", "Cool", "Whatever", "My bad", "Got it", "Take care"),
        *("Sweet\ndreams", "I'm fine", "Nope", "BRB"),
    ),
    "zh": (
        *(
            "哈哈哈",
            "早安",
            "晚安",
            "笑死",
            "加油",
            "谢谢",
            "对不起",
            "我爱你",
            "生日快乐",
            "恭喜发财",
            "辛苦了",
            "收到",
        ),
        *("好的", "没问题", "再见", "么么哒", "无语", "我太难了", "救命", "厉害了", "真香", "吃瓜", "摸鱼", "下班了"),
        *("饿了", "好困", "冲鸭", "安排", "牛", "哼", "抱抱", "想你了", "在吗", "别闹", "不要啊", "你说呢", "随便"),
        *(
            "绝了",
            "打工人",
            "爱了爱了",
            "谢谢\n老板",
            "开心每一天",
            "今天也要\n努力",
            "来了来了",
            "告辞",
            "干杯",
            "尴尬",
        ),
        *("保重身体", "求求你了", "新年快乐"),
    ),
}
"""Fifty phrases a language, as people send them; a line break is drawn as one."""

INKS = ((255, 255, 255), (0, 0, 0), (128, 128, 128), (220, 30, 40), (30, 80, 200), (250, 200, 0), (20, 140, 60))
"""White, black, the grey of the neutral ground itself, red, blue, yellow, green."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """A drawn sticker, shape (SIDE, SIDE, 4) straight alpha, and what is written on it."""

    caption: str
    language: str
    ink: tuple[int, int, int]
    edged: bool
    frame: NDArray[np.uint8]


@functools.cache
def font(size: int, family: Literal["sans", "serif"] = "sans") -> ImageFont.FreeTypeFont:
    """Return Noto Sans SC or Noto Serif SC, which draw Latin letters too."""
    path = fonts.sans_path() if family == "sans" else fonts.serif_path()
    return ImageFont.truetype(str(path), size)


def as_picture(*frames: NDArray[np.uint8]) -> Picture:
    """Return frames as a decoded picture."""
    height, width = frames[0].shape[:2]
    return Picture("webp", width, height, len(frames), tuple(frames))


def emoji_pictures() -> list[Path]:
    """Return the shipped pictures in a fixed order."""
    return sorted(EMOJI.glob("*/*.webp"))


def draw_all(seed: int = 20) -> list[Captioned]:
    """Draw 200 stickers: every phrase of both languages twice, over pictures picked at random."""
    random = np.random.default_rng(seed)
    pictures = emoji_pictures()
    return [
        _draw(phrase, language, pictures[int(random.integers(len(pictures)))], random)
        for language, phrases in PHRASES.items()
        for phrase in phrases
        for _ in range(2)
    ]


def _draw(phrase: str, language: str, picture: Path, random: np.random.Generator) -> Captioned:
    ink = INKS[int(random.integers(len(INKS)))]
    edged = bool(random.random() < 0.5)
    where = ("top", "bottom", "over")[int(random.integers(3))]
    if where == "over":
        edged = True  # without an edge, a caption over a picture may be unreadable for people too
    family: Literal["sans", "serif"] = "sans" if random.random() < 0.7 else "serif"
    ground = (0, 0, 0, 0)
    if random.random() < 0.3:
        light = 60 if sum(ink) > 384 else 235
        ground = (light, light, int(random.integers(40, 256)), 255)
    canvas = Image.new("RGBA", (SIDE, SIDE), ground)
    size, stroke = int(random.integers(22, 49)), (int(random.integers(2, 5)) if edged else 0)
    while (box := _box(phrase, size, family, stroke))[0] > SIDE - 8:
        size -= 1
    width, height = box
    with Image.open(picture) as file:
        emoji = file.convert("RGBA")
    side = SIDE if where == "over" else SIDE - height - 12
    emoji = emoji.resize((side, side), Image.Resampling.BICUBIC)
    canvas.alpha_composite(emoji, ((SIDE - side) // 2, SIDE - side if where == "top" else 0))
    x = int(random.integers(4, max(5, SIDE - width - 3)))
    y = {"top": 4, "bottom": SIDE - height - 6, "over": int(random.integers(4, SIDE - height - 5))}[where]
    edge = (255, 255, 255) if sum(ink) < 384 else (0, 0, 0)
    left, top, *_ = _measure(phrase, size, family, stroke)
    ImageDraw.Draw(canvas).multiline_text(
        (x - left, y - top), phrase, (*ink, 255), font(size, family), stroke_width=stroke, stroke_fill=(*edge, 255)
    )
    return Captioned(phrase, language, ink, edged, np.asarray(canvas))


def _measure(text: str, size: int, family: Literal["sans", "serif"], stroke: int) -> tuple[float, ...]:
    canvas = ImageDraw.Draw(Image.new("L", (1, 1)))
    return canvas.multiline_textbbox((0, 0), text, font(size, family), stroke_width=stroke)


def _box(text: str, size: int, family: Literal["sans", "serif"], stroke: int) -> tuple[int, int]:
    left, top, right, bottom = _measure(text, size, family, stroke)
    return int(right - left) + 1, int(bottom - top) + 1


def bare(text: str) -> str:
    """Return the letters and digits alone, in compatibility form and without case."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def found(caption: str, lines: Sequence[str]) -> bool:
    """Whether a caption was read.

    With both reduced to bare letters: it stands within the lines put together in their order, or one of them, or
    all together, is at most 0.2 edits per letter of the caption away from it (so up to four letters must be right).
    """
    wanted, read = bare(caption), [bare(line) for line in lines]
    together = "".join(read)
    nearest = min(Levenshtein.distance(wanted, text) for text in (together, *read))
    return wanted in together or nearest <= 0.2 * len(wanted)
