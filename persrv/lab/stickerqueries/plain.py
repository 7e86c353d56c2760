"""The baseline's tokens: what a search engine that knows nothing of stickers makes of a phrase."""

from __future__ import annotations

import re

from persrv.text.characters import UNSPACED

_PLAIN = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")


def plain_tokens(phrase: str) -> list[str]:
    """Return words in lower case, and Chinese, Japanese and Korean characters one by one; no signs, no emoji."""
    return _PLAIN.findall(phrase.lower())
