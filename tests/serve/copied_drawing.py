"""One drawing in files of several sizes: near-duplicates of each other."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

SIDES = (96, 144, 192)


def copied_drawing(colour: str) -> list[bytes]:
    """A drawing as PNG in each of :data:`SIDES`; another colour is another drawing."""
    whole = Image.new("RGBA", (384, 384))
    draw = ImageDraw.Draw(whole)
    draw.ellipse((40, 60, 340, 340), fill=colour)
    draw.rectangle((90, 120, 170, 180), fill="black")
    draw.polygon(((200, 250), (320, 200), (260, 320)), fill="white")
    found = []
    for side in SIDES:
        buffer = io.BytesIO()
        whole.resize((side, side), Image.Resampling.LANCZOS).save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found
