"""Keeps rows of columns by filters and by lists of rows."""

from __future__ import annotations

from collections.abc import Sequence

from persrv.index.columns.columns import Columns
from persrv.index.columns.postings import Rows
from persrv.index.columns.scratch import Scratch
from persrv.index.columns.segment import FACETS, LISTED, facet
from persrv.index.language import Condition, Filter, HasId
from persrv.index.schema import sticker_id_of


def knows(where: Filter | None) -> bool:
    """Return whether columns are enough for a filter."""
    conditions = (*where.must, *where.must_not) if where else ()
    return all(isinstance(each, HasId) or each.key in LISTED for each in conditions)


def kept(rows: Rows, columns: Columns, where: Filter | None, scratch: Scratch) -> Rows:
    """Return the rows that a filter keeps, in their order."""
    if where is None:
        return rows
    for conditions, wanted in ((where.must, True), (where.must_not, False)):
        for condition in conditions:
            inside, outside = split(rows, _meeting(condition, columns), scratch)
            rows = inside if wanted else outside
    return rows


def split(rows: Rows, parts: Sequence[Rows], scratch: Scratch) -> tuple[Rows, Rows]:
    """Return the rows that are in one of the parts, and the others."""
    for part in parts:
        scratch.flags[part] = True
    inside = scratch.flags[rows]
    for part in parts:
        scratch.flags[part] = False
    return rows[inside], rows[~inside]


def _meeting(condition: Condition, columns: Columns) -> list[Rows]:
    """Return the rows that meet a condition, in parts."""
    if isinstance(condition, HasId):
        return [columns.rows_of(map(sticker_id_of, condition.ids))]
    dimensions = [facet(condition.key, value) for value in condition.values]
    return [rows for each in dimensions for rows, _ in columns.postings(FACETS, each)]
