"""JSON that ends too early, as models write it when they reach their limit of tokens."""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_DEEPEST = 16


def completed(text: str) -> dict[str, Any] | None:
    """Return the object that a cut-off text would have become, as far as it got.

    A string that was being written is left out, as half a word would be a wrong one.

    Args:
        text: Starts with ``{``.

    Returns:
        ``None`` where the text is not the beginning of a JSON object, or holds nothing complete yet.
    """
    open_brackets: list[str] = []
    # Of the last three ends one closes well: a key needs its value, so two in a row may not.
    usable: deque[str] = deque(maxlen=3)
    position = 0
    while position < len(text):
        character = text[position]
        if character == '"':
            string = _STRING.match(text, position)
            if string is None:
                break
            position = string.end()
            usable.append(text[:position] + _closing(open_brackets))
            continue
        if character in _CLOSING:
            open_brackets.append(character)
        elif character in _CLOSING.values():
            if not open_brackets or _CLOSING[open_brackets.pop()] != character:
                return None
            usable.append(text[: position + 1] + _closing(open_brackets))
        if len(open_brackets) > _DEEPEST:
            return None
        position += 1
    for candidate in reversed(usable):
        try:
            value = json.loads(candidate)
        except ValueError:
            continue
        return value if isinstance(value, dict) else None
    return None


def _closing(open_brackets: list[str]) -> str:
    return "".join(_CLOSING[bracket] for bracket in reversed(open_brackets))
