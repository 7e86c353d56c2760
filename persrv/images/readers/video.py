"""WebM and MP4, by FFmpeg through PyAV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self, cast

import av
import numpy as np
from numpy.typing import NDArray

from persrv.images.containers import Container, MalformedError
from persrv.images.frames import frame_samples
from persrv.images.limits import Limits
from persrv.images.readers.reader import Frame

_NO_PROBING = {"codec_whitelist": "none", "probesize": "1000000", "max_streams": "8"}
"""Opening a file must decode nothing: what it holds is known, and a decoder opened here would have no limits."""


class VideoReader:
    """Decodes the first video track, without sound; looks at frames spread evenly over the video.

    The alpha channel of VP8 and VP9 in WebM is read; other codecs are opaque.
    """

    def __init__(self, container: Container, limits: Limits) -> None:
        self._container = container
        self._most_pixels = limits.pixels
        self._looked_at = limits.spread(container.frames, container.width * container.height)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is kept open between passes."""

    def considered(self) -> Sequence[int]:
        """Return evenly spread frames."""
        return self._looked_at

    def thumbnails(self, numbers: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Yield samples of the decoded frames."""
        return (frame_samples(frame) for frame in self.frames(numbers))

    def frames(self, numbers: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames; a video that shows fewer than it has blocks repeats its last one.

        Raises:
            MalformedError: There is no frame at all, or one has another size than the header says.
        """
        wanted = iter(numbers)
        sought = next(wanted, None)
        last: av.VideoFrame | None = None
        for number, last in enumerate(self._decoded()):
            if (last.width, last.height) != (self._container.width, self._container.height):
                raise MalformedError(f"a frame has {last.width} × {last.height} pixels, which its header does not say")
            if number == sought:
                yield _rgba(last)
                sought = next(wanted, None)
                if sought is None:
                    return
        if last is None:
            raise MalformedError("it shows no frame")
        while sought is not None:
            yield _rgba(last)
            sought = next(wanted, None)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Yield frames in the order in which they are shown."""
        file = io.BytesIO(self._container.data)
        demuxer = "matroska" if self._container.format == "webm" else "mp4"
        with av.open(file, "r", format=demuxer, container_options=_NO_PROBING) as video:
            stream = video.streams.video[0]
            decoder = cast(av.VideoCodecContext, av.CodecContext.create(self._container.codec, "r"))
            decoder.extradata = stream.codec_context.extradata
            decoder.thread_count = 1
            decoder.options = {"max_pixels": str(self._most_pixels)}
            for packet in video.demux(stream):
                yield from decoder.decode(packet if packet.size else None)


def _rgba(frame: av.VideoFrame) -> Frame:
    return np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
