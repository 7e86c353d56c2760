"""Whether the style descriptor tells apart what real folders mix: photographs, screenshots, memes, pixel art, packs.

``python -m benchmarks.styles --packs FOLDER`` takes 40 pictures of each style: parts of photographs in scikit-image,
scikit-learn and matplotlib; drawn screenshots of chats and panda-head memes; emoji sets of ``collections/emoji``, some
of them reduced to pixel art; and each folder in FOLDER as a pack (npm's ``@waline/emojis``, for measuring only). Nobody
says which is which. A picture is named by its five nearest neighbours in the space that a build fits, those of the same
photograph left out; the page ``results/styles.md`` has the share of pictures named right, with and without the group
``grain``.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np
import pylopdf_fonts_zh_cn as fonts
import skimage.data
import sklearn.datasets
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks import machine
from persrv.errors import PictureError
from persrv.images.decode import Picture, open_picture
from persrv.images.space import Space
from persrv.images.statistics import GROUPS, StatisticsEncoder

RESULT = Path(__file__).parent / "results" / "styles.md"
EMOJI = Path(__file__).parents[1] / "collections" / "emoji"
EACH, NEIGHBOURS = 40, 5
PACKS = ("alus", "bilibili", "hoyoverse-hi3", "qq", "tieba", "weibo", "bmoji", "coolapk")
_WORDS = "今天 天气 不错 我们 去 吃饭 吧 好的 收到 hello there what is the plan 老板 说 明天 加班 OK see you".split()  # noqa: SIM905
_FONT = min(Path(fonts.__file__).parent.rglob("*.[ot]t[fc]"))
Drawn = list[tuple[Picture, str]]
"""Pictures with the name of what they were cut from."""


def photographs(made: random.Random) -> Drawn:
    """Return five parts of each of eight photographs."""
    science, learn = Path(skimage.data.__file__).parent, Path(sklearn.datasets.__file__).parent / "images"
    names = ("coffee.png", "astronaut.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")
    files = [*(science / name for name in names), learn / "china.jpg", learn / "flower.jpg"]
    files.append(Path(matplotlib.__file__).parent / "mpl-data/sample_data/grace_hopper.jpg")
    found = []
    for file in files:
        with Image.open(file) as opened:
            whole = opened.convert("RGB")
        for _ in range(EACH // len(files)):
            side = int(min(whole.size) * made.uniform(0.35, 0.9))
            x, y = made.randrange(whole.width - side + 1), made.randrange(whole.height - side + 1)
            found.append((_picture(whole.crop((x, y, x + side, y + side)).resize((240, 240))), file.stem))
    return found


def screenshots(made: random.Random) -> Drawn:
    """Return drawn chats, light and dark."""
    found = []
    for number in range(EACH):
        dark = made.random() < 0.4
        width, height = made.choice(((360, 640), (400, 400), (640, 360), (360, 240)))
        image = Image.new("RGB", (width, height), (18, 20, 24) if dark else made.choice(((255,) * 3, (237,) * 3)))
        draw, font, y = ImageDraw.Draw(image), ImageFont.truetype(str(_FONT), made.choice((14, 16, 18))), 12
        while y < height - 30:
            text = " ".join(made.sample(_WORDS, made.randrange(1, 5)))
            long, mine = draw.textlength(text, font=font), made.random() < 0.5
            x = width - long - 40 if mine else 24
            ground = (149, 236, 105) if mine else (60, 62, 68) if dark else (230, 230, 234)
            draw.rounded_rectangle((x - 10, y - 6, x + long + 10, y + 26), 8, fill=ground)
            draw.text((x, y), text, font=font, fill=(230,) * 3 if dark and not mine else (20,) * 3)
            y += made.randrange(36, 52)
        found.append((_picture(image), str(number)))
    return found


def panda_heads(made: random.Random) -> Drawn:
    """Return faces in black lines on white, with a caption below."""
    found = []
    font = ImageFont.truetype(str(_FONT), 30)
    for number in range(EACH):
        image = Image.new("RGB", (240, made.choice((240, 270))), "white")
        draw, x = ImageDraw.Draw(image), made.randrange(100, 140)
        draw.ellipse((x - 70, 20, x + 70, 180), outline="black", width=3)
        for side in (-1, 1):
            eye = made.randrange(6, 14)
            draw.ellipse((x + side * 55 - 22, 10, x + side * 55 + 22, 54), fill="black")
            draw.ellipse((x + side * 26 - eye, 80 - eye, x + side * 26 + eye, 80 + eye), fill="black")
        draw.arc((x - 30, 110, x + 30, 110 + made.randrange(16, 50)), made.choice((0, 180)), 180, fill="black", width=3)
        caption = "".join(made.sample(_WORDS[:6], 2))
        draw.text((120 - draw.textlength(caption, font=font) / 2, image.height - 46), caption, font=font, fill="black")
        found.append((_picture(image), str(number)))
    return found


def pixel_art(made: random.Random) -> Drawn:
    """Return emoji at 16 to 32 pixels, enlarged eight times without smoothing."""
    found = []
    for picture, name in (*of_folder(EMOJI / "noto", made, 20), *of_folder(EMOJI / "fluent-emoji-flat", made, 20)):
        side = made.choice((16, 20, 24, 32))
        small = np.asarray(Image.fromarray(picture.frames[0]).resize((side, side), Image.Resampling.NEAREST)).copy()
        small[..., 3] = np.where(small[..., 3] > 127, 255, 0)
        found.append((_picture(Image.fromarray(small).resize((8 * side,) * 2, Image.Resampling.NEAREST)), name))
    return found


def of_folder(folder: Path, made: random.Random, count: int = EACH) -> Drawn:
    """Return pictures of a folder, chosen at random."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".png", ".webp", ".gif", ".jpg"))
    made.shuffle(files)
    found: Drawn = []
    for file in files:
        if len(found) == count:
            break
        try:
            found.append((open_picture(file), file.stem))
        except PictureError:
            continue
    return found


def named_right(vectors: NDArray[np.float32], styles: list[str], sources: list[str]) -> dict[str, float]:
    """Return style to the share of its pictures that their neighbours name right."""
    likeness = vectors @ vectors.T
    origin, right = np.array(sources), Counter[str]()
    for place, style in enumerate(styles):
        row = np.where(origin == origin[place], -9.0, likeness[place])
        votes: Counter[str] = Counter()
        for near in np.argsort(-row)[:NEIGHBOURS]:
            votes[styles[near]] += 1
        right[style] += votes.most_common(1)[0][0] == style
    return {style: right[style] / styles.count(style) for style in dict.fromkeys(styles)}


def _picture(image: Image.Image) -> Picture:
    pixels = np.ascontiguousarray(np.asarray(image.convert("RGBA")))
    return Picture("png", image.width, image.height, 1, (pixels,))


def main() -> int:
    """Run and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.styles", description=__doc__)
    parser.add_argument("--packs", type=Path, help="a folder of packs, each a folder of pictures")
    chosen = parser.parse_args()
    made = random.Random(0)
    sets = {
        "photographs": photographs(made),
        "screenshots": screenshots(made),
        "panda heads": panda_heads(made),
        "pixel art": pixel_art(made),
    }
    emoji = ("fluent-emoji-3d", "emojione-monotone", "fluent-emoji-flat", "noto", "openmoji")
    sets |= {f"emoji: {name}": of_folder(EMOJI / name, made) for name in emoji}
    sets |= {f"pack: {name}": of_folder(chosen.packs / name, made) for name in PACKS if chosen.packs}
    styles = [style for style, drawn in sets.items() for _ in drawn]
    sources = [f"{style}/{source}" for style, drawn in sets.items() for _, source in drawn]
    raw = StatisticsEncoder().encode([picture for drawn in sets.values() for picture, _ in drawn])
    grain = sum(len(group.meanings) for group in GROUPS if group.name == "grain")
    shares = [
        named_right(Space.fit(part, [""] * len(part)).project(part), styles, sources)
        for part in (raw[:, : raw.shape[1] - grain], raw)
    ]
    lines = [
        "# styles",
        "",
        str(__doc__).strip(),
        "",
        "| style | pictures | without grain | with |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {style} | {styles.count(style)} | {shares[0][style]:.2f} | {shares[1][style]:.2f} |" for style in sets
    ]
    means = [float(np.mean(list(share.values()))) for share in shares]
    lines += [f"| mean | {len(styles)} | {means[0]:.3f} | {means[1]:.3f} |", ""]
    lines += [f"* {name}: {value}" for name, value in (machine.describe() | {"seed": "0"}).items()]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[4:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
