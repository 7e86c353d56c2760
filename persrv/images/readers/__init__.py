"""What turns a checked container into frames: one module for each kind of file."""

from __future__ import annotations

from contextlib import AbstractContextManager

from persrv.images.containers import Container
from persrv.images.limits import Limits
from persrv.images.readers.reader import MissingReaderError, Reader

__all__ = ["MissingReaderError", "Reader", "open_reader"]


def open_reader(container: Container, limits: Limits) -> AbstractContextManager[Reader]:
    """Return what decodes a container's frames.

    Raises:
        MissingReaderError: Its kind of file needs packages that are not installed.
    """
    if container.format in ("webm", "mp4"):
        try:
            from persrv.images.readers.video import VideoReader
        except ImportError as error:
            raise MissingReaderError("a video", "video") from error
        return VideoReader(container, limits)
    if container.format == "tgs":
        from persrv.images.readers.lottie import LottieReader

        return LottieReader(container, limits)
    if container.format == "heic":
        from persrv.images.readers.heif import HeifReader

        return HeifReader(container)
    if container.format == "jxl":
        from persrv.images.readers.jxl import JxlReader

        return JxlReader(container)
    if container.format == "svg":
        from persrv.images.readers.svg import SvgReader

        return SvgReader(container)
    from persrv.images.readers.still import PillowReader

    return PillowReader(container, limits)
