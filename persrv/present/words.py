"""What is said about a hit, in plain words, for every way of showing it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from persrv.online.answer import Answer, Reason
from persrv.records import Explanation, Hit

LONGEST = 200
"""Code points of a text that are shown at most. A limit on width alone would let endless combining marks through."""

_SEEN = 0.005
"""Share of a text score below which a part of it is not worth a word."""

_JOINS_EMOJI = {"\u200c", "\u200d"} | {chr(code) for code in range(0xE0020, 0xE0080)}
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, longest: int = LONGEST) -> str:
    """Return one line that no terminal, page or font can stumble over.

    Control characters, line breaks, direction overrides, lone surrogates and unassigned code points become spaces,
    runs of spaces become one, and the text is cut after ``longest`` code points. Joiners that emoji are made of stay.
    """
    shown = (char if char in _JOINS_EMOJI or unicodedata.category(char) not in _UNSEEN else " " for char in text)
    line = " ".join("".join(shown).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def title(hit: Hit) -> str:
    """Return the hit's title, cleaned; its short id where nothing visible is left."""
    return clean(hit.title) or short_id(hit)


def short_id(hit: Hit) -> str:
    """Return the first 8 characters of the sticker's id, which commands accept in its place."""
    return hit.sticker_id[:8]


def origin(hit: Hit) -> str:
    """Return the first pack, else the drawing style, else ``""``. Packs are named for people, styles for filters."""
    names = (clean(text) for text in (*_phrases(hit.payload, "pack")[:1], *_phrases(hit.payload, "style")))
    return next((name for name in names if name), "")


def style(hit: Hit) -> str:
    """Return the name of the drawing style, or ``""``."""
    return next((clean(text) for text in _phrases(hit.payload, "style")), "")


def emoji(hit: Hit) -> str:
    """Return the first emoji that the sticker stands for, or ``""``."""
    return next((clean(text, 16) for text in _phrases(hit.payload, "emoji")), "")


def language(hit: Hit) -> str:
    """Return the BCP 47 tag of the sticker's texts, or ``""``."""
    return next((clean(text, 35) for text in _phrases(hit.payload, "language")), "")


def figure(value: float) -> str:
    """Return a score with two decimals, or with two digits where those would be zeros."""
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"


def why(hit: Hit, reason: Reason) -> list[str]:
    """Return where the score came from, one phrase a part: ``["love 1.20", "useful ×1.21", "your style 2 ×1.64"]``.

    What changes nothing that one could see is left out. Styles are counted from 1 here, centroids from 0 in
    :class:`~persrv.records.Explanation`.

    Args:
        hit: The hit.
        reason: The answer's.
    """
    parts = hit.explanation
    phrases = [f"{clean(token, 40)} {figure(share)}" for token, share in parts.matched.items()]
    if not (phrases or parts.picks) and reason in ("matched", "corrected"):
        phrases = [f"words {figure(parts.text)}"]
    elif reason in ("similar", "meaning", "pictured"):
        phrases = [f"alike {figure(parts.text)}"]
    elif parts.meaning and parts.meaning >= _SEEN * parts.text:
        phrases.append(f"near in meaning {figure(parts.meaning)}")
    if parts.picks and parts.picks >= _SEEN * parts.text:
        phrases.append(f"picked for such words {figure(parts.picks)}")
    if parts.people and f"{parts.pick_factor:.2f}" != "1.00":
        phrases.append(
            f"{parts.people} {'person' if parts.people == 1 else 'people'} picked it ×{parts.pick_factor:.2f}"
        )
    if phrase := _own(parts):
        phrases.append(phrase)
    if f"{parts.utility_factor:.2f}" != "1.00":
        phrases.append(f"useful ×{parts.utility_factor:.2f}")
    if parts.centroid is not None and f"{parts.style_factor:.2f}" != "1.00":
        whose = f"your style {parts.centroid + 1}" if parts.style_factor > 1 else "unlike your styles"
        phrases.append(f"{whose} ×{parts.style_factor:.2f}")
    return phrases


def _own(parts: Explanation) -> str:
    """Return what the person's own earlier picks or mark did, ``""`` for nothing."""
    if f"{parts.own_factor:.2f}" == "1.00":
        return ""
    if parts.mark:
        whose = f"your {parts.mark}"
    elif parts.own_picks:
        times = "" if parts.own_picks == 1 else f" {parts.own_picks} times, last"
        whose = f"you picked it for this{times} in {datetime.fromisoformat(parts.own_last):%B %Y}"
    else:
        whose = "you picked it before"
    return f"{whose} ×{parts.own_factor:.2f}"


def audience(answer: Answer) -> str:
    """Return for whom the answer is ordered, in a few words."""
    if answer.personal:
        return "ranked by their taste"
    return "no taste known yet" if answer.user else "the same for everybody"


def remarks(answer: Answer) -> list[str]:
    """Return the sentences to show above the hits: the note, and corrections that it does not already tell."""
    notes = clean(answer.note, 1000)
    lines = [notes] if notes else []
    for typed, used in answer.corrections.items():
        if typed not in answer.note or used not in answer.note:
            lines.append(f"searched for “{clean(used)}” instead of “{clean(typed)}”")
    if not answer.hits and not lines:
        lines.append("no stickers")
    return lines


@dataclass(frozen=True, slots=True)
class Shares:
    """A hit's score as a sum, so that it can be drawn as one bar.

    ``words + utility + style`` is the score up to float rounding.

    Attributes:
        words: What the words gave, and what people picked for them, this person included, >= 0.
        utility: What usefulness added to that, >= 0.
        style: What the person's style added to both; negative where it took away.
    """

    words: float
    utility: float
    style: float

    @property
    def reach(self) -> float:
        """How far the bar reaches before style takes anything away."""
        return self.words + self.utility + max(self.style, 0.0)


def shares(hit: Hit) -> Shares:
    """Return the score's product of factors, written as a sum in the order words, utility, style."""
    parts = hit.explanation
    words = parts.text * parts.pick_factor * parts.own_factor
    useful = words * parts.utility_factor
    return Shares(words, useful - words, useful * (parts.style_factor - 1.0))


def _phrases(payload: Mapping[str, Any], key: str) -> list[str]:
    value = payload.get(key) or []
    return [str(item) for item in (value if isinstance(value, (list, tuple)) else [value]) if item]
