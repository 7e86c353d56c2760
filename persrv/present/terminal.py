"""Answers in a terminal: thumbnails where it can draw, else a compact table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from persrv.online.answer import Answer, Reason
from persrv.present import words
from persrv.present.columns import GAP, Column, cut, lay_out
from persrv.present.drawing import Draw, drawing
from persrv.records import Hit

_TILE, _SMALL_TILE, _GUTTER = 18, 11, 2
_PIXELS = 256
_GROUND = "#dfe3ea"
_NARROWEST_USER = 24
"""Cells below which a user's column says too little; further users then stand underneath."""


def print_answer(answer: Answer, console: Console, *, images: bool | None = None, explain: bool = False) -> None:
    """Print an answer: remarks, then the hits as a grid of thumbnails or as a table.

    Titles are shown as they are: markup in them means nothing, control characters become spaces, and what is too wide
    is cut. A picture that is missing or broken leaves an empty square.

    Args:
        answer: What to show.
        console: Where.
        images: ``True`` asks for thumbnails, ``False`` for the table, ``None`` leaves it to the terminal. Pipes, dumb
            terminals and ``NO_COLOR`` always get the table.
        explain: Also say for each hit where its score came from.
    """
    _print_remarks(answer, console)
    if not answer.hits:
        return
    draw = drawing(console, images)
    if draw is None:
        _print_table(answer, console, explain)
    else:
        tiles = [_tile(hit, answer.reason, draw, explain) for hit in answer]
        _print_rows(tiles, console, max(1, (console.width + _GUTTER) // (_TILE + _GUTTER)), _TILE)
    if answer.more:
        console.print(Text("… and more", "dim"))


def print_side_by_side(answers: Sequence[tuple[str, Answer]], console: Console, *, images: bool | None = None) -> None:
    """Print several people's answers next to each other, each under its label; as many as the width holds.

    Args:
        answers: Label and answer, in the order of the columns.
        console: Where.
        images: As for :func:`print_answer`.
    """
    draw = drawing(console, images)
    abreast = max(1, min(len(answers), (console.width + _GUTTER) // (_NARROWEST_USER + _GUTTER)))
    width = max(1, (console.width + _GUTTER) // abreast - _GUTTER)
    panels = [_panel(label, answer, draw, width) for label, answer in answers]
    _print_rows(panels, console, abreast, width)


def print_picture(path: Path, console: Console, *, images: bool | None = None) -> None:
    """Print one sticker's picture where the terminal can draw; elsewhere nothing.

    Args:
        path: The picture; an empty square stands for a missing or broken one.
        console: Where.
        images: As for :func:`print_answer`.
    """
    draw = drawing(console, images)
    if draw is not None:
        console.print(_still(path, draw, _TILE))


def _print_remarks(answer: Answer, console: Console) -> None:
    for line in words.remarks(answer):
        console.print(Text(line, "yellow"))


def _print_table(answer: Answer, console: Console, explain: bool) -> None:
    lines = lay_out(
        [
            Column("#", [str(hit.rank) for hit in answer], "dim", least=1, align="right"),
            Column("title", [words.title(hit) for hit in answer], "bold", least=16),
            Column("emoji", [words.emoji(hit) for hit in answer], widest=5, least=5),
            Column("score", [words.figure(hit.score) for hit in answer], least=4, align="right"),
            Column("id", [words.short_id(hit) for hit in answer], "cyan"),
            Column("pack", [words.origin(hit) for hit in answer], least=10),
            Column("file", [words.clean(hit.path.name) if hit.path else "" for hit in answer], "dim", least=10),
        ],
        console.width,
    )
    console.print(lines[0])
    indent = len(str(answer.hits[-1].rank)) + len(GAP)
    for hit, line in zip(answer, lines[1:], strict=True):
        console.print(line)
        reasons = "; ".join(words.why(hit, answer.reason)) if explain else ""
        if reasons:
            console.print(Padding(Text(reasons, "green"), (0, 0, 0, min(indent, console.width // 4)), expand=False))


def _tile(hit: Hit, reason: Reason, draw: Draw, explain: bool) -> RenderableType:
    lines = [
        Text(cut(f"{hit.rank}. {words.title(hit)}", _TILE), "bold"),
        Text(cut(words.origin(hit), _TILE)),
        Text.assemble((words.short_id(hit), "cyan"), GAP, words.figure(hit.score)),
    ]
    if explain:
        lines.extend(Text(cut(part, _TILE), "green") for part in words.why(hit, reason))
    return Group(_still(hit.path, draw, _TILE - _GUTTER), *lines, Text())


def _panel(label: str, answer: Answer, draw: Draw | None, width: int) -> RenderableType:
    head = [Text(cut(words.clean(label) or "—", width), "bold")]
    head.extend(Text(line, "yellow") for line in words.remarks(answer))
    if draw is None:
        return Group(*head, *(Text(_entry(hit, width), no_wrap=True) for hit in answer), Text())
    tile = min(_SMALL_TILE, width)
    tiles = [
        Group(_still(hit.path, draw, max(1, tile - 1)), Text(cut(f"{hit.rank}. {words.title(hit)}", tile)), Text())
        for hit in answer
    ]
    per_row = max(1, (width + _GUTTER) // (tile + _GUTTER))
    return Group(*head, *_rows(tiles, per_row, tile))


def _entry(hit: Hit, width: int) -> str:
    heading = f"{hit.rank}. {' '.join(part for part in (words.emoji(hit), words.title(hit)) if part)}"
    origin = words.origin(hit)
    if not origin:
        return cut(heading, width)
    # People compare whose drawing it is, so a long title leaves room for that.
    tail = f" — {cut(origin, max(1, width * 2 // 5))}"
    return cut(cut(heading, max(1, width - cell_len(tail))) + tail, width)


def _still(path: Path | None, draw: Draw, cells: int) -> RenderableType:
    # Imported here: most terminals and every pipe get the table.
    from persrv.present.thumbnail import decoded, on_ground, thumbnail

    picture = decoded(path)
    still = thumbnail(picture, _PIXELS * 7 // 8) if picture else None
    return draw(on_ground(still, _PIXELS, _GROUND), cells)


def _print_rows(blocks: Sequence[RenderableType], console: Console, abreast: int, width: int) -> None:
    # One row at a time: sixels are drawn by moving the cursor up, which must not leave the screen.
    for row in _rows(blocks, abreast, width):
        console.print(row)


def _rows(blocks: Sequence[RenderableType], abreast: int, width: int) -> Iterator[Table]:
    for start in range(0, len(blocks), abreast):
        row = blocks[start : start + abreast]
        grid = Table.grid(padding=(0, _GUTTER, 0, 0))
        for _ in row:
            grid.add_column(width=width)
        grid.add_row(*row)
        yield grid
