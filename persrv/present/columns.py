"""Text in columns of terminal cells, where a Chinese character and an emoji take two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.text import Text

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        heading: Its first line.
        cells: One text a row, without control characters.
        style: Rich style of its cells.
        widest: Cells at most.
        least: Cells that it keeps when the line is too long.
        align: Where texts stand.
    """

    heading: str
    cells: Sequence[str]
    style: str = ""
    widest: int = 40
    least: int = 8
    align: Literal["left", "right"] = "left"
    width: int = field(init=False)

    def __post_init__(self) -> None:
        natural = max(cell_len(text) for text in (self.heading, *self.cells))
        object.__setattr__(self, "width", min(natural, self.widest))

    @property
    def least_width(self) -> int:
        """Cells below which it does not shrink."""
        return min(self.width, self.least)

    @property
    def empty(self) -> bool:
        """Whether no row has anything to say here."""
        return not any(self.cells)


def lay_out(columns: Sequence[Column], room: int) -> list[Text]:
    """Return the headings' line and one line a row, none wider than ``room`` cells.

    Empty columns are left out. Where the line is too long, the widest column that may still shrink gives way, one
    cell at a time; where none may, the last column goes.
    """
    shown = [column for column in columns if not column.empty]
    while len(shown) > 1 and _width([column.least_width for column in shown]) > room:
        shown.pop()
    widths = [column.width for column in shown]
    while len(shown) > 1 and _width(widths) > room:
        spare = [width > column.least_width for column, width in zip(shown, widths, strict=True)]
        widths[max(range(len(shown)), key=lambda i: (spare[i], widths[i], -i))] -= 1
    if len(shown) == 1:
        widths = [min(widths[0], room)]
    rows = zip(*(column.cells for column in shown), strict=True)
    lines = [_line([column.heading for column in shown], ["dim"] * len(shown), shown, widths)]
    lines.extend(_line(row, [column.style for column in shown], shown, widths) for row in rows)
    return lines


def cut(text: str, width: int) -> str:
    """Return the text, shortened with an ellipsis where it is wider than ``width`` cells, ``width`` >= 1."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(texts: Sequence[str], styles: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> Text:
    line = Text(no_wrap=True, overflow="crop")
    for i, (text, style, column, width) in enumerate(zip(texts, styles, columns, widths, strict=True)):
        shown = cut(text, width)
        padding = " " * (width - cell_len(shown))
        line.append(GAP if i else "")
        line.append(padding if column.align == "right" else "")
        line.append(shown, style)
        line.append(padding if column.align == "left" else "")
    line.rstrip()
    return line
