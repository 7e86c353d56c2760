"""Stickers with the queries that people wrote for them, as StickerQueries (arXiv 2506.01668) publishes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from persrv.catalog import sticker_id_of_key
from persrv.catalog.phrases import fold_query, tidy
from persrv.errors import QueryError, SourceError
from persrv.offline.loading import load
from persrv.recipe import Recipe
from persrv.records import Skipped

LEAST = 3
"""Different queries that a sticker must have for one of them to be left out."""


@dataclass(frozen=True, slots=True)
class LabelledSticker:
    """A sticker and what people would type to find it.

    Attributes:
        id: What an index calls it; ties are broken by it.
        key: What the file calls it.
        queries: Its queries as an index has them, each once whatever its case.
    """

    id: str
    key: str
    queries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file's stickers.

    Attributes:
        stickers: By id.
        warnings: What was left out, and why.
    """

    stickers: tuple[LabelledSticker, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """One query, asked of a collection that has never seen it beside its sticker.

    Attributes:
        sticker: Number of the sticker that it was written for.
        query: What is asked.
        kept: The sticker's other queries; none of them is the same but for case, width or spaces.
    """

    sticker: int
    query: str
    kept: tuple[str, ...]


def read_dataset(recipe: Recipe) -> Dataset:
    """Read a recipe's stickers with its own loader.

    Args:
        recipe: Its loader gives stickers with ``queries``.

    Raises:
        SourceError: The file cannot be read, or no sticker in it has queries.
    """
    loader = load(recipe.stickers[0], recipe)
    stickers, skipped, silent = [], [], 0
    for found in loader.stickers():
        if isinstance(found, Skipped):
            skipped.append(f"{found.key}: {found.reason}")
            continue
        queries = tidy(found.semantics.queries)
        silent += not queries
        stickers.append(LabelledSticker(sticker_id_of_key(loader.name, found.key), found.key, queries))
    if silent == len(stickers):
        raise SourceError(
            f"{loader.source} has no sticker with queries", "give a CSV with the header sticker_id,labeled_queries"
        )
    warnings = [f"{len(skipped)} rows left out, the first: {skipped[0]}"] if skipped else []
    warnings += [f"{silent} stickers without queries are indexed without text"] if silent else []
    return Dataset(tuple(sorted(stickers, key=lambda sticker: sticker.id)), tuple(warnings))


def read_ids(file: Path) -> tuple[str, ...]:
    """Return a file's lines without white space, empty ones and repeats.

    Raises:
        SourceError: The file is missing, is not UTF-8, or names nothing.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file} cannot be read: {error}", "give a text file with one sticker id a line") from error
    ids = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not ids:
        raise SourceError(f"{file} names no sticker", "write one sticker id a line")
    return ids


def chosen_stickers(dataset: Dataset, ids: Sequence[str]) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return the numbers of the stickers that ``ids`` names, and warnings about the others.

    Raises:
        QueryError: None of them is in the data set.
    """
    numbers = {sticker.key: number for number, sticker in enumerate(dataset.stickers)}
    unknown = [key for key in ids if key not in numbers]
    if len(unknown) == len(ids):
        raise QueryError(f"no sticker is called {unknown[0]!r}, nor like the other ids", "give ids of the same file")
    warnings = (f"{len(unknown)} ids are not in the file, the first: {unknown[0]!r}",) if unknown else ()
    return frozenset(numbers[key] for key in ids if key in numbers), warnings


def searches(dataset: Dataset, wanted: frozenset[int] | None = None) -> list[Search]:
    """Return every query that can be left out of its sticker's text, sticker by sticker.

    Args:
        dataset: The stickers.
        wanted: Numbers of those whose queries are wanted; default all.

    Raises:
        QueryError: No sticker among them has :data:`LEAST` different queries.
    """
    found = []
    for number, sticker in enumerate(dataset.stickers):
        folded = [fold_query(query) for query in sticker.queries]
        if (wanted is not None and number not in wanted) or len(set(folded)) < LEAST:
            continue
        spellings = list(zip(sticker.queries, folded, strict=True))
        first: dict[str, str] = {}
        for query, key in spellings:
            first.setdefault(key, query)
        for same, query in first.items():
            found.append(Search(number, query, tuple(other for other, key in spellings if key != same)))
    if not found:
        raise QueryError(f"no sticker has {LEAST} or more different queries", "give a file with more queries a sticker")
    return found
