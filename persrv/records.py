"""The words that every room speaks: stickers, picks, and answers.

All records are frozen. Text values are plain ``str``; times are timezone-aware UTC ``datetime``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from persrv.errors import QueryError

PickKind = Literal["pick", "send", "favourite", "simulated"]
"""How an interaction came about. Every kind counts as a pick; ``simulated`` marks picks that no person made."""

Team = Literal["a", "b"]
"""One of two rankings that are compared: the recipe's own, or its variant."""

Side = Literal["a", "b", ""]
"""Which ranking added a sticker to an answer; ``""`` where both agree."""

PICK_KINDS: tuple[PickKind, ...] = ("pick", "send", "favourite", "simulated")


@dataclass(frozen=True, slots=True)
class Semantics:
    """The texts that say what a sticker means, one tuple of phrases per field.

    The field names are the BM25F fields, so ``FIELDS`` is the one list of them.
    """

    name: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    emoji: tuple[str, ...] = ()
    ocr: tuple[str, ...] = ()
    description: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    emotions: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    pack: tuple[str, ...] = ()

    def items(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the non-empty fields with their phrases, in the order of ``FIELDS``."""
        return [(name, getattr(self, name)) for name in FIELDS if getattr(self, name)]


FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Semantics))
"""Every field of :class:`Semantics`, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class SourceSticker:
    """One sticker as a loader found it, before its content is known.

    Attributes:
        key: The source's own id, unique within the loader's output, stable from run to run.
        path: The picture, or ``None`` where the source only names the sticker.
        pack: The set that it came in, ``""`` where there is none.
        semantics: What the source says about it.
        language: BCP 47 tag of its texts, ``""`` when unknown.
        rating: ``"safe"``, ``"unsafe"`` or ``""`` when nobody said.
        style: A name for its drawing style, where the source knows one.
        state: State of the files that it was read from, by which a later build knows that it need not read them;
            ``""`` where they are to be read each time.
    """

    key: str
    path: Path | None
    pack: str = ""
    semantics: Semantics = field(default_factory=Semantics)
    language: str = ""
    rating: str = ""
    style: str = ""
    state: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A sticker that the catalog has, and whose files are as they were.

    Attributes:
        key: Its :attr:`SourceSticker.key`.
    """

    key: str


@dataclass(frozen=True, slots=True)
class SourcePick:
    """One interaction as a loader found it.

    Attributes:
        user: Who picked.
        query: What they typed; ``""`` when they browsed.
        key: The sticker's :attr:`SourceSticker.key`.
        time: When, timezone-aware, or ``None`` where the source does not say.
        kind: One of :data:`PICK_KINDS`.
    """

    user: str
    query: str
    key: str
    time: datetime | None = None
    kind: PickKind = "pick"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that could not be used, with the reason, so that a batch can go on and report it."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sticker:
    """One sticker in the catalog, addressed by its content.

    Attributes:
        id: 32 lower-case hex digits: the first half of the SHA-256 of the picture's bytes
            (of the source key, where there is no picture).
        path: The picture's file, ``None`` where there is no picture.
        format: Pillow's name of the file format in lower case (``"webp"``), ``""`` without a picture.
        width: Pixels, 0 without a picture.
        height: Pixels, 0 without a picture.
        frames: Number of frames; 1 for a still, 0 without a picture.
        packs: Every pack that it appears in, sorted.
        semantics: The merged texts: people's edits first, then every other source.
        language: BCP 47 tag, ``""`` when unknown.
        rating: ``"safe"``, ``"unsafe"`` or ``""``.
        style: Name of the drawing style, ``""`` when unknown.
    """

    id: str
    path: Path | None
    format: str
    width: int
    height: int
    frames: int
    packs: tuple[str, ...]
    semantics: Semantics
    language: str
    rating: str
    style: str

    @property
    def animated(self) -> bool:
        """Whether it moves."""
        return self.frames > 1

    @property
    def title(self) -> str:
        """A short text for people: its first name, else tag, description or caption, else its emoji, else its id."""
        texts = self.semantics
        named = texts.name or texts.tags or texts.description or texts.ocr
        return named[0] if named else "".join(texts.emoji) or self.id[:8]


@dataclass(frozen=True, slots=True)
class Interaction:
    """A user picked a sticker for a query, at a time.

    ``pick_id`` is the caller's own id of the pick, unique among the user's, ``None`` where it gave none.
    """

    user: str
    query: str
    sticker_id: str
    time: datetime
    kind: PickKind = "pick"
    pick_id: str | None = None


@dataclass(frozen=True, slots=True)
class Impression:
    """A page of an answer that was shown while two rankings were compared.

    Attributes:
        experiment: The comparison's name.
        settings: 16 hex digits of what was compared, so that a changed comparison starts anew.
        user: Who saw it.
        query: What they had typed.
        time: When, timezone-aware.
        shown: Sticker id to the ranking that added it, in the order of the page.
    """

    experiment: str
    settings: str
    user: str
    query: str
    time: datetime
    shown: Mapping[str, Side]


@dataclass(frozen=True, slots=True)
class Utility:
    """How good a sticker is whoever asks; every part lies in [0, 1].

    Attributes:
        popularity: From how often it was picked.
        cross_user: From how many different users picked it.
        query: From how many different queries it answered.
        total: The weighted sum of the three, decayed by age where the recipe asks.
    """

    popularity: float
    cross_user: float
    query: float
    total: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a hit's score came from.

    ``score = text * pick_factor * own_factor * utility_factor * style_factor`` up to float rounding. Where ``explain``
    was not asked for, ``pick_factor`` stays in ``text``.

    Attributes:
        text: The score by words and meaning, or of the picture, >= 0; 1.0 where nothing was asked for.
        matched: Query token to its share of ``text``, largest first; only filled when ``explain`` was asked for.
        meaning: What likeness in meaning gave of ``text``; only filled when ``explain`` was asked for.
        picks: What picks for the query's words gave of ``text``; only filled when ``explain`` was asked for.
        pick_factor: ``1 + delta * ln(1 + people)``; only filled when ``explain`` was asked for.
        people: People who picked the sticker for just this query; only filled when ``explain`` was asked for.
        own_factor: What this user's own earlier picks of the sticker, or their mark on it, multiply the score by; 1.0
            where there are none.
        own_picks: How often this user picked it for just this query.
        own_last: When they did so last, in ISO 8601, ``""`` for never.
        mark: ``"pin"``, ``"favourite"``, or ``""``.
        utility: The sticker's total utility in [0, 1].
        utility_factor: ``1 + beta * utility``.
        style: ``max_c w_c * cos(style, centroid_c)``, 0.0 where the user has no profile.
        style_factor: ``1 + gamma * style``.
        centroid: The number of the centroid that weighed most, ``None`` without a profile.
    """

    text: float
    utility: float
    utility_factor: float
    style: float
    style_factor: float
    centroid: int | None
    matched: Mapping[str, float] = field(default_factory=dict)
    meaning: float = 0.0
    picks: float = 0.0
    pick_factor: float = 1.0
    people: int = 0
    own_factor: float = 1.0
    own_picks: int = 0
    own_last: str = ""
    mark: str = ""

    @property
    def by_words(self) -> float:
        """What the query's words gave: those of the sticker, and those that people picked it for."""
        return sum(self.matched.values()) + self.picks


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer.

    Attributes:
        rank: Position in the whole answer, from 1.
        sticker_id: The sticker's id.
        score: What the order was made by; equal scores are ordered by ``sticker_id``.
        path: The picture's file, where the catalog's machine has one.
        payload: Everything that the index stores for the sticker, flat.
        explanation: The score's parts.
        relevance: How well the sticker answers the query whoever asks, 0 to 1, comparable between queries: which share
            of what its words could give at most (their IDF; words that no sticker has count too) its texts and its
            meaning give. Below 0.25 it has little of the query. 1 where nothing was typed.
        copies: Near-duplicates of the sticker that answers leave out; see :meth:`persrv.Retriever.copies`.
    """

    rank: int
    sticker_id: str
    score: float
    path: Path | None
    payload: Mapping[str, Any]
    explanation: Explanation
    relevance: float = 1.0
    copies: int = 0

    @property
    def title(self) -> str:
        """A short text for people."""
        return str(self.payload.get("title") or self.sticker_id[:8])


@dataclass(frozen=True, slots=True)
class StyleSummary:
    """One of a user's styles: its part of their picks in [0, 1], and the picked sticker that shows it best."""

    share: float
    sticker_id: str
    title: str


LONGEST_USER = 200
"""Characters of a user's id."""


def check_user(user: object) -> str:
    """Return a user's id in its one spelling: without white space around it, in Unicode's composed form (NFC).

    Called where an id enters, so that two ids are the same person exactly when they are the same text.

    Raises:
        QueryError: It is no text, empty, longer than :data:`LONGEST_USER` characters, or holds a control character
            (NUL, line breaks) or a lone surrogate.
    """
    if not isinstance(user, str):
        raise QueryError(f"user {user!r:.60} is not a text", "give the user's id as a string")
    name = unicodedata.normalize("NFC", user.strip())
    if not name or len(name) > LONGEST_USER:
        raise QueryError(f"user {user[:40]!r} is empty or too long", f"use 1 to {LONGEST_USER} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise QueryError(
            f"user {name[:40]!r} holds a control character or half a character", "use letters, digits and signs only"
        )
    return name
