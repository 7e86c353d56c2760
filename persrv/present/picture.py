"""Answers drawn as one PNG picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from persrv.errors import PictureError, QueryError
from persrv.online.answer import Answer
from persrv.present import words
from persrv.present.fonts import cut_to_width, drawable
from persrv.present.thumbnail import decoded, thumbnail
from persrv.records import Hit

_PAPER, _CARD, _GROUND = "#f5f4f1", "#ffffff", "#e3e6eb"
_INK, _SOFT, _REMARK, _LINE = "#1d1c1a", "#5f5c57", "#8a5a00", "#e2dfd9"

_MARGIN, _GAP, _TILE, _INSET = 56, 20, 208, 12
_CAPTION = 70
_HEAD, _TITLE, _BELOW, _NOTE = 80, 92, 28, 84
_MOST_COLUMNS = 24
_SMOOTH = 4
"""Pillow's corners have no half-transparent pixels, so they are drawn so many times larger and reduced."""


def draw_answers(answers: Sequence[tuple[str, Answer]], out: str | Path, *, columns: int = 6, title: str = "") -> None:
    """Draw a row for each answer, its label above its best stickers, and write it as PNG.

    Labels and titles in scripts that no font of this machine has are replaced: labels by a number, titles by the
    sticker's short id. The same input gives the same bytes on the same machine.

    Args:
        answers: Label, usually a user's name, and answer; at least one.
        out: The PNG file to write; an older one is replaced.
        columns: Stickers in a row, 1 to 24; further hits are left out.
        title: A heading above all rows, ``""`` for none.

    Raises:
        QueryError: No answers, or ``columns`` out of range.
        PictureError: ``out`` cannot be written.
    """
    if not answers:
        raise QueryError("there are no answers to draw", "give at least one label and answer")
    if not 1 <= columns <= _MOST_COLUMNS:
        raise QueryError(f"columns {columns} is not between 1 and {_MOST_COLUMNS}", "give a number in that range")
    width = 2 * _MARGIN + columns * _TILE + (columns - 1) * _GAP
    top = _MARGIN // 2 + (_TITLE if title else 0)
    heights = [_HEAD + (_TILE + _CAPTION if answer.hits else _NOTE) + _BELOW for _, answer in answers]
    canvas = Image.new("RGB", (width, top + sum(heights) + _MARGIN // 2), _PAPER)
    if title:
        _write(canvas, (_MARGIN, _MARGIN), title, 46, _INK, width - 2 * _MARGIN, "Stickers", bold=True)
    for number, (label, answer) in enumerate(answers):
        _draw_row(canvas, top + sum(heights[:number]), label, f"user {number + 1}", answer, columns)
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", optimize=True)
    try:
        Path(out).write_bytes(buffer.getvalue())
    except OSError as error:
        raise PictureError(f"{out} cannot be written: {error}", "give a path that can be written") from error


def _draw_row(canvas: Image.Image, top: int, label: str, fallback: str, answer: Answer, columns: int) -> None:
    room = canvas.width - 2 * _MARGIN
    end = _write(canvas, (_MARGIN, top + 22), label, 30, _INK, room * 2 // 3, fallback, bold=True)
    _write(canvas, (end + 18, top + 30), words.audience(answer), 22, _SOFT, canvas.width - _MARGIN - end - 18, "")
    if not answer.hits:
        _round(canvas, (_MARGIN, top + _HEAD), (room, _NOTE), 22, _CARD, _LINE)
        note = " ".join(words.remarks(answer))
        _write(canvas, (_MARGIN + 28, top + _HEAD + _NOTE // 2 - 12), note, 24, _REMARK, room - 56, "no stickers")
    for at, hit in enumerate(answer[:columns]):
        _draw_card(canvas, (_MARGIN + at * (_TILE + _GAP), top + _HEAD), hit)


def _draw_card(canvas: Image.Image, corner: tuple[int, int], hit: Hit) -> None:
    left, top = corner
    side = _TILE - 2 * _INSET
    _round(canvas, corner, (_TILE, _TILE + _CAPTION), 22, _CARD, _LINE)
    _round(canvas, (left + _INSET, top + _INSET), (side, side), 14, _GROUND)
    text_at, room = left + _INSET + 4, side - 8
    picture = decoded(hit.path)
    if picture is None:
        _write(canvas, (left + _TILE // 2 - 46, top + _TILE // 2 - 10), "no picture", 20, _SOFT, room, "no picture")
    else:
        margin = side // 8
        still = thumbnail(picture, side - 2 * margin)
        canvas.paste(still, (left + _INSET + margin, top + _INSET + margin), still)
    _write(canvas, (text_at, top + _TILE - 2), words.title(hit), 23, _INK, room, words.short_id(hit))
    _write(canvas, (text_at, top + _TILE + 32), words.origin(hit), 19, _SOFT, room, "")


def _write(
    canvas: Image.Image,
    at: tuple[int, int],
    text: str,
    size: int,
    colour: str,
    room: int,
    fallback: str,
    *,
    bold: bool = False,
) -> int:
    """Write one line from its top left corner and return where it ends, in pixels from the left."""
    shown, font = drawable(text, size, fallback)
    line = cut_to_width(shown, font, room)
    # The anchor is the baseline: ascents differ from font to font, and lines must not dance. Pillow's font has one
    # weight, so a heading is drawn twice, a little beside itself; a stroke would close the gap under the dot of an i.
    for shift in (0.0, size / 32) if bold else (0.0,):
        ImageDraw.Draw(canvas).text((at[0] + shift, at[1] + size * 0.8), line, colour, font, anchor="ls")
    return at[0] + round(font.getlength(line))


def _round(
    canvas: Image.Image,
    corner: tuple[int, int],
    size: tuple[int, int],
    radius: int,
    colour: str,
    border: str | None = None,
) -> None:
    if border is not None:
        _round(canvas, corner, size, radius, border)
        corner, size, radius = (corner[0] + 1, corner[1] + 1), (size[0] - 2, size[1] - 2), radius - 1
    large = (size[0] * _SMOOTH, size[1] * _SMOOTH)
    mask = Image.new("L", large)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, large[0] - 1, large[1] - 1), radius * _SMOOTH, fill=255)
    canvas.paste(Image.new("RGB", size, colour), corner, mask.resize(size, Image.Resampling.BOX))
