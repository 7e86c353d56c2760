"""The language of a query, as far as its script tells."""

from __future__ import annotations

import re

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_OTHER = re.compile("[\u3041-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0900-\u097f]")
_LATIN = re.compile("[a-z]", re.IGNORECASE)


def language_of(text: str) -> str:
    """Return ``"zh"`` for Chinese characters without kana, ``"en"`` for Latin letters, else ``"other"``."""
    if _OTHER.search(text):
        return "other"
    if _HAN.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else "other"
