"""The rows of a table file: CSV, TSV, JSONL (one object a line) or Parquet.

What separates the cells of CSV and TSV, the header tells: a comma, a semicolon, a tab or a bar. CSV, TSV and JSONL are
read as a stream. What is wrong with one row is told in that row's place, so that a batch can go on; what is wrong with
the whole table is raised.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from persrv.errors import MissingExtraError, RecipeError, SourceError
from persrv.offline.delimited import DELIMITERS, read_delimited

_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",  # before UTF-16's, which it begins like
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?\r?\n?", re.IGNORECASE)
"""The line by which spreadsheets say what separates cells."""

_GARBLED = "\ufffd"
"""What bytes that are no text in the table's encoding are read as."""

Cells = Mapping[str, object]
"""Column to content: a ``str`` in CSV and TSV, anything in JSONL and Parquet."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        place: Where it stands, for people: ``"picks.csv line 7"``.
        cells: Column meaning to content; empty where the row cannot be used.
        problem: Why the row cannot be used, ``""`` where it can.
    """

    place: str
    cells: Cells
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a table's columns mean.

    Attributes:
        meaning_of: Column to meaning. Where two columns of a table mean the same, the first one here counts.
        own: The columns that the recipe names; the table must have them.
        required: Meanings that the table must have.
    """

    meaning_of: Mapping[str, str]
    own: frozenset[str]
    required: tuple[str, ...]

    @classmethod
    def parse(cls, option: str, known: Mapping[str, str], required: tuple[str, ...]) -> Columns:
        """Read a recipe's option such as ``"docid=key,text=description"``.

        Args:
            option: Pairs of column and meaning, ``""`` for none.
            known: Column to meaning, where the option says nothing; its values are the meanings that exist.
            required: Meanings that the table must have.

        Raises:
            RecipeError: A pair is malformed, or its meaning does not exist.
        """
        own: dict[str, str] = {}
        for pair in filter(str.strip, option.split(",")):
            column, _, meaning = (text.strip() for text in pair.partition("="))
            if not column or meaning not in known.values():
                meanings = ", ".join(dict.fromkeys(known.values()))
                raise RecipeError(
                    f"columns has {pair.strip()!r}", f"write COLUMN=MEANING, a meaning is one of {meanings}"
                )
            own[column] = meaning
        others = {column: meaning for column, meaning in known.items() if column not in own}
        return cls(own | others, frozenset(own), required)

    def check(self, source: Path, found: Sequence[str]) -> None:
        """Refuse a table whose header cannot do.

        Args:
            source: The table.
            found: Its columns.

        Raises:
            SourceError: A column is missing, or stands there twice; it names the columns found.
        """
        columns = ", ".join(found) or "none"
        missing = self.missing(found)
        if missing:
            raise SourceError(f"{source} has no column {missing[0]}, it has {columns}", "correct the option columns")
        if len(set(found)) < len(found):
            raise SourceError(f"{source} has two columns of one name: {columns}", "rename one of them")

    def missing(self, found: Sequence[str]) -> list[str]:
        """Return the meanings and the recipe's columns that a header lacks."""
        meant = {self.meaning_of.get(column) for column in found}
        return [name for name in self.required if name not in meant] + sorted(self.own - set(found))

    def sort(self, cells: Cells) -> dict[str, object]:
        """Return meaning to content; columns that mean nothing are left out."""
        found: dict[str, object] = {}
        for column, meaning in self.meaning_of.items():
            if column in cells:
                found.setdefault(meaning, cells[column])
        return found


def read_rows(source: Path, columns: Columns, encoding: str = "") -> Iterator[Row]:
    """Yield a table's rows in their order, once its columns are known to suffice.

    The columns of JSONL are those of its first object. A cell that holds U+FFFD counts as garbled.

    Args:
        source: A ``.csv``, ``.tsv``, ``.jsonl``, ``.ndjson`` or ``.parquet`` file.
        columns: What its columns mean.
        encoding: Python's name of the text's encoding; default UTF-8, or what a byte order mark says.

    Raises:
        RecipeError: The encoding is unknown.
        SourceError: The table cannot be read, or lacks a column.
        MissingExtraError: It is a Parquet file, and pyarrow is not installed.
    """
    match source.suffix.lower():
        case ".csv":
            yield from _delimited(source, columns, encoding, ",")
        case ".tsv" | ".tab" | ".txt":
            yield from _delimited(source, columns, encoding, "\t")
        case ".jsonl" | ".ndjson":
            yield from _json_lines(source, columns, encoding)
        case ".parquet":
            yield from _parquet(source, columns)
        case suffix:
            raise SourceError(f"{source} ends in {suffix!r}", "give a .csv, .tsv, .jsonl or .parquet file")


def _delimited(source: Path, columns: Columns, encoding: str, usual: str) -> Iterator[Row]:
    lines = _lines(source, encoding)
    before, delimiter = _delimiter(lines, columns, usual)
    header: list[str] = []
    for row in read_delimited(chain(before.lines, lines), delimiter, before.first):
        place = f"{source.name} line {row.line}"
        cells = row.cells
        if row.problem:
            named = f"{header[row.column]}: " if 0 <= row.column < len(header) else ""
            yield Row(place, {}, named + row.problem)
        elif not header:
            header = [cell.strip() for cell in cells]
            columns.check(source, header)
        elif cells and len(cells) != len(header):
            yield Row(place, {}, f"it has {len(cells)} cells, the header has {len(header)}")
        elif any(_GARBLED in cell for cell in cells):
            yield Row(place, {}, "it is not valid text in the table's encoding")
        elif cells:
            yield Row(place, columns.sort(dict(zip(header, cells, strict=True))))
    if not header:
        columns.check(source, header)


class _Beginning(NamedTuple):
    """Lines that were read to see what separates cells, and the number of the first."""

    lines: list[str]
    first: int


def _delimiter(lines: Iterator[str], columns: Columns, usual: str) -> tuple[_Beginning, str]:
    """Return what separates the cells of the header: what its first line says, else what makes it a header."""
    beginning = list(islice(lines, 1))
    if not beginning:
        return _Beginning([], 1), usual
    separator = _SEPARATOR_LINE.fullmatch(beginning[0])
    if separator:
        return _Beginning([], 2), separator[1]
    for delimiter in dict.fromkeys((usual, *DELIMITERS)):
        header = [cell.strip() for cell in next(read_delimited(iter(beginning), delimiter)).cells]
        if header and not columns.missing(header):
            return _Beginning(beginning, 1), delimiter
    return _Beginning(beginning, 1), usual


def _json_lines(source: Path, columns: Columns, encoding: str) -> Iterator[Row]:
    checked = False
    for number, line in enumerate(_lines(source, encoding), start=1):
        place = f"{source.name} line {number}"
        if not line.strip():
            continue
        if _GARBLED in line:
            yield Row(place, {}, "it is not valid text in the table's encoding")
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(place, {}, f"it is no JSON: {error}")
            continue
        if not isinstance(found, dict):
            yield Row(place, {}, "it is no JSON object")
            continue
        if not checked:
            columns.check(source, list(found))
            checked = True
        yield Row(place, columns.sort(found))


def _lines(source: Path, encoding: str) -> Iterator[str]:
    try:
        with source.open("rb") as file:
            start = file.read(4)
        marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8-sig")
        codec = codecs.lookup(encoding or marked)
        with source.open(encoding=codec.name, errors="replace", newline="") as text:
            yield from text
    except LookupError as error:
        raise RecipeError(f"encoding {encoding!r} is unknown", "name one that Python knows, such as gb18030") from error
    except (OSError, UnicodeError) as error:
        raise SourceError(f"{source} cannot be read: {error}", "correct the path or the encoding") from error


def _parquet(source: Path, columns: Columns) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise MissingExtraError(f"reading {source.name}", "parquet") from error
    try:
        with parquet.ParquetFile(source) as table:
            columns.check(source, table.schema_arrow.names)
            number = 0
            for batch in table.iter_batches(batch_size=1024):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(f"{source.name} row {number}", columns.sort(cells))
    except (ArrowException, OSError) as error:
        raise SourceError(f"{source} cannot be read: {error}", "give a Parquet file") from error
