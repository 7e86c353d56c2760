"""Simulated people whose taste is known, picking among drawings of the same meanings in several styles.

The model, every draw from one seed:

* A meaning is drawn with a Zipf-like chance ``1 / (10 + rank)``, the ranks shuffled.
* Each person likes one style, every second person another one besides, which gets 30 % of their picks. With
  probability ``noise`` a pick ignores taste and takes any style. With probability ``drift`` a person likes other
  styles from the middle of the time on.
* Stickers have an appeal for everybody, ``N(0, 1)``: among the styles in question a drawing is picked with a chance in
  proportion to ``exp(appeal_weight · appeal)``.
* People type English or Chinese words that others wrote for the emoji (``collections/emoji-queries``), never texts
  of the collection. Each has a favourite word for each meaning, used with probability ``habit``; else any of its words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from persrv.errors import QueryError, SourceError
from persrv.recipe.places import shipped
from persrv.records import Interaction, Sticker

LANGUAGES = ("en", "zh")
"""People's languages, taking turns."""

_START = datetime(2026, 1, 1, tzinfo=UTC)
_SPAN = timedelta(days=180)
_SECOND_STYLE = 0.3

Words = Mapping[str, Mapping[str, Sequence[str]]]
"""Language to emoji to what people type for it."""


@dataclass(frozen=True, slots=True)
class Population:
    """Who is simulated; see the module for the model.

    Attributes:
        users: >= 1.
        picks: Picks of each, >= 1.
        noise: In [0, 1].
        drift: In [0, 1].
        habit: In [0, 1].
        appeal_weight: >= 0.
        seed: >= 0.
    """

    users: int = 48
    picks: int = 60
    noise: float = 0.15
    drift: float = 0.0
    habit: float = 0.7
    appeal_weight: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        shares_fit = all(0 <= share <= 1 for share in (self.noise, self.drift, self.habit))
        if self.users < 1 or self.picks < 1 or self.seed < 0 or self.appeal_weight < 0 or not shares_fit:
            raise QueryError(f"{self} is impossible", "give users, picks >= 1, seed >= 0 and shares from 0 to 1")


@dataclass(frozen=True, slots=True)
class Simulation:
    """What they did, and the truth behind it.

    Attributes:
        picks: By time, of the kind ``simulated``.
        tastes: User to the styles that they like in the end, the stronger first.
        languages: User to ``"en"`` or ``"zh"``.
        drifted: Users whose styles changed.
        appeal: Sticker id to how much it pleases everybody; those that take part.
    """

    picks: tuple[Interaction, ...]
    tastes: Mapping[str, tuple[str, ...]]
    languages: Mapping[str, str]
    drifted: frozenset[str]
    appeal: Mapping[str, float]


def emoji_words(folder: Path | None = None) -> dict[str, dict[str, tuple[str, ...]]]:
    """Read the words that people type for emoji: language to emoji to words.

    Args:
        folder: Holds ``en.tsv`` and ``zh.tsv``; default the shipped ``collections/emoji-queries``.

    Raises:
        SourceError: A table cannot be read.
    """
    place = folder or shipped("collections") / "emoji-queries"
    words: dict[str, dict[str, tuple[str, ...]]] = {}
    for language in LANGUAGES:
        table = place / f"{language}.tsv"
        try:
            lines = table.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{table} cannot be read: {error}"
            raise SourceError(problem, "make it with scripts/emoji_set/queries.py") from error
        rows = [line.split("\t") for line in lines if line]
        words[language] = {row[0]: tuple(row[1:]) for row in rows if len(row) > 1}
    return words


def simulate(stickers: Sequence[Sticker], words: Words, people: Population) -> Simulation:
    """Let people pick.

    Args:
        stickers: Those with a style and an emoji take part; the first emoji is the meaning.
        words: As :func:`emoji_words` reads them.
        people: Who.

    Raises:
        QueryError: No sticker has a style and words.
    """
    drawings = drawings_of(stickers)
    random = np.random.default_rng([people.seed, 0])
    styles = [str(style) for style in random.permutation(sorted({s for drawn in drawings.values() for s in drawn}))]
    known = {language: sorted(drawings.keys() & words.get(language, {}).keys()) for language in LANGUAGES}
    if not styles or not all(known.values()):
        raise QueryError("no sticker has both a style and words in each language", "simulate on the emoji collection")
    rank = {meaning: at for at, meaning in enumerate(random.permutation(sorted(drawings)).tolist())}
    appeal = {s.id: float(random.normal()) for drawn in drawings.values() for _, s in sorted(drawn.items())}
    chances = {language: _shares([1 / (10 + rank[m]) for m in known[language]]) for language in LANGUAGES}
    picks: list[Interaction] = []
    tastes, languages, drifted = {}, {}, set()
    for number in range(people.users):
        random = np.random.default_rng([people.seed, 1, number])
        user, language = f"user{number:03}", LANGUAGES[number % 2]
        early = _liked(styles, number, number)
        changes = bool(random.random() < people.drift) and len(styles) > 2
        late = _liked(styles, number + len(styles) // 2, number) if changes else early
        if changes:
            drifted.add(user)
        tastes[user], languages[user] = late, language
        favourite: dict[str, str] = {}
        for moment in np.sort(random.random(people.picks)).tolist():
            meaning = known[language][int(random.choice(len(known[language]), p=chances[language]))]
            typed = words[language][meaning]
            habitual = favourite.setdefault(meaning, _word(typed, random))
            query = habitual if random.random() < people.habit else _word(typed, random)
            picked = _drawing(drawings[meaning], late if moment >= 0.5 else early, appeal, people, random)
            picks.append(Interaction(user, query, picked.id, _START + moment * _SPAN, "simulated"))
    picks.sort(key=lambda pick: (pick.time, pick.user))
    return Simulation(tuple(picks), tastes, languages, frozenset(drifted), appeal)


def drawings_of(stickers: Sequence[Sticker]) -> dict[str, dict[str, Sticker]]:
    """Return meaning to style to drawing; of several drawings in one style the one with the smallest id."""
    drawings: dict[str, dict[str, Sticker]] = defaultdict(dict)
    for sticker in sorted(stickers, key=lambda sticker: sticker.id):
        if sticker.style and sticker.semantics.emoji:
            drawings[sticker.semantics.emoji[0]].setdefault(sticker.style, sticker)
    return drawings


def _liked(styles: Sequence[str], first: int, number: int) -> tuple[str, ...]:
    """Return the styles that a person likes: the first for everybody, another one besides for every second."""
    chosen = styles[first % len(styles)]
    second = styles[(first + 1 + number // len(styles)) % len(styles)]
    # By pairs of people, since languages take turns one by one.
    return (chosen, second) if number // 2 % 2 and second != chosen else (chosen,)


def chances(
    drawn: Mapping[str, Sticker], liked: Sequence[str], appeal: Mapping[str, float], people: Population
) -> dict[str, float]:
    """Return how likely a person who sees every drawing of a meaning picks each, style to chance; they add up to 1.

    Args:
        drawn: Style to the meaning's drawing, at least one.
        liked: The styles that the person likes now, the stronger first.
        appeal: Sticker id to how much it pleases everybody.
        people: Whose noise and weight of appeal count.
    """
    anything, there = sorted(drawn), [style for style in liked if style in drawn]
    found = dict.fromkeys(anything, 0.0)
    for share, options in ((people.noise if there else 1.0, anything), (1 - people.noise, there)):
        for style, chance in zip(options, _pulls(drawn, options, options is there, appeal, people), strict=True):
            found[style] += share * chance
    return found


def _drawing(
    drawn: Mapping[str, Sticker],
    liked: Sequence[str],
    appeal: Mapping[str, float],
    people: Population,
    random: np.random.Generator,
) -> Sticker:
    there = [style for style in liked if style in drawn]
    by_taste = bool(random.random() >= people.noise and there)
    options = there if by_taste else sorted(drawn)
    return drawn[options[int(random.choice(len(options), p=_pulls(drawn, options, by_taste, appeal, people)))]]


def _pulls(
    drawn: Mapping[str, Sticker],
    options: Sequence[str],
    by_taste: bool,
    appeal: Mapping[str, float],
    people: Population,
) -> list[float]:
    """Return the chance of each of some styles' drawings; by taste the second style of two has less."""
    taste = [1 - _SECOND_STYLE, _SECOND_STYLE][: len(options)] if by_taste else [1.0] * len(options)
    return _shares(
        [
            weight * float(np.exp(people.appeal_weight * appeal[drawn[style].id]))
            for style, weight in zip(options, taste, strict=True)
        ]
    )


def _word(typed: Sequence[str], random: np.random.Generator) -> str:
    return typed[int(random.choice(len(typed), p=_shares([1 / (1 + at) for at in range(len(typed))])))]


def _shares(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]
