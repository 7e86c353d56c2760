"""What an OCR engine is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in a picture.

    Attributes:
        text: What was read, without line breaks.
        confidence: The engine's own, in [0, 1].
        box: Left, top, right, bottom, relative to the picture, in [0, 1].
    """

    text: str
    confidence: float
    box: tuple[float, float, float, float]


class OcrEngine(Protocol):
    """Reads the text in one frame.

    Attributes:
        name: What a recipe calls it.
        revision: Changes whenever the same picture might be read differently (package, models, languages, settings).
    """

    @property
    def name(self) -> str:
        """What a recipe calls it."""
        ...

    @property
    def revision(self) -> str:
        """Identity of everything that decides what is read."""
        ...

    def read(self, frame: NDArray[np.uint8]) -> list[Line]:
        """Return the lines of one frame in reading order.

        Args:
            frame: RGB, shape (h, w, 3): already composited on a neutral ground.
        """
        ...


def reason(error: Exception) -> str:
    """Return what went wrong inside an engine, in one line.

    The last line of the error's text, where engines put the cause behind a traceback; else its type's name.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
