"""Where emoji stand in a text, as they are written: with skin tones, joiners and variation selectors."""

from __future__ import annotations

import re
from functools import cache

from persrv.text import characters


def emoji_in(text: str) -> tuple[str, ...]:
    """Return the emoji of a text in their order, each once; several in a row are several."""
    return tuple(dict.fromkeys(match[0] for match in _pattern().finditer(text)))


def without_emoji(text: str) -> str:
    """Return the text with a space in place of each emoji."""
    return _pattern().sub(" ", text)


@cache
def _pattern() -> re.Pattern[str]:
    one = f"[{characters.EMOJI}]\ufe0f?[\U0001f3fb-\U0001f3ff]?"
    flag = f"[{characters.FLAG_LETTER}]{{2}}"
    region = f"(?:[{characters.TAG}]+\U000e007f)?"
    return re.compile(f"{flag}|[0-9#*]\ufe0f?\u20e3|{one}{region}(?:\u200d{one})*")
