"""Painting one drawing as a small WebP picture with a transparent background."""

from __future__ import annotations

import io

import resvg_py
from PIL import Image, ImageOps

SIDE = 96
"""Pixels of a picture's sides."""

_QUALITY = 75
_SHADES = 16
"""Colours of a drawing in one ink: enough for smooth edges, and less than half the bytes of lossy compression."""
_FAINTEST = 24
"""Alpha (0-255) below which a pixel is not seen."""
_HALO = 0.045
"""Width of the pale edge around a drawing in one ink, as a part of its side: it stays visible on a dark page."""


class UndrawableError(Exception):
    """A drawing cannot be painted faithfully."""


def paint(picture: str | bytes, *, mirrored: bool, ink: str) -> bytes:
    """Return the WebP file of one drawing, 96 × 96 pixels.

    Args:
        picture: An SVG document, or the bytes of a WebP file.
        mirrored: Flip it left to right.
        ink: CSS colour that stands for ``currentColor``, ``""`` for a coloured drawing.

    Raises:
        UndrawableError: The drawing has text (fonts differ from machine to machine), is broken, or comes out blank.
    """
    try:
        image = _rasterise(picture, ink) if isinstance(picture, str) else Image.open(io.BytesIO(picture))
    except (OSError, ValueError) as error:
        raise UndrawableError(str(error)) from error
    image = ImageOps.contain(image.convert("RGBA"), (SIDE, SIDE), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (SIDE, SIDE))
    canvas.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    if canvas.getchannel("A").point(lambda alpha: 255 * (alpha >= _FAINTEST)).getbbox() is None:
        raise UndrawableError("it is blank")
    if mirrored:
        canvas = ImageOps.mirror(canvas)
    file = io.BytesIO()
    if ink:
        few = canvas.quantize(_SHADES, method=Image.Quantize.FASTOCTREE).convert("RGBA")
        few.save(file, "WEBP", lossless=True, quality=90, method=6)
    else:
        canvas.save(file, "WEBP", quality=_QUALITY, alpha_quality=80, method=6)
    return file.getvalue()


def check_moving(picture: bytes) -> bytes:
    """Return an animation as it came.

    Raises:
        UndrawableError: It has one frame only, so it belongs to a style of stills.
    """
    if getattr(Image.open(io.BytesIO(picture)), "n_frames", 1) == 1:
        raise UndrawableError("it does not move")
    return picture


def _rasterise(document: str, ink: str) -> Image.Image:
    if "<text" in document:
        raise UndrawableError("it has text, which would need a font")
    drawing = _inked(document, ink) if ink else document
    png = resvg_py.svg_to_bytes(svg_string=drawing, width=4 * SIDE, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png)))


def _inked(document: str, ink: str) -> str:
    head, _, rest = document.partition(">")
    body = rest.removesuffix("</svg>")
    left, top, width, height = (float(part) for part in head.split('viewBox="')[1].split('"')[0].split())
    halo = _HALO * max(width, height)
    frame = f"{left - halo} {top - halo} {width + 2 * halo} {height + 2 * halo}"
    opening = head.split(' viewBox="')[0]
    return (
        f'{opening} viewBox="{frame}">'
        f'<g color="#fff" stroke="#fff" stroke-width="{2 * halo}" stroke-linejoin="round">{body}</g>'
        f'<g color="{ink}">{body}</g></svg>'
    )
