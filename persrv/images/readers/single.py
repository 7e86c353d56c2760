"""What readers of pictures without movement share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.images.containers import Container, MalformedError
from persrv.images.frames import frame_samples
from persrv.images.readers.reader import Frame


class SingleReader:
    """Decodes the one frame of a picture; a subclass says how."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is kept open."""

    def considered(self) -> Sequence[int]:
        """Return the one frame."""
        return (0,)

    def thumbnails(self, numbers: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Yield a sample of the frame."""
        return (frame_samples(frame) for frame in self.frames(numbers))

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield the frame.

        Raises:
            MalformedError: It has another size than the header says.
        """
        for _ in numbers:
            frame = self.decode()
            if frame.shape[:2] != (self._container.height, self._container.width):
                height, width = frame.shape[:2]
                raise MalformedError(f"it has {width} × {height} pixels, which its header does not say")
            yield frame

    def decode(self) -> Frame:
        """Return the frame."""
        raise NotImplementedError
