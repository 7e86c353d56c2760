"""Which phrases of a sticker say what it means."""

from __future__ import annotations

from persrv.records import Semantics
from persrv.text import emoji_names
from persrv.text.folding import normalise
from persrv.text.meaning.lazy import encoder_input

MEANING_FIELDS = ("name", "tags", "queries", "keywords", "ocr", "emotions", "description")
"""The fields that are read, the most telling first, then the names of the emoji."""

FEW = 2
"""Phrases of a sticker's own below which its pack's name is read too, which says less well what a sticker means."""

MOST_PHRASES = 16
"""Phrases of one sticker that are encoded."""


def phrases(semantics: Semantics, most: int = MOST_PHRASES) -> list[str]:
    """Return a sticker's phrases without repeats (case and spaces aside), at most ``most`` of them, clean.

    Fields take turns, so that a sticker with twenty tags still has its description read.

    Args:
        semantics: The sticker's texts.
        most: At least 1.
    """
    fields = [[encoder_input(phrase) for phrase in getattr(semantics, field)] for field in MEANING_FIELDS]
    fields.append([title for emoji in semantics.emoji for title in emoji_names.titles(normalise(emoji))])
    longest = max(map(len, fields))
    turns = (field[turn] for turn in range(longest) for field in fields if turn < len(field))
    own = dict.fromkeys(phrase for phrase in turns if phrase)
    if len(own) < FEW:
        own |= dict.fromkeys(filter(None, map(encoder_input, semantics.pack)))
    return list(own)[:most]
