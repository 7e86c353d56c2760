"""How a sticker's picture is named and shown in a web page: browsers and Qdrant's dashboard draw a few formats only."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from persrv.images.compositing import fit
from persrv.images.decode import Picture

WEB_FORMATS = frozenset(("png", "jpeg", "gif", "webp"))
"""Formats that are shown as they are; of all others, SVG too, which may hold more than a drawing, a still one is."""

STILL_SIDE = 320
"""Pixels of a still picture's side; the dashboard draws 300."""


def web_name(sticker_id: str, kind: str) -> str:
    """Return the file name of a sticker's picture in a web page, for a format such as ``"tgs"``."""
    return f"{sticker_id}.{kind if kind in WEB_FORMATS else 'webp'}"


def web_still(picture: Picture) -> bytes:
    """Return a still WebP picture: of an animation the frame that covers most, the first of equals."""
    covered = [int(np.count_nonzero(frame[..., 3] > 127)) for frame in picture.frames]
    out = io.BytesIO()
    Image.fromarray(fit(picture.frames[int(np.argmax(covered))], STILL_SIDE)).save(out, "WEBP", quality=80)
    return out.getvalue()
