"""Near-duplicates: which pictures are worth comparing, and which of those are one drawing.

``--size`` pictures are made up from perceptual hashes of the shipped stickers: each is a blend of two of them with
other shades in its 16 cells, as another drawing has them; every tenth is a copy of an earlier one with the noise of
compression. They are made when they are read, which takes as long as reading them from a vector cache.

* **candidates**: the pairs that lie near each other by their rough descriptions, against SciPy's k-d tree, which persrv
  used before. The rival is asked for the same number of neighbours within the same distance.
* **groups**: describing, candidates and comparing; processor time a picture, against an eighth of the pictures: 1.00
  is linear.
* **100 new pictures**: compared with all others, against an eighth of the others.
* **memory**: the most that a process held above what it held before, a picture, against an eighth of the pictures.

The run stops where fewer than 99 in 100 copies are linked with their originals.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from benchmarks.emoji_part import listing
from benchmarks.measure import Row, compare, seconds, take_turns
from benchmarks.options import Options
from benchmarks.processes import MEMORY_KNOWN, in_fresh_process, peak_mib, resident_mib
from persrv.errors import PersrvError
from persrv.images.decode import open_picture
from persrv.images.duplicates import PerceptualHash
from persrv.images.duplicates.candidates import FARTHEST, NEAREST, candidates
from persrv.images.duplicates.groups import described, links_among
from persrv.images.duplicates.layout import COLOUR_CELLS, LIGHT_CELLS
from persrv.recipe.places import shipped

SIZE, TURNS, SEED = 20_000, 3, 0
LARGEST_RIVAL = 40_000
"""Points up to which the rival is run: its time grows with the square, 45 s for 80,000."""

_DRAWINGS, _SHADES, _NEW, _PART = 300, 2048, 100, 8

Hashes = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MadeUp:
    """Perceptual hashes that are made when they are read.

    Attributes:
        drawings: Of shipped stickers, shape (300, 3332).
        shades: Added to a blend, shape (2048, 3332).
        blend: The two drawings and the shades of each picture, shape (n, 3).
        share: The first drawing's share, shape (n, 1).
        original: The picture that each is a copy of; itself where it is none, shape (n,).
    """

    drawings: Hashes
    shades: Hashes
    blend: NDArray[np.int64]
    share: Hashes
    original: NDArray[np.int64]

    def rows(self, places: Sequence[int]) -> Hashes:
        """Return perceptual hashes, shape (k, 3332)."""
        at = np.asarray(places)
        source = self.original[at]
        first, second, shade = self.blend[source].T
        share = self.share[source]
        found = share * self.drawings[first] + (1 - share) * self.drawings[second] + self.shades[shade]
        noise = np.float32(0.1) * self.shades[self.blend[at, 2]]
        return np.asarray(np.where((source == at)[:, None], found, found + noise), dtype=np.float32)


def made_up(size: int) -> MadeUp:
    """Return ``size`` made-up pictures, the same every time; of a larger size the first are not those of a smaller."""
    folder = shipped("collections") / "emoji"
    every = listing(folder)[:: max(1, 2485 // _DRAWINGS)][:_DRAWINGS]
    pictures = [open_picture((folder / drawing["file"]).read_bytes()) for drawing in every]
    drawings = PerceptualHash().encode(pictures).astype(np.float16).astype(np.float32)
    rng = np.random.default_rng(SEED)
    original = np.arange(size)
    copied = rng.integers(0, original[9::10])
    original[9::10] = copied - (copied % 10 == 9)  # never a copy itself
    blend = np.stack([rng.integers(len(drawings), size=size) for _ in range(2)] + [rng.integers(_SHADES, size=size)])
    return MadeUp(drawings, _shades(rng), blend.T, rng.random((size, 1), dtype=np.float32), original)


def _shades(rng: np.random.Generator) -> Hashes:
    def cells(side: int, channels: int, coarse: Hashes) -> Hashes:
        fine = np.repeat(np.repeat(coarse[..., :channels], side // 4, axis=1), side // 4, axis=2)
        return fine.reshape(_SHADES, -1)

    coarse = rng.normal(0, 0.03, (_SHADES, 4, 4, 3)).astype(np.float32)
    light, colour = cells(LIGHT_CELLS, 1, coarse), cells(COLOUR_CELLS, 2, coarse[..., 1:])
    alpha = np.zeros((_SHADES, COLOUR_CELLS**2, 1), np.float32)
    shown = np.concatenate([colour.reshape(_SHADES, -1, 2), alpha], axis=2).reshape(_SHADES, -1)
    nothing = np.zeros((_SHADES, 1), np.float32)
    return np.concatenate([light, shown, nothing, light, colour, nothing, nothing, nothing], axis=1)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process needed: processor time for all pictures, seconds for 100 new ones, MiB; and pairs compared."""

    all_s: float
    new_s: float
    memory_mib: float
    pairs: int


def run(options: Options) -> list[Row]:
    """Compare candidates with the rival, and all with an eighth of them.

    Raises:
        PersrvError: Copies were not found.
    """
    size, turns = options.size or SIZE, options.repetitions or TURNS
    part = max(size // _PART, 2)
    rows = [_against_rival(min(size, LARGEST_RIVAL), turns)]
    whole, eighth = take_turns(
        turns, lambda: in_fresh_process(_measured, size), lambda: in_fresh_process(_measured, part)
    )
    rival, pairs = f"{part:,} pictures", f"{whole[0].pairs / size:.2f} pairs compared a picture"
    per = 1e3 / np.array([size, part])
    rows += [
        compare(
            f"groups of {size:,} pictures",
            [per[0] * turn.all_s for turn in whole],
            rival,
            [per[1] * turn.all_s for turn in eighth],
            "ms of processor time a picture",
            f"{pairs}; {np.median([turn.all_s for turn in whole]):.1f} s of processor time in all",
        ),
        compare(
            f"{_NEW} new pictures among {size:,}",
            [1e3 * turn.new_s for turn in whole],
            rival,
            [1e3 * turn.new_s for turn in eighth],
            "ms",
        ),
    ]
    if MEMORY_KNOWN:
        held = [[max(turn.memory_mib, 1.0) * 1024 for turn in turns] for turns in (whole, eighth)]
        name = f"memory for groups of {size:,} pictures"
        rows.append(
            compare(name, [kib / size for kib in held[0]], rival, [kib / part for kib in held[1]], "KiB a picture")
        )
    return rows


def _against_rival(size: int, turns: int) -> Row:
    pictures = made_up(size)
    descriptions = described(range(size), pictures.rows)
    ours, theirs = take_turns(
        turns,
        lambda: seconds(lambda: candidates(descriptions)),
        lambda: seconds(lambda: _tree_pairs(descriptions[:, :48])),
    )
    return compare(f"candidates among {size:,} pictures", ours, "SciPy's k-d tree in 48 dimensions", theirs, "s")


def _tree_pairs(points: Hashes) -> NDArray[np.int64]:
    count = min(NEAREST + 1, len(points))
    _, found = KDTree(points).query(points, k=[*range(1, count + 1)], distance_upper_bound=FARTHEST)
    rows, places = np.nonzero(found < len(points))
    return np.stack([rows, found[rows, places]], axis=1)


def _measured(size: int) -> Measured:
    pictures = made_up(size)
    before = resident_mib()
    started = time.process_time()
    descriptions = described(range(size), pictures.rows)
    pairs = candidates(descriptions)
    links = links_among(pairs, pictures.rows)
    all_s = time.process_time() - started
    memory = peak_mib() - before
    new_s = seconds(lambda: links_among(candidates(descriptions, min(_NEW, size)), pictures.rows))
    _check_copies(pictures, links)
    return Measured(all_s, new_s, memory, len(pairs))


def _check_copies(pictures: MadeUp, links: NDArray[np.int64]) -> None:
    copies = np.flatnonzero(pictures.original != np.arange(len(pictures.original)))
    linked = {tuple(pair) for pair in links.tolist()}
    found = sum((int(pictures.original[copy]), int(copy)) in linked for copy in copies)
    if found < 0.99 * len(copies):
        raise PersrvError(f"only {found} of {len(copies)} copies were found", "look at FARTHEST and the cuts")
