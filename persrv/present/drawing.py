"""Whether this terminal can draw pictures, and how."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, RenderableType

if TYPE_CHECKING:
    from PIL.Image import Image

Draw = Callable[["Image", int], RenderableType]
"""Makes a Rich renderable of a picture that is so many terminal cells wide."""


def drawing(console: Console, images: bool | None) -> Draw | None:
    """Return how the console draws pictures, ``None`` where it should not.

    The terminal is asked only when there is one: ``textual_image`` writes a question to it, and waits for the answer
    on standard input, as soon as it is imported.

    Args:
        console: Where the answer is printed.
        images: ``None`` draws by kitty graphics or sixels where the terminal says that it has them; ``True`` draws by
            coloured half blocks where it has neither; ``False`` never draws. Pipes, files, dumb terminals and those
            under ``NO_COLOR`` get no pictures whatever is asked.
    """
    if images is False or not _is_our_terminal(console):
        return None
    # Without a handler Python would print the package's doubts about cell sizes between our lines.
    logging.getLogger("textual_image").addHandler(logging.NullHandler())
    try:
        from textual_image.renderable import HalfcellImage, TGPImage, UnicodeImage
        from textual_image.renderable import Image as Renderable
    except (OSError, ValueError):  # the terminal's answer made no sense
        return None
    if Renderable is UnicodeImage or (Renderable is HalfcellImage and not images):
        return None
    if Renderable is TGPImage and console.color_system != "truecolor":
        # Kitty finds the picture by its number, which the placeholders carry as a 24-bit colour.
        return None
    return lambda image, cells: Renderable(image, width=cells, height="auto")


def _is_our_terminal(console: Console) -> bool:
    """Return whether the console is the terminal that ``textual_image`` would ask, and shows colours."""
    return (
        console.is_terminal
        and not console.is_dumb_terminal
        and not console.legacy_windows
        and not console.no_color
        and console.file is sys.__stdout__
        and _is_tty(sys.__stdin__)
        and _has_a_size(sys.__stdout__)
        and _in_foreground(sys.__stdin__)
    )


def _is_tty(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _has_a_size(stdout: TextIO | None) -> bool:
    """Return whether the terminal says how large it is: recorders often say 0 × 0, and nothing fits there."""
    if stdout is None or not _is_tty(stdout):
        return False
    try:
        return min(os.get_terminal_size(stdout.fileno())) > 0
    except OSError:
        return False


def _in_foreground(stdin: TextIO | None) -> bool:
    """Return whether the terminal lets this process read: it stops a background job that tries."""
    if stdin is None or sys.platform == "win32":
        return stdin is not None
    try:
        return os.tcgetpgrp(stdin.fileno()) == os.getpgrp()
    except OSError:
        return False
