"""Which typed texts look private: they neither become public words of a sticker nor teach a model."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"\S@\S+\.\w")
_HANDLE = re.compile(r"(?:^|\s)@\w")
_URL = re.compile(r"https?:|www\.|\b[\w-]+\.(?:com|org|net|io|cn|me|info|ru|de|uk|co|app|dev)\b(?:/|$|\s)")
_DIGITS = re.compile(r"\d(?:[\s().+-]*\d)*")
_PHONE_DIGITS = 7
"""Shortest telephone numbers without an area code; passport, card and account numbers are longer."""
_SPOKEN_NUMBERS = frozenset({"5201314", "1314520"})
"""Numbers that are words: "I love you for a lifetime" by their sound in Chinese."""


def looks_private(text: str) -> str:
    """Return why a text looks private, ``""`` where it does not.

    Private look e-mail addresses, handles, web addresses, and telephone or account numbers. Digits that are laughter
    (``233333``, ``666666``: at most two different ones) do not.

    Args:
        text: Folded: NFKC, lower case, single spaces.
    """
    if _EMAIL.search(text) or _HANDLE.search(text):
        return "looks like an address or a handle"
    if _URL.search(text):
        return "looks like a web address"
    for run in _DIGITS.findall(text):
        digits = re.sub(r"\D", "", run)
        if len(digits) >= _PHONE_DIGITS and len(set(digits)) > 2 and digits not in _SPOKEN_NUMBERS:
            return "holds a long number"
    return ""
