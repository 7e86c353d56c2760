"""Draws a Lottie animation for :mod:`persrv.images.readers.lottie`; a program that imports nothing of persrv.

It reads the JSON's length (uint32, little-endian like all numbers here) and the JSON, then requests of three uint32:
frame, width, height. Each is answered with width x height x 4 bytes, BGRA with premultiplied alpha. It ends with its
input, and with exit code 1 when the animation cannot be read.
"""

from __future__ import annotations

import struct
import sys

from rlottie_python.rlottie_wrapper import LottieAnimation

_MEMORY = 1 << 30


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows; the time limit of the parent still holds.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard), hard))


def _main() -> int:
    _bound_memory()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    (length,) = struct.unpack("<I", requests.read(4))
    animation = LottieAnimation.from_data(requests.read(length).decode())
    if not animation.animation_p:
        return 1
    while request := requests.read(12):
        frame, width, height = struct.unpack("<3I", request)
        answers.write(animation.lottie_animation_render(frame, width=width, height=height))
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
