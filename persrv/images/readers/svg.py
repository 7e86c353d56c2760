"""SVG, drawn by resvg in a process of its own: a short drawing can ask for endless work."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from persrv.images.colour import to_rgba
from persrv.images.containers import Container, MalformedError
from persrv.images.readers.reader import Frame, MissingReaderError
from persrv.images.readers.single import SingleReader

_WORKER = Path(__file__).with_name("svg_worker.py")
_SECONDS = 10.0
"""Patience with one drawing; most take a hundredth of a second."""


class SvgReader(SingleReader):
    """Draws at the size that the container was given, without text: fonts of the machine are not asked.

    Raises:
        MissingReaderError: resvg-py is not installed.
    """

    def __init__(self, container: Container) -> None:
        super().__init__(container)
        if importlib.util.find_spec("resvg_py") is None:
            raise MissingReaderError("an SVG drawing", "emoji-set")

    def decode(self) -> Frame:
        """Return the drawing."""
        container = self._container
        order = {"svg": container.data.decode("utf-8-sig", "replace"), "width": container.width}
        # As for Lottie: -P keeps the worker's folder out of Python's modules, and nothing of the file stands here.
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-P", str(_WORKER)],
                input=json.dumps(order).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=True,
            )
        except subprocess.SubprocessError as error:
            raise MalformedError(f"it cannot be drawn, or not within {_SECONDS:g} seconds") from error
        with Image.open(io.BytesIO(done.stdout), formats=["png"]) as image:
            drawn = to_rgba(image)
        frame = np.zeros((container.height, container.width, 4), np.uint8)
        # Rounding may make the drawing a row higher or lower than its frame.
        height, width = min(frame.shape[0], drawn.shape[0]), min(frame.shape[1], drawn.shape[1])
        frame[:height, :width] = drawn[:height, :width]
        return frame
