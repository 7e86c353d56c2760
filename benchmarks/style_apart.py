"""Do style vectors say how a sticker is drawn, whatever it shows?

The measure is a mean reciprocal rank, so **more is better**, and a ratio above 1 speaks for persrv.

The drawings of an emoji set, by default the one that ships with persrv, are a collection whose packs are the styles.
`--size` says how many are taken, of the meanings that are drawn in the most styles. Nobody says which stickers mean the
same: a sticker's only text is three of its labels, drawn by lot, all English or all Chinese.

A simulated user prefers one or two styles, and makes 20 picks among one half of the meanings, of which 20 % are of any
style. For 40 meanings of the other half, which no pick has seen, all drawings of the meaning are ranked by
`max_c w_c cos(image, centroid_c)` over the centroids of the user's real `StyleProfile`. The figure is the mean over users of
the reciprocal rank of the first drawing in a preferred style. `--turns` says how often 60 users and the halves are
drawn anew (seeds 0, 1, ...); intervals are 95 % bootstrap intervals of the paired difference over all users.

* **the paper's own way**: k-means with five clusters over pooled features of EfficientNet-Lite0 (the network that is at
  hand in place of Chinese-CLIP), and the largest cosine.
* **the plain space**: `Space.fit(raw, packs)`, which does not ask what packs are, nor reads words.
* **packs of some meanings** hold 20 meanings in every style; **each pack in its own words** means that no two packs share
  a word; **styles unseen** means that users prefer styles, and ask for meanings, that the space was not fitted on.
* **one style alone**: a word is typed for a sticker of a collection in one style, whose users can have no preference; the
  figure is the reciprocal rank of that sticker by BM25 times style, the rival is BM25.

Encoders other than `statistics` are used where their packages are installed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.emoji_part import listing
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from persrv.errors import MissingExtraError, SourceError
from persrv.images.decode import open_picture
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import encoder
from persrv.images.space import Space
from persrv.images.together import encode_together
from persrv.recipe import Text
from persrv.style import StyleProfile, spherical_kmeans, unit
from persrv.styling import MeaningCentred
from persrv.text.bm25f import CorpusStatistics, SparseVector, document_vector, idf, query_vector
from persrv.text.tokenizer import query_tokens

Floats = NDArray[np.float64]
Looks = NDArray[np.float32]
Scorer = Callable[["Person"], list[float]]

SIZE, TURNS, USERS, PICKS, NOISE, ASKED = 4_000, 5, 60, 20, 0.2, 40
THEME = 20
"""Meanings in a pack that every style has a part in."""
CONTENT = "efficientnet-lite0"
STYLE = ("statistics", "efficientnet-lite0-style", "style-mix")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated user: rows that they picked, and for each meaning asked for the rows shown and which are right."""

    picks: NDArray[np.int64]
    asked: list[tuple[NDArray[np.int64], NDArray[np.bool_]]]


@dataclass(frozen=True, slots=True)
class Drawings:
    """Every drawing's style, meaning and text, and the labels of its meaning; all of length n."""

    style: list[str]
    meaning: list[str]
    text: list[list[str]]
    labels: list[list[str]]

    @property
    def themes(self) -> list[str]:
        """A pack for every :data:`THEME` meanings, whatever the style."""
        number = {meaning: i for i, meaning in enumerate(dict.fromkeys(self.meaning))}
        return [str(number[meaning] // THEME) for meaning in self.meaning]

    def documents(self) -> list[SparseVector]:
        """Return the BM25F vectors of the texts."""
        return vectors_of(self.text)

    def in_own_words(self) -> list[SparseVector]:
        """Return them with words that tell the style as well as the meaning."""
        return vectors_of(
            [
                [f"{''.join(format(ord(c), 'x') for c in phrase)}x{style.replace('-', '')}" for phrase in text]
                for text, style in zip(self.text, self.style, strict=True)
            ]
        )


def run(options: Options) -> list[Row]:
    """Measure on ``options.size`` drawings, with ``options.repetitions`` draws of users.

    Raises:
        PersrvError: The set or one of its pictures cannot be used, or it has fewer than three styles.
    """
    entries = chosen(listing(options.pictures_from), options.size or SIZE)
    raw = encoded([options.pictures_from / entry["file"] for entry in entries])
    drawings = Drawings(
        [entry["style"] for entry in entries],
        [entry["emoji"] for entry in entries],
        texts(entries, seed=0),
        [[*entry["name"], *entry["tags"]] for entry in entries],
    )
    turns = options.repetitions or TURNS
    rows = []
    for name in raw.keys() & set(STYLE):
        rows += compared(name, raw[name], raw.get(CONTENT), drawings, turns)
        rows.append(alone(name, raw[name], drawings, turns))
    return sorted(rows, key=lambda row: STYLE.index(row.name.partition(":")[0]))


def chosen(entries: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """Return the drawings of the meanings that are drawn in the most styles, until there are ``size``."""
    by_meaning: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        by_meaning[entry["emoji"]].append(entry)
    widest = sorted(by_meaning.values(), key=lambda found: -len(found))
    found = [entry for group in widest for entry in group][:size]
    if len({entry["style"] for entry in found}) < 3:
        raise SourceError("the set has fewer than three styles among its commonest meanings", "name a larger set")
    return found


def encoded(files: Sequence[Any]) -> dict[str, Looks]:
    """Return each encoder's raw vectors; encoders whose packages are missing are left out."""
    encoders: list[ImageEncoder] = []
    for name in (CONTENT, *STYLE):
        try:
            encoders.append(encoder(name))
        except MissingExtraError:
            continue
    parts = [encode_together(encoders, [open_picture(file)]) for file in files]
    return {one.name: np.concatenate(found) for one, found in zip(encoders, zip(*parts, strict=True), strict=True)}


def texts(entries: Sequence[Mapping[str, Any]], seed: int) -> list[list[str]]:
    """Return three labels of each drawing, drawn by lot, in one language drawn by lot."""
    random, answer = np.random.default_rng(seed), []
    for entry in entries:
        labels = [*entry["name"], *entry["tags"]]
        chinese = bool(random.random() < 0.5)
        fitting = [label for label in labels if bool(_CHINESE.search(label)) == chinese] or labels
        answer.append([fitting[i] for i in random.permutation(len(fitting))[:3]])
    return answer


def vectors_of(phrases: Sequence[Sequence[str]]) -> list[SparseVector]:
    """Return BM25F vectors of tags."""
    settings = Text()
    statistics = CorpusStatistics(settings)
    for tags in phrases:
        statistics.add({"tags": tags})
    return [document_vector({"tags": tags}, settings, statistics.average_lengths) for tags in phrases]


def people(drawings: Drawings, seed: int, preferred: int, among: Sequence[str] | None = None) -> list[Person]:
    """Return users who prefer ``preferred`` of the styles ``among`` (default all)."""
    random = np.random.default_rng([seed, preferred])
    style = np.array(drawings.style)
    rows: dict[str, list[int]] = defaultdict(list)
    for row, meaning in enumerate(drawings.meaning):
        rows[meaning].append(row)
    halves = first_half(drawings, seed)
    seen, unseen = ([m for m in sorted(rows) if (m in halves) == inside] for inside in (True, False))
    answer = []
    for _ in range(USERS):
        liked = random.choice(sorted(set(among or drawings.style)), preferred, replace=False)
        picks: list[int] = []
        while len(picks) < PICKS:
            found = np.array(rows[seen[random.integers(len(seen))]])
            fitting = found if random.random() < NOISE else found[np.isin(style[found], liked)]
            picks += [int(fitting[random.integers(len(fitting))])] if len(fitting) else []
        shown = [np.array(rows[meaning]) for meaning in random.permutation(unseen)]
        asked = [(found, np.isin(style[found], liked)) for found in shown]
        asked = [(found, right) for found, right in asked if right.any() and not right.all()][:ASKED]
        answer.append(Person(np.array(picks), asked))
    return answer


def first_half(drawings: Drawings, seed: int) -> set[str]:
    """Return the half of the meanings that is picked from."""
    meanings = sorted(set(drawings.meaning))
    return set(np.random.default_rng([seed, 7]).permutation(meanings)[: len(meanings) // 2].tolist())


def families(drawings: Drawings, seed: int) -> tuple[list[str], list[str]]:
    """Return two groups of styles; styles whose names begin alike are kept together."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for style in sorted(set(drawings.style)):
        groups[re.split(r"[-\d]", style)[0].removesuffix("s")].append(style)
    first: list[str] = []
    second: list[str] = []
    for name in np.random.default_rng([seed, 8]).permutation(sorted(groups)):
        (first if len(first) <= len(second) else second).extend(groups[name])
    return first, second


def by_profile(images: Looks) -> Scorer:
    """Rank by the user's style profile over these vectors."""

    def ranks(person: Person) -> list[float]:
        profile = StyleProfile.fit(images[person.picks], np.zeros(len(person.picks)))
        return reciprocal(person, images, profile.centroids, profile.weights)

    return ranks


def the_papers_way(content: Looks) -> Scorer:
    """Rank by the largest cosine to one of five clusters."""
    images = unit(content.astype(np.float64))

    def ranks(person: Person) -> list[float]:
        labels, _ = spherical_kmeans(images[person.picks], np.ones(len(person.picks)), 5, 0)
        centres = unit(np.stack([images[person.picks][labels == c].mean(axis=0) for c in np.unique(labels)]))
        return reciprocal(person, images, centres, np.ones(len(centres)))

    return ranks


def by_lot(person: Person) -> list[float]:
    """Return the expected reciprocal ranks of a random order."""
    return [expected(len(right), int(right.sum())) for _, right in person.asked]


def expected(shown: int, right: int) -> float:
    """Return the mean of 1 / rank of the first of ``right`` among ``shown`` in a random order."""
    left, answer = 1.0, 0.0
    for rank in range(1, shown - right + 2):
        here = right / (shown - rank + 1)
        answer += left * here / rank
        left *= 1 - here
    return answer


def reciprocal(person: Person, images: NDArray[Any], centroids: Floats, weights: Floats) -> list[float]:
    """Return 1 / rank of the first right drawing, for each meaning asked for; equals are in the order of rows."""
    answer = []
    for rows, right in person.asked:
        order = np.argsort(-(images[rows] @ centroids.T * weights).max(axis=1), kind="stable")
        answer.append(1.0 / (1 + int(np.flatnonzero(right[order])[0])))
    return answer
