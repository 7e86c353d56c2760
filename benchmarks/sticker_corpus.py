"""Seeded made-up stickers and people with the statistics of real ones, made piece by piece, so that millions fit.

How many phrases a sticker has, how long they are and how often words repeat is as in StickerQueries (arXiv 2506.01668;
1,186 queries of 246 Chinese stickers, 7,581 words of 544 English ones): 7 English phrases of 1.9 words or 5 Chinese
ones of 2.7 characters; the most frequent word is 2 in 100. Frequent words are real ones, from the names of emoji;
the rare ones are made up. Packs and people follow power laws, and a person likes one to five drawing styles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property

import emoji
import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic import word
from persrv.images.statistics import DIMENSION
from persrv.records import Interaction, Semantics

PIECE = 1_000
"""Stickers that are made at once: each piece has a generator of its own."""

QUERIED_PIECES = 20
"""Pieces from whose stickers queries are taken."""

STYLES = 120
PACK_SIZE = 40
ENGLISH_WORDS, CHINESE_WORDS = 30_000, 12_000
ENGLISH_SLOPE, CHINESE_SLOPE = 0.95, 0.8
MOST_PEOPLE, MOST_PICKS, MOST_EACH = 5_000, 250_000, 500
FROM = datetime(2026, 1, 1, tzinfo=UTC)

_CHINESE_LENGTHS = (0.08, 0.52, 0.19, 0.16, 0.05)
_ENGLISH_LENGTHS = (0.47, 0.29, 0.14, 0.07, 0.03)
_LANGUAGES = ("en", "zh", "both")
_SHARES = (0.6, 0.3, 0.1)


@dataclass(frozen=True, slots=True)
class MadeSticker:
    """One made-up sticker.

    Attributes:
        row: Its number, from 0.
        id: 32 hex digits.
        pack: The pack's name.
        language: ``"en"``, ``"zh"`` or ``"both"``.
        semantics: Its texts.
    """

    row: int
    id: str
    pack: str
    language: str
    semantics: Semantics

    @property
    def phrases(self) -> tuple[str, ...]:
        """What people may type for it."""
        texts = self.semantics
        return (*texts.name, *texts.tags, *texts.emoji)


@dataclass(frozen=True)
class StickerCorpus:
    """Made-up stickers; the same size and seed make the same ones.

    Attributes:
        size: How many.
        seed: Another seed makes other ones.
    """

    size: int
    seed: int = 0

    def stickers(self, start: int = 0) -> Iterator[MadeSticker]:
        """Yield the stickers from a row on, which must be a multiple of :data:`PIECE`."""
        for first in range(start, self.size, PIECE):
            yield from self.piece(first)

    def piece(self, first: int) -> list[MadeSticker]:
        """Return the stickers of the piece that begins with a row."""
        rng = np.random.default_rng([self.seed, 1, first // PIECE])
        count = min(PIECE, self.size - first)
        languages = rng.choice(3, PIECE, p=_SHARES)[:count].tolist()
        writer = _Writer(rng)
        made = []
        for row, language in enumerate(languages, first):
            pack = int(self.packs[row])
            semantics = writer.semantics(_LANGUAGES[language])
            sticker_id = hashlib.sha256(f"{self.seed}:{row}".encode()).hexdigest()[:32]
            made.append(MadeSticker(row, sticker_id, f"pack {word(pack)} {pack}", _LANGUAGES[language], semantics))
        return made

    def vectors(self, first: int) -> NDArray[np.float32]:
        """Return raw vectors of a piece, shape (n, DIMENSION): the style, the pack's share, and the drawing's own."""
        rng = np.random.default_rng([self.seed, 2, first // PIECE])
        packs = self.packs[first : first + PIECE]
        drawn = rng.standard_normal((len(packs), DIMENSION))
        made = self._style_centres[self.style_of_pack[packs]] + 0.5 * self._pack_centres(packs) + 0.8 * drawn
        return made.astype(np.float32)

    @cached_property
    def packs(self) -> NDArray[np.int32]:
        """Each sticker's pack, shape (size,); sizes of packs follow a power law."""
        rng = np.random.default_rng([self.seed, 3])
        shares = rng.pareto(1.5, len(self.style_of_pack)) + 0.2
        return rng.choice(len(shares), self.size, p=shares / shares.sum()).astype(np.int32)

    @cached_property
    def style_of_pack(self) -> NDArray[np.int32]:
        """Each pack's drawing style."""
        rng = np.random.default_rng([self.seed, 4])
        return rng.choice(STYLES, max(self.size // PACK_SIZE, 2 * STYLES), p=_zipf(STYLES, 0.7)).astype(np.int32)

    def picks(self) -> Iterator[Interaction]:
        """Yield what people picked, ordered by sticker; a query is a phrase of what was picked."""
        users, rows, minutes = self._picked()
        at = 0
        for sticker in self.stickers():
            while at < len(rows) and rows[at] == sticker.row:
                choose = np.random.default_rng([self.seed, 6, at])
                query = sticker.phrases[int(choose.integers(len(sticker.phrases)))]
                time = FROM + timedelta(minutes=int(minutes[at]))
                yield Interaction(self.user(int(users[at])), query, sticker.id, time)
                at += 1

    @staticmethod
    def user(number: int) -> str:
        """Return a person's name."""
        return f"person {number}"

    def people(self) -> int:
        """Return how many people pick."""
        return min(MOST_PEOPLE, max(50, self.size // 20))

    def queries(self, count: int, seed: int = 0) -> list[str]:
        """Return what people type: a phrase of a sticker, a word of it, or words of two of its phrases."""
        rng = np.random.default_rng([self.seed, 7, seed])
        firsts = rng.integers(0, self.size, QUERIED_PIECES) // PIECE * PIECE
        stickers = [sticker for first in np.unique(firsts).tolist() for sticker in self.piece(first)]
        typed = []
        for sticker in (stickers[i] for i in rng.integers(0, len(stickers), count).tolist()):
            one, other = rng.choice(sticker.phrases, 2).tolist()
            kind = rng.random()
            if kind < 0.25:
                one = one.split()[0]
            elif kind > 0.85 and one != other:
                one = f"{one} {other.split()[-1]}"
            typed.append(one)
        return typed

    @cached_property
    def _style_centres(self) -> NDArray[np.float64]:
        return np.random.default_rng([self.seed, 8]).standard_normal((STYLES, DIMENSION))

    def _pack_centres(self, packs: NDArray[np.int32]) -> NDArray[np.float64]:
        distinct, places = np.unique(packs, return_inverse=True)
        rows = [np.random.default_rng([self.seed, 9, int(pack)]).standard_normal(DIMENSION) for pack in distinct]
        return np.array(rows)[places]

    def _picked(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return user, row and minute of each pick, ordered by row."""
        rng = np.random.default_rng([self.seed, 5])
        each = np.minimum(3 * (1 + rng.pareto(1.1, self.people())), MOST_EACH).astype(np.int64)
        each = each[: max(1, int(np.searchsorted(np.cumsum(each), MOST_PICKS)))]
        styles = self.style_of_pack[self.packs]
        order = np.argsort(styles, kind="stable")
        starts = np.searchsorted(styles[order], np.arange(STYLES + 1))
        users, rows = [], []
        for user, count in enumerate(each.tolist()):
            liked = rng.choice(STYLES, int(rng.integers(1, 6)), replace=False)
            chosen = liked[rng.choice(len(liked), count, p=_zipf(len(liked), 1.0))]
            sizes = starts[chosen + 1] - starts[chosen]
            # Within a style the popular stickers are picked again and again.
            places = starts[chosen] + (sizes * rng.random(count) ** 4).astype(np.int64)
            kept = sizes > 0
            rows.append(order[places[kept]])
            users.append(np.full(int(kept.sum()), user))
        row, who = np.concatenate(rows), np.concatenate(users)
        minutes = rng.integers(0, 300 * 24 * 60, len(row))
        by_row = np.argsort(row, kind="stable")
        return who[by_row], row[by_row], minutes[by_row]


class _Writer:
    """Writes the texts of stickers; draws many words at once, since one at a time is slow."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._drawn: dict[str, list[str]] = {}

    def semantics(self, language: str) -> Semantics:
        """Return one sticker's texts."""
        rng = self._rng
        spoken = ("en", "zh") if language == "both" else (language,)
        phrases = [
            self._phrase(one)
            for one in spoken
            for _ in range(max(2, round(rng.normal(7.3, 2.8) if one == "en" else rng.normal(4.9, 2.2))))
        ]
        drawn = 1 + (rng.random() < 0.2) if rng.random() < 0.7 else 0
        caption = (self._phrase(spoken[0], longer=2),) if rng.random() < 0.35 else ()
        description = (self._phrase(spoken[0], longer=8),) if rng.random() < 0.2 else ()
        return Semantics(
            name=(phrases[0],),
            tags=tuple(dict.fromkeys(phrases[1:])),
            emoji=tuple(dict.fromkeys(self._take("emoji") for _ in range(drawn))),
            ocr=caption,
            description=description,
        )

    def _phrase(self, language: str, longer: int = 0) -> str:
        if language == "zh":
            return "".join(self._take("zh") for _ in range(1 + longer // 2))
        lengths = np.cumsum(_ENGLISH_LENGTHS)
        count = 1 + int(np.searchsorted(lengths, self._rng.random() * lengths[-1])) + longer
        return " ".join(self._take("en") for _ in range(count))

    def _take(self, what: str) -> str:
        waiting = self._drawn.get(what)
        if not waiting:
            words, up_to = _vocabulary(what)
            places = np.searchsorted(up_to, self._rng.random(2_000), side="right")
            waiting = self._drawn[what] = [words[place] for place in places.tolist()]
        return waiting.pop()


@cache
def _vocabulary(what: str) -> tuple[Sequence[str], NDArray[np.float64]]:
    """Return words and the running sum of their shares, the most frequent first."""
    names = {sign: data for sign, data in emoji.EMOJI_DATA.items() if "skin_tone" not in data["en"] and len(sign) <= 2}
    if what == "emoji":
        words, slope = sorted(names), 1.0
    elif what == "en":
        real = {part for data in names.values() for part in data["en"].strip(":").lower().split("_") if part.isalpha()}
        words, slope = sorted(real), ENGLISH_SLOPE
    else:
        real = {data["zh"].strip(":") for data in names.values() if "zh" in data}
        words, slope = sorted(name for name in real if 1 <= len(name) <= 4 and name.isalpha()), CHINESE_SLOPE
    rng = np.random.default_rng([len(what), ord(what[0])])
    words = rng.permutation(words).tolist()
    if what == "en":
        words += [word(rank) for rank in range(ENGLISH_WORDS - len(words))]
    elif what == "zh":
        words += _made_up_chinese(rng, CHINESE_WORDS - len(words))
    return words, np.cumsum(_zipf(len(words), slope))


def _made_up_chinese(rng: np.random.Generator, count: int) -> list[str]:
    """Return made-up words of one to five of the 3,755 characters that GB 2312 calls the most frequent."""
    signs = [bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    signs = [sign for sign in signs if sign]
    lengths = 1 + rng.choice(len(_CHINESE_LENGTHS), count, p=_CHINESE_LENGTHS)
    frequent = rng.permutation(len(signs))
    drawn = frequent[rng.choice(len(signs), int(lengths.sum()), p=_zipf(len(signs), 0.8))].tolist()
    ends = np.cumsum(lengths).tolist()
    return ["".join(signs[i] for i in drawn[end - n : end]) for end, n in zip(ends, lengths.tolist(), strict=True)]


def _zipf(count: int, slope: float) -> NDArray[np.float64]:
    """Return shares by rank, shape (count,), by the law of Zipf and Mandelbrot."""
    shares = (np.arange(count) + 3.7) ** -slope
    return np.asarray(shares / shares.sum())
