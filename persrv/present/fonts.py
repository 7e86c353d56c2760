"""Fonts for drawn text: Pillow's own for Latin, the machine's for what that lacks."""

from __future__ import annotations

from functools import cache

from PIL import ImageFont

from persrv.present.words import clean

_MACHINE = (
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "seguisym.ttf",
    "arial.ttf",
)
"""File names that Pillow seeks in the system's font folders, on Linux, macOS and Windows."""

_NO_CHARACTER = "\U0010ffff"


@cache
def fonts(size: int) -> tuple[ImageFont.FreeTypeFont, ...]:
    """Return the fonts that there are, Pillow's own first, in ``size`` pixels."""
    own = ImageFont.load_default(size)
    found = [own] if isinstance(own, ImageFont.FreeTypeFont) else []
    for name in _MACHINE:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return tuple(found)


def drawable(text: str, size: int, fallback: str) -> tuple[str, ImageFont.FreeTypeFont]:
    """Return what can be drawn of a text, and the font for it.

    The first font that has every character is taken; where none has, Pillow's own draws the characters that it has,
    and where those are less than half, ``fallback`` stands in. So no text turns into empty boxes.

    Args:
        text: Any text.
        size: Pixels.
        fallback: Printable ASCII.
    """
    line = clean(text)
    for font in fonts(size):
        if line and all(has(font, char) for char in line):
            return line, font
    own = fonts(size)[0]
    kept = clean("".join(char for char in line if has(own, char)))
    return (kept if 2 * len(kept) >= len(line) > 0 else fallback), own


def cut_to_width(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Return the text, cut with an ellipsis where it is wider than ``width`` pixels."""
    if font.getlength(text) <= width:
        return text
    for end in range(len(text) - 1, 0, -1):
        cut = f"{text[:end].rstrip()}…"
        if font.getlength(cut) <= width:
            return cut
    return ""


def has(font: ImageFont.FreeTypeFont, char: str) -> bool:
    """Return whether the font can draw the character: whether it looks unlike a character that no font has."""
    return char.isspace() or _shape(font, char) != _shape(font, _NO_CHARACTER)


@cache
def _shape(font: ImageFont.FreeTypeFont, char: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(char)
    return mask.size, bytes(mask)
