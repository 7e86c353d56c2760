"""The plain-text notice that travels with a set: who drew what, under which licence, and what was changed."""

from __future__ import annotations

from collections.abc import Iterable

from .draw import SIDE
from .meanings import EMOJIBASE
from .styles import Style

_LICENCES = {
    "Apache-2.0": "Apache License, Version 2.0, https://www.apache.org/licenses/LICENSE-2.0",
    "CC-BY-4.0": "Creative Commons Attribution 4.0 International, https://creativecommons.org/licenses/by/4.0/legalcode",
    "CC-BY-SA-4.0": "Creative Commons Attribution-ShareAlike 4.0 International, "
    "https://creativecommons.org/licenses/by-sa/4.0/legalcode",
    "MIT": "The MIT License, in full below",
}

_MIT_HOLDERS = ("Microsoft Corporation.", "LobeHub", "Miles Johnson")

_MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def notice(styles: Iterable[Style]) -> str:
    """Return the text of the set's ``NOTICE``.

    Args:
        styles: The set's styles, in the order in which they are named.
    """
    styles = list(styles)
    shared_alike = [style.title for style in styles if style.licence == "CC-BY-SA-4.0"]
    parts = [
        "The pictures in this folder were drawn by others. Each style keeps the licence of its author; the licence of\n"
        "the program around it does not replace it. scripts/make_emoji_set.py made the files from these packages.\n"
    ]
    if shared_alike:
        parts.append(
            f"SHARE-ALIKE: the pictures of {' and '.join(shared_alike)} are under CC-BY-SA-4.0 and stay so. Whoever\n"
            "passes on these pictures, or pictures made from them, must do so under the same licence.\n"
        )
    parts += [_paragraph(style) for style in styles]
    package, version = EMOJIBASE
    parts.append(
        "The texts in stickers.jsonl (names, tags)\n"
        f"  Source:   npm package {package} {version}, https://github.com/milesj/emojibase, from Unicode CLDR\n"
        "  Author:   Miles Johnson; CLDR data copyright Unicode, Inc., under the Unicode License v3 (Unicode-3.0)\n"
        "  Licence:  MIT\n"
        "  Changed:  English and Chinese labels, tags and shortcodes joined into one list for each picture.\n"
    )
    names = sorted({style.licence for style in styles} | {"MIT"})
    parts.append("Licence texts\n" + "".join(f"  {name}: {_LICENCES[name]}\n" for name in names))
    holders = "".join(f"Copyright (c) {holder}\n" for holder in _MIT_HOLDERS)
    parts.append(f"The MIT License\n\n{holders}\n{_MIT}")
    return "\n".join(parts)


def _paragraph(style: Style) -> str:
    changed = "nothing; files renamed" if style.moving else f"drawn at {SIDE} x {SIDE} pixels and saved as WebP"
    if style.ink:
        changed += f"; one ink ({style.ink}) and a white edge added"
    return (
        f"{style.title} (folder {style.name})\n"
        f"  Source:   npm package {style.package} {style.version}, {style.source}\n"
        f"  Author:   {style.author}\n"
        f"  Licence:  {style.licence}\n"
        f"  Changed:  {changed}.\n"
    )
