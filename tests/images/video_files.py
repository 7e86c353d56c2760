"""Videos made for the tests of this folder."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import av
from picture_files import Frame


def video(frames: Sequence[Frame], kind: str = "webm", codec: str = "libvpx-vp9", pixels: str = "yuva420p") -> bytes:
    """Return RGBA frames as a video of 30 frames a second; colours come back within a few values."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as file:
        stream = file.add_stream(codec, rate=30)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        if codec.startswith("libvpx"):
            stream.options = {"auto-alt-ref": "0", "crf": "4", "b": "0", "cpu-used": "8"}
        else:
            stream.options = {"crf": "4", "preset": "ultrafast"}
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgba")))
        file.mux(stream.encode())
    return buffer.getvalue()


def mp4(frames: Sequence[Frame]) -> bytes:
    return video(frames, "mp4", "libx264", "yuv420p")


def element(kind: int, body: bytes, size: int | None = None) -> bytes:
    """Return one EBML element; ``size`` claims another length than the body has."""
    name = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    return name + ((1 << 56) | (len(body) if size is None else size)).to_bytes(8, "big") + body


def webm(
    width: int,
    height: int,
    blocks: int = 1,
    doctype: bytes = b"webm",
    codec: bytes = b"V_VP9",
    seconds: float = 1.0,
    tail: bytes = b"",
) -> bytes:
    """Return a WebM written by hand, whose blocks hold no picture."""
    dimensions = element(0xB0, width.to_bytes(4, "big")) + element(0xBA, height.to_bytes(4, "big"))
    track = element(0xD7, b"\1") + element(0x83, b"\1") + element(0x86, codec) + element(0xE0, dimensions)
    cluster = element(0xE7, b"\0") + element(0xA3, b"\x81\0\0\x80" + bytes(8)) * blocks
    segment = element(0x1549A966, element(0x4489, struct.pack(">d", seconds * 1000)))
    segment += element(0x1654AE6B, element(0xAE, track)) + element(0x1F43B675, cluster) + tail
    return element(0x1A45DFA3, element(0x4282, doctype)) + element(0x18538067, segment)
