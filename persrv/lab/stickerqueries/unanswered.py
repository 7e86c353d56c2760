"""Queries whose answers were taken out of the collection: what does it answer then, and does it say so?

A query's answers are the stickers that somebody wrote it for, and those of which one phrase has all of its words. What
is left has a part of it at best. Of that, good is what carries another phrase that people wrote for a sticker that
was taken out: for 加班 (working overtime) a sticker that is called 累 (tired), if somebody wrote both for one picture.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from persrv.catalog.phrases import fold_query
from persrv.errors import SourceError
from persrv.indexing.progress import Progress
from persrv.lab.stickerqueries.dataset import Dataset, Search
from persrv.lab.stickerqueries.evaluate import held_out_meanings
from persrv.lab.stickerqueries.systems import Scores, product
from persrv.online.parsed_query import WEAK
from persrv.online.search_service import JUDGED
from persrv.ranking.formula import order
from persrv.recipe import Recipe
from persrv.text import tokenize

FIRST = 3
"""Hits that are judged."""

_COLUMNS = ("query", "sticker_id", "taken_out")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A query without a good answer.

    Attributes:
        search: The query.
        out: Numbers of the stickers that are taken out, the one that it was written for among them.
        good: Numbers of the others that are good even so, at least one.
    """

    search: Search
    out: frozenset[int]
    good: frozenset[int]


@dataclass(frozen=True, slots=True)
class UnansweredReport:
    """What was found for queries without a good answer.

    Attributes:
        queries: How many were asked.
        claimed: Share of them that were answered as if the words had matched.
        precision: Good ones among the first three hits; a place that stays empty is not good.
        presented: Good ones among those of the first three hits that are presented as an answer: by words that
            match, or by meaning. 1 where none is.
    """

    queries: int
    claimed: float
    precision: float
    presented: float


def unanswered(dataset: Dataset, wanted: Sequence[Search]) -> list[Unanswered]:
    """Return the searches for which something good is left when their answers are taken out.

    Args:
        dataset: The stickers.
        wanted: Searches of it.
    """
    written = [frozenset(map(fold_query, sticker.queries)) for sticker in dataset.stickers]
    words = [[frozenset(tokenize(query)) for query in sticker.queries] for sticker in dataset.stickers]
    owners: dict[str, set[int]] = {}
    for number, phrases in enumerate(written):
        for phrase in phrases:
            owners.setdefault(phrase, set()).add(number)
    found = []
    for search in wanted:
        typed = frozenset(tokenize(search.query))
        out = {number for number, phrases in enumerate(words) if any(typed <= phrase for phrase in phrases)}
        out |= {search.sticker}
        others = written[search.sticker] - {fold_query(search.query)}
        good = set().union(*(owners[phrase] for phrase in others)) - out
        if typed and good:
            found.append(Unanswered(search, frozenset(out), frozenset(good)))
    return found


def evaluate_unanswered(
    dataset: Dataset, wanted: Sequence[Unanswered], recipe: Recipe, *, words: bool = False, progress: Progress
) -> UnansweredReport:
    """Ask queries without a good answer.

    Args:
        dataset: The stickers.
        wanted: The queries, at least 1.
        recipe: The collection's settings.
        words: Whether words answer alone.
        progress: Shows how far it is.

    Raises:
        MissingExtraError: The text encoder's package is not installed.
    """
    searches = [one.search for one in wanted]
    meanings = None if words else held_out_meanings(dataset, recipe, searches, progress)
    ids = [sticker.id for sticker in dataset.stickers]
    with progress.stage("searching", len(wanted)) as advance:
        scores = product(dataset, searches, recipe, meanings)
        return judge_unanswered(wanted, _counted(scores, advance), ids)


def _counted(scores: Iterable[Scores], advance: Callable[[int], None]) -> Iterator[Scores]:
    for given in scores:
        advance(1)
        yield given


def judge_unanswered(wanted: Sequence[Unanswered], scores: Iterable[Scores], ids: Sequence[str]) -> UnansweredReport:
    """Return how what is left answers.

    Args:
        wanted: The queries, at least 1.
        scores: Of each, of all stickers.
        ids: The stickers' ids; ties are broken by them.
    """
    claimed = good = presented = presented_good = 0
    for query, given in zip(wanted, scores, strict=True):
        out = list(query.out)
        words, total = given.words.copy(), given.total.copy()
        words[out] = total[out] = 0.0
        first = [int(at) for at in order(total, ids)[: max(FIRST, JUDGED)] if total[at] > 0]
        least = WEAK * given.most
        matched = any(words[at] >= least for at in first[:JUDGED])
        right = sum(at in query.good for at in first[:FIRST])
        claimed += matched
        good += right
        if matched or (first and total[first[0]] >= least):
            presented += len(first[:FIRST])
            presented_good += right
    number = len(wanted)
    return UnansweredReport(
        number, claimed / number, good / (FIRST * number), presented_good / presented if presented else 1.0
    )


def write_unanswered(wanted: Sequence[Unanswered], dataset: Dataset, file: Path, most: int) -> int:
    """Write an even sample of the queries, with the keys of the stickers that are taken out for each.

    Returns:
        How many were written.
    """
    kept = [wanted[len(wanted) * at // most] for at in range(most)] if len(wanted) > most else list(wanted)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for query in kept:
            out = sorted(dataset.stickers[number].key for number in query.out)
            writer.writerow((query.search.query, dataset.stickers[query.search.sticker].key, " ".join(out)))
    return len(kept)


def read_unanswered(file: Path, dataset: Dataset, wanted: Sequence[Unanswered]) -> list[Unanswered]:
    """Return those of the queries that a file names, with the stickers that it takes out.

    Raises:
        SourceError: The file cannot be read, or names a query that the data set does not have.
    """
    numbers = {sticker.key: number for number, sticker in enumerate(dataset.stickers)}
    known: Mapping[tuple[str, int], Unanswered] = {(one.search.query, one.search.sticker): one for one in wanted}
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            rows = [(row[_COLUMNS[0]], row[_COLUMNS[1]], row[_COLUMNS[2]].split()) for row in csv.DictReader(stream)]
        found = []
        for query, key, out in rows:
            one = known[query, numbers[key]]
            taken = frozenset(numbers[each] for each in out)
            found.append(Unanswered(one.search, taken, one.good - taken))
    except (OSError, UnicodeDecodeError, KeyError, AttributeError) as error:
        raise SourceError(f"{file} is no list of queries of this data set: {error!r}", "write it again") from error
    if not found:
        raise SourceError(f"{file} has no queries", "write it again")
    return found
