"""Safe decoding: from a file that nobody vouches for to a few RGBA frames.

Nothing is decoded before the file's size and structure have been checked, and a file is decoded wholly or not at
all. No state of Pillow is changed, so any number of threads may decode at once.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.errors import PictureError
from persrv.images.containers import Container, MalformedError, inspect
from persrv.images.frames import representative
from persrv.images.limits import Limits
from persrv.images.orientation import orientation, upright, upright_size
from persrv.images.readers import MissingReaderError, open_reader

__all__ = ["Limits", "Picture", "PictureFacts", "facts", "open_picture"]

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a file's header says.

    Attributes:
        format: One of :data:`persrv.images.containers.container.Format`.
        width: Pixels as shown, after EXIF rotation, >= 1.
        height: Pixels as shown, >= 1.
        frames: Number of frames, 1 for a still.
    """

    format: str
    width: int
    height: int
    frames: int


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        format: One of :data:`persrv.images.containers.container.Format`.
        width: Pixels as shown, after EXIF rotation, >= 1.
        height: Pixels as shown, >= 1.
        n_frames: Frames in the file, of which ``frames`` is a choice.
        frames: At least one frame, in the file's order, each of shape (height, width, 4): straight-alpha sRGB.
    """

    format: str
    width: int
    height: int
    n_frames: int
    frames: tuple[NDArray[np.uint8], ...]

    @property
    def animated(self) -> bool:
        """Whether the file holds more than one frame."""
        return self.n_frames > 1


def facts(source: Path | bytes, limits: Limits = _DEFAULT) -> PictureFacts:
    """Read a picture's format, size and frame count without decoding it.

    Raises:
        PictureError: As :func:`open_picture`, except for damage that only decoding can find.
    """
    return _facts(_inspect(source, limits))


def open_picture(source: Path | bytes, limits: Limits = _DEFAULT, max_frames: int = 4) -> Picture:
    """Decode a still, or the frames that stand for an animation or a video.

    Args:
        source: A file, or its content.
        limits: Bounds on the file and its canvas.
        max_frames: Largest number of frames to keep, >= 1: the first, the last of those that ``limits`` lets in,
            and the most different ones between. Of a picture the first frames are looked at, of a video or vector
            animation frames spread evenly.

    Raises:
        PictureError: The file is missing, no regular file, empty, too large, cut short, damaged, of another format
            than :data:`persrv.images.containers.KINDS`, needs packages that are not installed, or its pixels
            do not match its header. The text names the file.
    """
    container = _inspect(source, limits)
    shown = _facts(container)
    try:
        with open_reader(container, limits) as reader:
            considered = reader.considered()
            if len(considered) == 1 or max_frames == 1:
                chosen = [considered[0]]
            else:
                numbers = representative(reader.thumbnails(considered), max_frames)
                chosen = [considered[number] for number in numbers]
            turn = orientation(container.exif)
            frames = tuple(upright(frame, turn) for frame in reader.frames(chosen))
    except MissingReaderError as error:
        raise PictureError(f"{_name(source)} cannot be used: {error}", f"run {error.advice}") from error
    except MalformedError as error:
        raise _unusable(source, str(error)) from error
    # Decoders answer hostile input with almost any exception, from IndexError to SyntaxError.
    except Exception as error:
        raise _unusable(source, f"its pixels cannot be decoded: {str(error) or type(error).__name__}") from error
    return Picture(shown.format, shown.width, shown.height, shown.frames, frames)


def _facts(container: Container) -> PictureFacts:
    width, height = upright_size(container.width, container.height, orientation(container.exif))
    return PictureFacts(container.format, width, height, container.frames)


def _inspect(source: Path | bytes, limits: Limits) -> Container:
    data = source if isinstance(source, bytes) else _read(source, limits.file_bytes)
    if len(data) > limits.file_bytes:
        raise _unusable(source, f"it is larger than {limits.file_bytes} bytes")
    try:
        container = inspect(data)
    except MalformedError as error:
        raise _unusable(source, str(error)) from error
    if container.width * container.height > limits.pixels:
        raise _unusable(
            source, f"its {container.width} × {container.height} pixels are more than the allowed {limits.pixels}"
        )
    if container.seconds > limits.seconds:
        raise _unusable(source, f"its {container.seconds:g} seconds are more than the allowed {limits.seconds}")
    return container


def _read(path: Path, most: int) -> bytes:
    try:
        status = path.stat()
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "it is no regular file")
        if status.st_size > most:
            raise _unusable(path, f"its {status.st_size} bytes are more than the allowed {most}")
        with path.open("rb") as file:
            return file.read(most + 1)
    except FileNotFoundError as error:
        raise _unusable(path, "it does not exist") from error
    except (OSError, ValueError) as error:
        raise _unusable(path, f"it cannot be read: {error}") from error


def _unusable(source: Path | bytes, reason: str) -> PictureError:
    return PictureError(f"{_name(source)} cannot be used: {reason}", "replace the file or leave it out")


def _name(source: Path | bytes) -> str:
    return f"a picture of {len(source)} bytes" if isinstance(source, bytes) else str(source)
