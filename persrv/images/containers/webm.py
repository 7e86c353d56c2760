"""WebM: Matroska (RFC 9559) with one video track, in EBML (RFC 8794)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from persrv.images.containers.container import MOST_FRAMES, Container, MalformedError, canvas, slice_of

_DOCTYPE = 0x4282
_SEGMENT, _CLUSTER, _BLOCK_GROUP, _INFO, _TRACKS = 0x18538067, 0x1F43B675, 0xA0, 0x1549A966, 0x1654AE6B
_TRACK, _VIDEO, _HEADER = 0xAE, 0xE0, 0x1A45DFA3
_ENTERED = frozenset({_HEADER, _SEGMENT, _CLUSTER, _BLOCK_GROUP, _INFO, _TRACKS, _TRACK, _VIDEO})
_SCALE, _DURATION, _CLUSTER_TIME = 0x2AD7B1, 0x4489, 0xE7
_NUMBER, _TYPE, _CODEC, _WIDTH, _HEIGHT, _ALPHA = 0xD7, 0x83, 0x86, 0xB0, 0xBA, 0x53C0
_SIMPLE_BLOCK, _BLOCK = 0xA3, 0xA1
_MOST_ELEMENTS = 200_000
_DECODERS = {b"V_VP8": "vp8", b"V_VP9": "vp9", b"V_AV1": "libdav1d"}
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of VP8 and VP9 leave the alpha channel out; the reference decoders give it."""


def read_webm(data: bytes) -> Container:
    """Walk through the elements and count the blocks of the first video track.

    Raises:
        MalformedError: An element is cut short, there is no video track that can be decoded, or its size is missing.
    """
    doctype = b""
    tracks: list[dict[int, bytes]] = []
    blocks: dict[int, int] = {}
    scale, duration, cluster_time, latest = 1_000_000, 0.0, 0, 0
    for kind, body in _elements(data):
        if kind == _DOCTYPE:
            doctype = body.rstrip(b"\0")
        elif kind == _TRACK:
            tracks.append({})
        elif kind in (_NUMBER, _TYPE, _CODEC, _WIDTH, _HEIGHT, _ALPHA) and tracks:
            tracks[-1][kind] = body
        elif kind == _SCALE:
            scale = _unsigned(body)
        elif kind == _DURATION:
            duration = _float(body)
        elif kind == _CLUSTER_TIME:
            cluster_time = _unsigned(body)
        elif kind in (_SIMPLE_BLOCK, _BLOCK):
            track, length = _vint(body, 0, keep_marker=False)
            (offset,) = struct.unpack(">h", slice_of(body, length, 2))
            blocks[track] = blocks.get(track, 0) + 1
            latest = max(latest, cluster_time + offset)
    if doctype != b"webm":
        raise MalformedError("it is Matroska, but no WebM")
    video = next((track for track in tracks if _unsigned(track.get(_TYPE, b"")) == 1), None)
    if video is None:
        raise MalformedError("it has no video track")
    codec = _DECODERS.get(video.get(_CODEC, b"").rstrip(b"\0"))
    if codec is None:
        raise MalformedError(f"its codec {video.get(_CODEC, b'').decode('ascii', 'replace')!r} is not read")
    if _unsigned(video.get(_ALPHA, b"")):
        codec = _WITH_ALPHA.get(codec, codec)
    frames = blocks.get(_unsigned(video.get(_NUMBER, b"")), 0)
    if not 0 < frames <= MOST_FRAMES:
        raise MalformedError(f"it has {frames} frames")
    size = canvas(_unsigned(video.get(_WIDTH, b"")), _unsigned(video.get(_HEIGHT, b"")))
    return Container("webm", *size, frames, 0, b"", data, max(duration, latest) * scale / 1e9, codec)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield every element in the file's order, with its content where that is no list of other elements."""
    position = count = 0
    while position < len(data):
        kind, length = _vint(data, position, keep_marker=True)
        size, width = _vint(data, position + length, keep_marker=False)
        position += length + width
        unknown = size == (1 << 7 * width) - 1
        if not unknown and position + size > len(data):
            raise MalformedError("it is cut short")
        if kind in _ENTERED:
            yield kind, b""
        elif unknown:
            raise MalformedError("one of its parts has no size")
        else:
            yield kind, data[position : position + size]
            position += size
        count += 1
        if count > _MOST_ELEMENTS:
            raise MalformedError(f"it has more than {_MOST_ELEMENTS} parts")


def _vint(data: bytes, position: int, keep_marker: bool) -> tuple[int, int]:
    """Return a number of variable length, and how many bytes it takes."""
    first = slice_of(data, position, 1)[0]
    length = 9 - first.bit_length()
    if length > 8:
        raise MalformedError("one of its parts has an impossible size")
    value = int.from_bytes(slice_of(data, position, length), "big")
    return (value if keep_marker else value & ((1 << 7 * length) - 1)), length


def _unsigned(body: bytes) -> int:
    return int.from_bytes(body[:8], "big")


def _float(body: bytes) -> float:
    if len(body) not in (4, 8):
        return 0.0
    (value,) = struct.unpack(">f" if len(body) == 4 else ">d", body)
    if not 0 <= value < float("inf"):
        raise MalformedError(f"it lasts {value}")
    return float(value)
