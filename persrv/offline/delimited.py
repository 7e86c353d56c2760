"""Rows of cells in text, as spreadsheets write them, in which a broken row costs no other row."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between cells; spreadsheets take the second where the first is the decimal point."""

_MOST_REPAIRS = 200
"""Broken rows after which the lines that they have swallowed are not read again: a bound on the work."""


@dataclass(frozen=True, slots=True)
class DelimitedRow:
    """One row.

    Attributes:
        line: Number of its first line, from 1.
        cells: Its cells; empty where it cannot be read.
        problem: Why not, ``""`` where it can.
        column: Index of the cell at fault, -1 where none is known.
    """

    line: int
    cells: list[str]
    problem: str = ""
    column: int = -1


def read_delimited(lines: Iterator[str], delimiter: str, first: int = 1) -> Iterator[DelimitedRow]:
    """Yield the rows of a text, empty ones included.

    Quoting is strict. A row that cannot be read, because a quote in it is never closed or a cell has no end, costs its
    first line; those after it are read anew.

    Args:
        lines: With their line ends.
        delimiter: Stands between cells.
        first: Number of the first line.
    """
    source = _Lines(lines, first)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    repairs = 0
    while True:
        source.begin_row()
        line = source.number
        try:
            yield DelimitedRow(line, next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            repairs += 1
            swallowed = len(source.taken) - 1
            problem, column = _problem(str(error), "".join(source.taken), delimiter)
            if repairs <= _MOST_REPAIRS:
                source.give_back()
            elif swallowed:
                problem += f"; the {swallowed} lines after it are lost with it"
            yield DelimitedRow(line, [], problem, column)


def _problem(error: str, text: str, delimiter: str) -> tuple[str, int]:
    limit = csv.field_size_limit()
    if "field limit" in error:
        quoted, start, column = False, 0, 0
        for place, character in enumerate(text):
            if character == '"':
                quoted = not quoted
            elif character == delimiter and not quoted:
                if place - start > limit:
                    break
                start, column = place + 1, column + 1
        return f"it has more than {limit} characters, or its quote is never closed", column
    if "unexpected end" in error:
        return "a quote in it is never closed", -1
    return f"it is no row: {error}", -1


class _Lines:
    """Lines, of which those of the last row can be read again."""

    def __init__(self, lines: Iterator[str], first: int) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.number = first
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def begin_row(self) -> None:
        """Count the last row's lines."""
        self.number += len(self.taken)
        self.taken = []

    def give_back(self) -> None:
        """Have all but the first line of this row read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
