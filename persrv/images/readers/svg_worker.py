"""Draws an SVG for :mod:`persrv.images.readers.svg`; a program that imports nothing of persrv.

It reads ``{"svg": TEXT, "width": PIXELS}`` as JSON, and answers with a PNG. It ends with exit code 1 when the drawing
cannot be read.
"""

from __future__ import annotations

import json
import sys

import resvg_py

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
    order = json.load(sys.stdin.buffer)
    try:
        png = resvg_py.svg_to_bytes(svg_string=order["svg"], width=order["width"], skip_system_fonts=True)
    except ValueError:
        return 1
    sys.stdout.buffer.write(bytes(png))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
