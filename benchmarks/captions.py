"""Captions as people draw them, read by RapidOCR: level, outlined, upright, tilted, small, English, changing in a GIF.

``python -m benchmarks.captions`` draws ``--count`` pictures of each kind from a seed over grounds full of shapes, reads
them as a build does, and writes ``results/captions.md``. A caption counts as read where its characters stand in what
was read, all of them and next to each other; of a GIF each caption counts.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn as fonts
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks import machine
from persrv.images.decode import open_picture
from persrv.reading.ocr.picture_text import MORE_FRAMES, read_picture
from persrv.reading.ocr.rapid import RapidOcrEngine
from persrv.text.folding import normalise

RESULT = Path(__file__).parent / "results" / "captions.md"
SIDE = 300
_CHINESE = """
我太难了 你说得对但是 别摸鱼了 今天也要加油 老板说下周 冲冲冲 不想上班 这就去睡觉 真的假的 谢谢老板
我不听我不听 在吗在吗 笑死我了 好的收到 什么情况啊 给你一朵花 我先下班了 你礼貌吗
"""
_CAPTIONS = _CHINESE.split()
_ENGLISH = (
    *("GOOD NIGHT", "what is this", "LEAVE ME ALONE", "so happy today", "NOT AGAIN", "see you soon", "I am fine"),
    *("MONDAY MOOD", "thank you so much", "hello there", "WHY THOUGH", "oh no", "no problem", "coffee first"),
)
Draw = Callable[[random.Random, str], Image.Image]


def level(made: random.Random, caption: str) -> Image.Image:
    """Black on a white band, as memes have it."""
    picture = _ground(made)
    ImageDraw.Draw(picture).rectangle((0, 245, SIDE, SIDE), fill="white")
    return _written(picture, caption, 250, 0, "black")


def outlined(made: random.Random, caption: str) -> Image.Image:
    """White with a black outline, on the picture itself."""
    return _written(_ground(made), caption, 250, 3, "white")


def upright(made: random.Random, caption: str) -> Image.Image:
    """From top to bottom, outlined, at one side."""
    picture, side = _ground(made), made.choice((8, SIDE - 50))
    for number, character in enumerate(caption):
        place = (side, 6 + 34 * number)
        _draw(picture).text(place, character, font=_font(30), fill="white", stroke_width=3, stroke_fill="black")
    return picture


def tilted(angle: int) -> Draw:
    """Outlined, turned by so many degrees to either side."""

    def draw(made: random.Random, caption: str) -> Image.Image:
        layer = _written(Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0)), caption, 130, 3, "white", most=240)
        layer = layer.rotate(made.choice((-angle, angle)), resample=Image.Resampling.BICUBIC)
        picture = _ground(made)
        picture.paste(layer, (0, 0), layer)
        return picture

    return draw


def small(pixels: int) -> Draw:
    """So many pixels high, somewhere in a picture of 640 pixels, on a label."""

    def draw(made: random.Random, caption: str) -> Image.Image:
        picture = _ground(made).resize((640, 640))
        draw, font = _draw(picture), _font(pixels)
        x, y = made.randrange(20, 400), made.randrange(20, 600)
        draw.rectangle((x - 6, y - 4, x + draw.textlength(caption, font) + 6, y + pixels + 8), fill="white")
        draw.text((x, y), caption, font=font, fill="black")
        return picture

    return draw


KINDS: tuple[tuple[str, Sequence[str], Draw], ...] = (
    ("Chinese, level", _CAPTIONS, level),
    ("Chinese, outlined", _CAPTIONS, outlined),
    ("Chinese, from top to bottom", _CAPTIONS, upright),
    ("Chinese, tilted by 10 degrees", _CAPTIONS, tilted(10)),
    ("Chinese, tilted by 20 degrees", _CAPTIONS, tilted(20)),
    ("Chinese, tilted by 35 degrees", _CAPTIONS, tilted(35)),
    ("Chinese, 12 of 640 pixels high", _CAPTIONS, small(12)),
    ("English, level", _ENGLISH, level),
    ("English, outlined", _ENGLISH, outlined),
    ("English, tilted by 20 degrees", _ENGLISH, tilted(20)),
)
CHANGING = (2, 4, 8, 12)
"""Captions in one GIF."""


@dataclass(frozen=True, slots=True)
class Score:
    """How many captions of a kind were read, of how many, and the mean time of a picture."""

    kind: str
    read: int
    of: int
    milliseconds: float


def changing(made: random.Random, captions: Sequence[str]) -> bytes:
    """Return a GIF whose caption changes every six frames, while a ball moves."""
    ground, frames = _ground(made), []
    for number in range(6 * len(captions)):
        picture = ground.copy()
        x = 17 * number % SIDE
        _draw(picture).ellipse((x, 40, x + 60, 100), fill=(250, 40, 40))
        frames.append(_written(picture, captions[number // 6], 250, 3, "white"))
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return out.getvalue()


def run(count: int, seed: int) -> list[Score]:
    """Draw and read ``count`` pictures of each kind, and a third as many GIFs."""
    engine = RapidOcrEngine(("ch_sim", "en"))
    scores = []
    for kind, captions, draw in KINDS:
        made = random.Random(f"{seed}{kind}")
        chosen = [captions[number % len(captions)] for number in range(count)]
        scores.append(_score(engine, kind, [(_png(draw(made, caption)), [caption]) for caption in chosen]))
    for number in CHANGING:
        made = random.Random(f"{seed}{number}")
        several = [made.sample(_CAPTIONS, number) for _ in range(max(1, count // 3))]
        kind = f"{number} captions in a GIF"
        scores.append(_score(engine, kind, [(changing(made, captions), captions) for captions in several]))
    return scores


def _score(engine: RapidOcrEngine, kind: str, drawn: list[tuple[bytes, list[str]]]) -> Score:
    started = time.perf_counter()
    read = 0
    for content, captions in drawn:
        found = read_picture(
            engine,
            open_picture(content),
            min_confidence=0.6,
            max_side=320,
            more=lambda content=content: open_picture(content, max_frames=MORE_FRAMES),  # type: ignore[misc]
        )
        text = "\n".join(_bare(line.text) for line in found.lines)
        read += sum(_bare(caption) in text for caption in captions)
    seconds = time.perf_counter() - started
    return Score(kind, read, sum(len(captions) for _, captions in drawn), 1000 * seconds / len(drawn))


def _bare(text: str) -> str:
    return normalise(text).replace(" ", "")


def _ground(made: random.Random) -> Image.Image:
    picture = Image.new(
        "RGB", (SIDE, SIDE), (made.randrange(60, 240), made.randrange(60, 240), made.randrange(60, 240))
    )
    for _ in range(12):
        x, y = made.randrange(SIDE), made.randrange(SIDE)
        shape = _draw(picture).ellipse if made.random() < 0.5 else _draw(picture).rectangle
        colour = (made.randrange(256), made.randrange(256), made.randrange(256))
        shape((x, y, x + made.randrange(10, 90), y + made.randrange(10, 90)), fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(made.choice((0, 1, 2))))


def _written(picture: Image.Image, text: str, y: int, outline: int, ink: str, most: int = 280) -> Image.Image:
    draw = _draw(picture)
    pixels = min(34, int(100 * most / draw.textlength(text, _font(100))))
    place = ((SIDE - draw.textlength(text, _font(pixels))) / 2, y)
    draw.text(place, text, font=_font(pixels), fill=ink, stroke_width=outline, stroke_fill="black")
    return picture


def _draw(picture: Image.Image) -> ImageDraw.ImageDraw:
    return ImageDraw.Draw(picture)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    folder = Path(fonts.__file__).parent
    return ImageFont.truetype(str(min(folder.rglob("*.[ot]t[fc]"))), pixels)


def main() -> int:
    """Run and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.captions", description=__doc__)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    scores = run(chosen.count, chosen.seed)
    lines = [
        "# captions",
        "",
        str(__doc__).strip(),
        "",
        "| kind | captions read | ms a picture |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {score.kind} | {score.read} of {score.of} | {score.milliseconds:.0f} |" for score in scores]
    facts = machine.describe() | {"count": str(chosen.count), "seed": str(chosen.seed)}
    lines += ["", *(f"* {name}: {value}" for name, value in facts.items())]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[4:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
