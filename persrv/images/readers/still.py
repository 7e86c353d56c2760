"""Stills, GIF, APNG and animated WebP, by Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.images.colour import to_rgba
from persrv.images.containers import Container, MalformedError
from persrv.images.containers.png_pixels import check_pixels
from persrv.images.frames import frame_samples
from persrv.images.limits import Limits
from persrv.images.readers.reader import Frame


class PillowReader:
    """Decodes with Pillow; looks at the first frames that the limits let in."""

    def __init__(self, container: Container, limits: Limits) -> None:
        self._container = container
        self._looked_at = limits.frames_of(container.frames, container.width * container.height)

    def __enter__(self) -> Self:
        if self._container.format == "png":
            check_pixels(self._container.data, self._looked_at + self._container.skipped)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is kept open between frames."""

    def considered(self) -> Sequence[int]:
        """Return the first frames, as many as the limits let in."""
        return range(self._looked_at)

    def thumbnails(self, numbers: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Yield samples of the decoded frames."""
        return (frame_samples(frame) for frame in self.frames(numbers))

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames, decoding those between as the format asks."""
        container = self._container
        with Image.open(io.BytesIO(container.data), formats=[container.format]) as image:
            for number in numbers:
                image.seek(number + container.skipped)
                image.load()
                yield _on_canvas(to_rgba(image), container.width, container.height)


def _on_canvas(frame: Frame, width: int, height: int) -> Frame:
    """Return the frame on the canvas: a GIF's early frames may be smaller than its later ones."""
    if frame.shape[:2] == (height, width):
        return frame
    if frame.shape[0] > height or frame.shape[1] > width:
        raise MalformedError("a frame is larger than its header says")
    canvas = np.zeros((height, width, 4), np.uint8)
    canvas[: frame.shape[0], : frame.shape[1]] = frame
    return canvas
