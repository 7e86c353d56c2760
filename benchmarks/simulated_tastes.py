"""Simulated people who like some drawing styles, and the drawings that they pick among."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persrv.errors import SourceError
from persrv.recipe import Text
from persrv.text.bm25f import CorpusStatistics, SparseVector, document_vector

USERS, PICKS, NOISE, SEARCHES = 60, 20, 0.2, 40
THEME = 20
"""Meanings in a pack that every style has a part in."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated user: rows that they picked, and for each meaning asked for the rows shown and which are right."""

    picks: NDArray[np.int64]
    searches: list[tuple[NDArray[np.int64], NDArray[np.bool_]]]


@dataclass(frozen=True, slots=True)
class Drawings:
    """Every drawing's style, meaning and text, and the labels of its meaning; all of length n."""

    style: list[str]
    meaning: list[str]
    text: list[list[str]]
    labels: list[list[str]]

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]]) -> Self:
        """Return the drawings of a set's listing."""
        return cls(
            [entry["style"] for entry in entries],
            [entry["emoji"] for entry in entries],
            texts(entries, seed=0),
            [[*entry["name"], *entry["tags"]] for entry in entries],
        )

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


def chosen(entries: Sequence[Mapping[str, Any]], size: int) -> list[Mapping[str, Any]]:
    """Return about ``size`` drawings: of meanings drawn in at least three quarters of the styles, taken evenly.

    Raises:
        SourceError: They are of fewer than three styles.
    """
    by_meaning: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        by_meaning[entry["emoji"]].append(entry)
    most = max(map(len, by_meaning.values()), default=0)
    wide = [drawn for drawn in by_meaning.values() if len(drawn) >= 0.75 * most]
    count = min(len(wide), max(4, size // max(most, 1)))
    found = [entry for i in np.linspace(0, len(wide) - 1, count).astype(int).tolist() for entry in wide[i]]
    if len({entry["style"] for entry in found}) < 3:
        raise SourceError("the set has fewer than three styles among its commonest meanings", "name a larger set")
    return found


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
    for _ in range(min(USERS, len(style))):
        liked = random.choice(sorted(set(among or drawings.style)), preferred, replace=False)
        picks: list[int] = []
        while len(picks) < PICKS:
            found = np.array(rows[seen[random.integers(len(seen))]])
            fitting = found if random.random() < NOISE else found[np.isin(style[found], liked)]
            picks += [int(fitting[random.integers(len(fitting))])] if len(fitting) else []
        shown = [np.array(rows[meaning]) for meaning in random.permutation(unseen)]
        searches = [(found, np.isin(style[found], liked)) for found in shown]
        searches = [(found, right) for found, right in searches if right.any() and not right.all()][:SEARCHES]
        answer.append(Person(np.array(picks), searches))
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


def expected(shown: int, right: int) -> float:
    """Return the mean of 1 / rank of the first of ``right`` >= 1 among ``shown`` in a random order."""
    left, answer = 1.0, 0.0
    for rank in range(1, shown - right + 2):
        here = right / (shown - rank + 1)
        answer += left * here / rank
        left *= 1 - here
    return answer
