"""Which characters are what, for folding and tokenizing alike.

Each class is the inside of a regular expression's ``[...]``.
"""

from __future__ import annotations

import unicodedata
from functools import cache

EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a-\u231b\u2328\u23cf\u23e9-\u23fa\u24c2"
    "\u25aa-\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030"
    "\u303d\u3297\u3299\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001f3fa"
    "\U0001f400-\U0001faff"
)
"""Characters that are an emoji on their own, and symbols beside them. Skin tones and the letters of flags are not."""

FLAG_LETTER = "\U0001f1e6-\U0001f1ff"
"""Regional indicators: two of them make a flag."""

TAG = "\U000e0020-\U000e007e"
"""Invisible letters that follow a black flag and name a region; ``U+E007F`` ends them."""

JAMO = "\u3131-\u318e"
"""Single Korean letters as people type them in chats, ``ㅋㅋㅋ``; NFKC would glue them into syllables."""

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Chinese characters, in whichever language."""

UNSPACED = (
    HAN + JAMO + "\u2e80-\u2fdf\u3021-\u3029\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"
)
"""Chinese, Japanese and Korean characters: indexed one by one and in pairs, since spaces do not mark their words."""

_BLOCKS_WITH_MARKS = (
    (0x300, 0x3100),
    (0xA000, 0xAC00),
    (0xFB00, 0xFE30),
    (0x10000, 0x12000),
    (0x16000, 0x17000),
    (0x1B000, 0x1F000),
)


@cache
def marks() -> str:
    """Return every combining mark (Unicode categories Mn and Mc), and the half-width kana marks.

    Found on first use rather than at import, because it takes some milliseconds that plain English never needs.
    """
    found = [
        chr(code)
        for first, last in _BLOCKS_WITH_MARKS
        for code in range(first, last)
        if unicodedata.category(chr(code)) in ("Mn", "Mc")
    ]
    return "".join(found) + "\uff9e\uff9f"
