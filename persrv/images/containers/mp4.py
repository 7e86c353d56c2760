"""MP4 (ISO/IEC 14496-12 and -14)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from persrv.images.containers.container import MOST_FRAMES, Container, MalformedError, canvas, slice_of

_ENTERED = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_MOST_BOXES = 10_000
_DECODERS = {
    b"avc1": "h264",
    b"avc3": "h264",
    b"hev1": "hevc",
    b"hvc1": "hevc",
    b"vp08": "vp8",
    b"vp09": "vp9",
    b"av01": "libdav1d",
    b"mp4v": "mpeg4",
}


@dataclass(slots=True)
class _Track:
    handler: bytes = b""
    codec: bytes = b""
    width: int = 0
    height: int = 0
    frames: int = 0
    seconds: float = 0.0


def read_mp4(data: bytes) -> Container:
    """Walk through the boxes to the first video track.

    Raises:
        MalformedError: A box is cut short, there is no video track that can be decoded, or the file is fragmented.
    """
    tracks: list[_Track] = []
    for kind, body in boxes(data):
        if kind == b"trak":
            tracks.append(_Track())
        elif kind == b"moof":
            raise MalformedError("it is a fragmented MP4, which is not read")
        elif tracks:
            _note(tracks[-1], kind, body)
    video = next((track for track in tracks if track.handler == b"vide"), None)
    if video is None:
        raise MalformedError("it has no video track")
    codec = _DECODERS.get(video.codec)
    if codec is None:
        raise MalformedError(f"its codec {video.codec.decode('ascii', 'replace')!r} is not read")
    if not 0 < video.frames <= MOST_FRAMES:
        raise MalformedError(f"it has {video.frames} frames")
    size = canvas(video.width, video.height)
    return Container("mp4", *size, video.frames, 0, b"", data, video.seconds, codec)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield every box in the file's order, with its content where that is no list of other boxes."""
    position = 0
    ends = [len(data)]
    for _ in range(_MOST_BOXES):
        while len(ends) > 1 and position == ends[-1]:
            ends.pop()
        if position == len(data):
            return
        size, kind = struct.unpack(">I4s", slice_of(data, position, 8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", slice_of(data, position + 8, 8))
            header = 16
        elif size == 0:
            size = ends[-1] - position
        if size < header or position + size > ends[-1]:
            raise MalformedError("it is cut short" if len(ends) == 1 else "a box is larger than the one around it")
        if kind in _ENTERED:
            ends.append(position + size)
            yield kind, b""
            position += header
        else:
            yield kind, data[position + header : position + size]
            position += size
    raise MalformedError(f"it has more than {_MOST_BOXES} boxes")


def _note(track: _Track, kind: bytes, body: bytes) -> None:
    if kind == b"hdlr":
        track.handler = slice_of(body, 8, 4)
    elif kind == b"mdhd":
        layout, start = (">IQ", 20) if body[:1] == b"\1" else (">II", 12)
        scale, length = struct.unpack(layout, slice_of(body, start, struct.calcsize(layout)))
        track.seconds = length / max(scale, 1)
    elif kind == b"stsd":
        track.codec = slice_of(body, 12, 4)
        if track.codec in _DECODERS:
            track.width, track.height = struct.unpack(">HH", slice_of(body, 40, 4))
    elif kind == b"stsz":
        (track.frames,) = struct.unpack(">I", slice_of(body, 8, 4))
