"""TGS, drawn by rlottie in a process of its own.

A few bytes of a vector animation can ask for a drawing that never ends, or take the renderer down: both must cost
one sticker, not the whole build.
"""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.images.containers import Container, MalformedError
from persrv.images.frames import frame_samples
from persrv.images.limits import Limits
from persrv.images.readers.reader import Frame, MissingReaderError

_WORKER = Path(__file__).with_name("lottie_worker.py")
_SECONDS = 10.0
"""Patience with one sticker; drawing takes a tenth of a second."""
_SMALL = 32
"""Side in pixels of the drawings among which the representative frames are chosen."""


class LottieReader:
    """Draws frames at the animation's own size; looks at frames spread evenly over all of it.

    Raises:
        MissingReaderError: rlottie-python is not installed.
    """

    def __init__(self, container: Container, limits: Limits) -> None:
        if importlib.util.find_spec("rlottie_python") is None:
            raise MissingReaderError("a vector animation", "lottie")
        self._container = container
        self._looked_at = range(0, container.frames, -(-container.frames // limits.frames))

    def __enter__(self) -> Self:
        # -P: the worker's own folder must not be searched for modules, as its names would hide Python's.
        # Nothing that comes from the sticker stands on this command line.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._timer = threading.Timer(_SECONDS, self._process.kill)
        self._timer.start()
        try:
            self._send(struct.pack("<I", len(self._container.data)) + self._container.data)
        except MalformedError:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.communicate()

    def considered(self) -> Sequence[int]:
        """Return evenly spread frames."""
        return self._looked_at

    def thumbnails(self, numbers: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Yield samples of small drawings."""
        return (frame_samples(frame) for frame in self._drawn(numbers, _SMALL, _SMALL))

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames at the animation's own size."""
        return self._drawn(numbers, self._container.width, self._container.height)

    def _drawn(self, numbers: Sequence[int], width: int, height: int) -> Iterator[Frame]:
        for number in numbers:
            self._send(struct.pack("<3I", number, width, height))
            pixels = self._receive(width * height * 4)
            yield _straight(np.frombuffer(pixels, np.uint8).reshape(height, width, 4))

    def _send(self, data: bytes) -> None:
        stream = self._process.stdin
        try:
            if stream is not None:
                stream.write(data)
                stream.flush()
        except OSError as error:
            raise _undrawable() from error

    def _receive(self, length: int) -> bytes:
        stream = self._process.stdout
        data = stream.read(length) if stream is not None else b""
        if len(data) < length:
            raise _undrawable()
        return data


def _undrawable() -> MalformedError:
    return MalformedError(f"it cannot be drawn, or not within {_SECONDS:g} seconds")


def _straight(drawn: NDArray[np.uint8]) -> Frame:
    """Return RGBA with straight alpha for rlottie's BGRA, whose colours are multiplied by alpha."""
    alpha = drawn[..., 3:].astype(np.uint16)
    colours = drawn[..., 2::-1].astype(np.uint16)
    straight = np.minimum((colours * 255 + alpha // 2) // np.maximum(alpha, 1), 255)
    return np.concatenate([straight, alpha], axis=2).astype(np.uint8)
