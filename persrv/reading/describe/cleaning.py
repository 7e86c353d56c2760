"""Texts that a model wrote, made fit for a catalog."""

from __future__ import annotations

import unicodedata

_JOINING = frozenset("\u200c\u200d") | {chr(code) for code in range(0xE0020, 0xE0080)}
"""Invisible characters that hold an emoji or a word together: joiners, and the letters in the flags of regions."""
_UNWANTED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def one_line(text: str) -> str:
    """Return one line without control characters, lone surrogates and marks of direction, spaces folded.

    Returns:
        NFC text that can be encoded as UTF-8; ``clean`` leaves it as it is.
    """
    kept = (c if c in _JOINING or unicodedata.category(c) not in _UNWANTED else " " for c in text)
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def shortened(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters, cut after a word and ended by ``…`` where it was longer."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    # Chinese has no spaces: a cut far back would lose most of the text.
    cut = cut[:space] if space > limit // 2 else cut
    # Neither a joined emoji nor a letter with its accent is torn apart.
    while cut and (unicodedata.combining(text[len(cut)]) or "\u200d" in (cut[-1], text[len(cut)])):
        cut = cut[:-1]
    return cut.rstrip(" ,;:，；：、") + "…"
