"""Faces made of letters and signs, and the emoji that they stand for."""

from __future__ import annotations

import re

_FACES = {
    "🙂": ":) :-) =) :] :>",
    "😃": ":d :-d =d",
    "😆": "xd",
    "😉": ";) ;-) ;d",
    "😊": "^_^ ^^ ^.^ ^o^ ^-^",
    "😛": ":p :-p =p",
    "😘": ":* :-*",
    "😮": ":o :-o",
    "😳": "o_o o.o 0_0",
    "😐": ":| :-| ._.",
    "😑": "-_- -.- =_= -__-",
    "😕": ":/ :-/ =/",
    "😺": ":3 =3",
    "😈": ">:) >:3",
    "😠": ">:( >:c",
    "🙁": ":( :-( =( :[ :c :<",
    "😢": ":'( :'c",
    "😭": "t_t t.t t^t q_q ;_; ;-; tat qaq qwq tvt",
    "😣": ">_< >.< ><",
    "😵": "x_x x.x",
    "😧": "d:",
    "🙇": "orz otz",
    "🙌": "\\o/",
    "🤷": "\\_(つ)_/",
    "💤": "zzz",
    "👍": "+1",
    "❤": "<3",
    "💔": "</3",
}
_EMOJI = {face: emoji for emoji, faces in _FACES.items() for face in faces.split()}

WORDS = {face: emoji for face, emoji in _EMOJI.items() if face.isalpha()}
"""Emoticons of letters only: words that also mean an emoji."""

_SIGNS = {face: emoji for face, emoji in _EMOJI.items() if not face.isalpha()}


def _bounded(face: str) -> str:
    """Return the expression for one emoticon: no part of a word, number or address, its mouth as wide as you like."""
    before = "(?<![a-z0-9_])" if face[0].isalnum() else r"(?<!\d)" if face[-1].isdigit() else ""
    after = "(?![a-z0-9/])" if face[-1].isalnum() or face[-1] in "/:" else ""
    wider = f"{re.escape(face[-1])}*" if face[-1] != face[-2] else ""
    return f"{before}{re.escape(face)}{wider}{after}"


PATTERN = "|".join(_bounded(face) for face in sorted(_SIGNS, key=len, reverse=True)) + (r"|[!?]{2,}|(?<!\S)[!?](?!\S)")
"""Matches every other emoticon in normalised text; also question and exclamation marks that stand alone or in a row."""


def emoji_for(emoticon: str) -> str:
    """Return the emoji for a match of :data:`PATTERN`."""
    marks = set(emoticon)
    if marks <= {"!", "?"}:
        return "⁉" if len(marks) == 2 else "❗" if "!" in marks else "❓"
    return _SIGNS.get(emoticon) or _SIGNS[emoticon.rstrip(emoticon[-1]) + emoticon[-1]]
