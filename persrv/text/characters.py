"""Which characters are what, for folding and tokenizing alike.

Each class is the inside of a regular expression's ``[...]``.
"""

from __future__ import annotations

import re
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

NEWER = (
    "\u0558\u058b-\u058c\u05c8-\u05c9\u088f\u0897\u0b53-\u0b54\u0c5c\u0cdc\u0cf3\u0ece\u1acf-\u1af0\u1c89-\u1c8a"
    "\u208f\u209d-\u209f\ua7cb-\ua7cf\ua7d2\ua7d4\ua7da-\ua7f1\uab6c-\uab6d\U000105c0-\U000105f3"
    "\U000107bb-\U000107bf\U00010940-\U00010959\U00010d40-\U00010d85\U00010ec2-\U00010eff\U0001123f-\U00011241"
    "\U00011380-\U000113e2\U000116d0-\U000116e3\U00011b0a-\U00011bf9\U00011db0-\U00011df1\U00011f00-\U00011f5a"
    "\U0001246f\U00012475-\U0001247f\U00012550-\U00012686\U0001342f\U00013440-\U000143fa\U00016100-\U00016139"
    "\U00016d40-\U00016d79\U00016ea0-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff\U00018cd6-\U00018cff"
    "\U00018d09-\U000191d2\U0001b123-\U0001b132\U0001b155\U0001b168\U0001ccd6-\U0001ccf9\U0001d127-\U0001d128"
    "\U0001d250-\U0001d2d3\U0001d6a6\U0001df1f-\U0001dfff\U0001e030-\U0001e08f\U0001e4d0-\U0001e6ff"
    "\U000323b0-\U0003fc3f"
)
"""Letters, digits and marks that Unicode has had since version 15 (up to 18): Python 3.11 knows none of them.

They are left as they are and count as letters, so that a text has the same tokens in every Python.
"""

_BLOCKS_WITH_MARKS = (
    (0x300, 0x3100),
    (0xA000, 0xAC00),
    (0xFB00, 0xFE30),
    (0x10000, 0x12000),
    (0x16000, 0x17000),
    (0x1B000, 0x1F000),
)


@cache
def combining_marks() -> str:
    """Return every combining mark of Unicode 14 (categories Mn and Mc), and the half-width kana marks.

    Found on first use rather than at import, because it takes some milliseconds that plain English never needs.
    """
    found = (
        chr(code)
        for first, last in _BLOCKS_WITH_MARKS
        for code in range(first, last)
        if unicodedata.category(chr(code)) in ("Mn", "Mc")
    )
    return re.sub(f"[{NEWER}]", "", "".join(found)) + "\uff9e\uff9f"
