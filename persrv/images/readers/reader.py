"""What a reader of frames is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""Straight-alpha sRGB on the whole canvas, shape (height, width, 4)."""


class MissingReaderError(Exception):
    """A kind of file needs packages that are not installed.

    Args:
        what: What the file is, with its article.
        extra: The extra that brings the packages.
    """

    def __init__(self, what: str, extra: str) -> None:
        self.advice = f'pip install "persrv[{extra}]"'
        super().__init__(f"it is {what}, which needs {self.advice}")


class Reader(Protocol):
    """Decodes one file; any damage that it meets raises, mostly what its decoder raises."""

    def considered(self) -> Sequence[int]:
        """Return the numbers of the frames that are looked at, ascending, at least one."""
        ...

    def thumbnails(self, numbers: Sequence[int]) -> Iterable[NDArray[np.float32]]:
        """Yield what :func:`persrv.images.frames.frame_samples` makes of these frames, ascending numbers."""
        ...

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield these frames, ascending numbers."""
        ...
