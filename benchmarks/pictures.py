"""Pictures to vectors.

The pictures are those of an emoji set, by default the one that ships with persrv; ``--size`` says how many, taken
evenly. For every picture the contenders take turns.

* **decoding**: persrv checks a file's size and structure before, and its pixels after; the rival is Pillow's plain
  ``Image.open(file).convert("RGBA")``, which checks nothing of that.
* **describing**: persrv's style descriptor from decoded frames; against a colour histogram of 512 bins after scaling to
  64 x 64 (nothing could be simpler), and against scikit-image's HOG of the same size where it is installed.
* **memory**: of a process that decodes and describes one picture after the other, after the second half of the run
  against after the first: a ratio of 1 means that nothing is kept.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.emoji_part import listing
from benchmarks.measure import Floats, Row, compare, latencies, take_turns
from benchmarks.options import Options
from benchmarks.processes import MEMORY_KNOWN, in_fresh_process, resident_mib
from persrv.images.decode import Picture, open_picture
from persrv.images.statistics import StatisticsEncoder

SIZE, TURNS, WALKED = 300, 3, 2_000
SIDE = 64


def run(options: Options) -> list[Row]:
    """Measure on ``options.size`` pictures.

    Raises:
        PersrvError: The set or one of its pictures cannot be used.
    """
    source, turns = options.pictures_from, options.repetitions or TURNS
    files = _evenly([source / drawing["file"] for drawing in listing(source)], options.size or SIZE)
    rows = [*_decoding(files, turns), *_describing(files, turns)]
    return [*rows, _memory(source, options.size or WALKED, turns)] if MEMORY_KNOWN else rows


def _evenly(files: Sequence[Path], size: int) -> list[Path]:
    return [files[i] for i in np.linspace(0, len(files) - 1, min(size, len(files))).astype(int).tolist()]


def _decoding(files: Sequence[Path], turns: int) -> list[Row]:
    ours, theirs = latencies(turns, files, open_picture, _plain)
    checked = sum(np.array_equal(open_picture(file).frames[0], np.asarray(_plain(file))) for file in files)
    note = f"the first frames of {checked} of {len(files)} pictures are equal bit by bit"
    return [_row("decoding a picture", ours, "Pillow alone", theirs, note)]


def _describing(files: Sequence[Path], turns: int) -> list[Row]:
    encoder = StatisticsEncoder()
    rivals = {"colour histogram": _histogram, **_hog()}
    pictures = [open_picture(file) for file in files]
    ours, *others = latencies(turns, pictures, lambda picture: encoder.encode([picture]), *rivals.values())
    return [_row("describing a picture", ours, name, theirs) for name, theirs in zip(rivals, others, strict=True)]


def _row(name: str, ours: Floats, rival: str, theirs: Floats, note: str = "") -> Row:
    return compare(name, 1e3 * ours.mean(axis=1), rival, 1e3 * theirs.mean(axis=1), "ms", note)


def _plain(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGBA")


def _small(picture: Picture) -> Image.Image:
    return Image.fromarray(picture.frames[0]).resize((SIDE, SIDE))


def _histogram(picture: Picture) -> NDArray[np.int64]:
    eighths = np.asarray(_small(picture).convert("RGB")).reshape(-1, 3) >> 5
    return np.bincount(eighths @ np.array([64, 8, 1]), minlength=512)


def _hog() -> dict[str, Callable[[Picture], object]]:
    if importlib.util.find_spec("skimage") is None:
        return {}
    hog = importlib.import_module("skimage.feature").hog
    return {"scikit-image's HOG": lambda picture: hog(np.asarray(_small(picture).convert("L")))}


def _memory(source: Path, size: int, turns: int) -> Row:
    (walks,) = take_turns(turns, lambda: in_fresh_process(_walk, source, size))
    first, second = zip(*walks, strict=True)
    half = size - size // 2
    return compare(f"memory after {size:,} pictures", second, f"after {half:,} pictures", first, "MiB")


def _walk(source: Path, size: int) -> tuple[float, float]:
    """Return the memory held after the first half of ``size`` pictures, and after all."""
    files = [source / drawing["file"] for drawing in listing(source)]
    encoder, held = StatisticsEncoder(), []
    for number in range(size):
        encoder.encode([open_picture(files[number % len(files)])])
        if number + 1 in (size - size // 2, size):
            held.append(resident_mib())
    return held[0], held[-1]
