"""Searches in a large collection, whole and in parts, beside the bare engine and what one would use in its place.

The collection is that of ``python -m benchmarks.large_collection FOLDER --size N``: made-up stickers with the
statistics of real ones, English, Chinese and emoji, and people who picked some of them; its folder is ``--cache``. A
search is what a person types, in turn by people with one to five styles; all figures are of one run and one machine.

* **BM25, best 100 ids**: through persrv's collection, against the same request to the engine's own class, and against
  bm25s and tantivy over the same tokens. All of them give ids and scores.
* **page of 20**: ``Retriever.search`` from the typed text to hits with payload, paths and reasons. Its rival is one
  call of the engine: the request by which it answers such a page where there are no columns, payload and style vectors
  included. *Anybody* has no user.
* **the published design**: a text engine (tantivy, where it is installed) recalls 500, then Python goes through the
  stickers and each one's styles.
* **an empty query**, ``similar``, **a query's counts**, **opening** and **memory** by themselves.
* **callers**: searches of one and two threads, with the engine in their process and in one of its own.

``--size`` is the number of stickers, ``--turns`` how often the searches are gone through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from benchmarks.brute_force import BruteForce
from benchmarks.large_collection import LargeCollection
from benchmarks.large_opening import opened_and_asked
from benchmarks.large_rivals import HAS_TANTIVY, PublishedDesign, Tantivy, TextEngine, WordsInMemory
from benchmarks.measure import Floats, Row, compare, latencies, percentile_rows, take_turns, together
from benchmarks.options import Options
from benchmarks.processes import MEMORY_KNOWN, in_fresh_process, resident_mib
from benchmarks.rivals import BM25S
from persrv.index.columns.store import ColumnCollection
from persrv.index.edge_translator import to_edge_requests
from persrv.index.embedded_collection import EmbeddedCollection
from persrv.index.language import Nearest, Request
from persrv.index.schema import TEXT
from persrv.online.open_version import OpenVersion
from persrv.online.request import Taste, Weights, personal_request
from persrv.online.retriever import Retriever
from persrv.text.bm25f import SparseVector, query_vector

SIZE, TURNS, SEARCHES, FEW = 2_000, 3, 200, 40
TOP, PAGE, POOL = 100, 20, 500
ENGINE = "the bare engine, the same request"


@dataclass(frozen=True, slots=True)
class Typed:
    """One search.

    Attributes:
        query: What was typed.
        user: By whom.
        words: Its sparse vector.
        taste: The user's styles.
    """

    query: str
    user: str
    words: SparseVector
    taste: Taste


def run(options: Options) -> list[Row]:
    """Measure one collection, which is built where it is not there yet."""
    size, turns = options.size or SIZE, options.repetitions or TURNS
    with TemporaryDirectory() as made:
        large = LargeCollection(options.cache or Path(made), size)
        large.build()
        with Retriever.open(large.recipe, home=large.home) as retriever:
            searches = searches_of(retriever, large)
            rows = _ids(retriever, large, searches, turns)
            rows += _pages(retriever, large, searches, turns)
        rows += _callers(large, searches, turns, "here", "the engine in the program's process")
        rows += _callers(large, searches, turns, "process", "the engine in a process of its own")
        rows += _opening(large, searches[0], turns)
    return rows


def searches_of(retriever: Retriever, large: LargeCollection, count: int = SEARCHES) -> list[Typed]:
    """Return searches that find something, by people with one, two, ... styles in turn."""
    version = retriever._newest.version
    by_styles: dict[int, list[str]] = {}
    for number in range(large.corpus.people()):
        user = large.corpus.user(number)
        styles = len(version.profiles.taste(user))
        if styles and len(by_styles.setdefault(styles, [])) < FEW:
            by_styles[styles].append(user)
        if sum(map(len, by_styles.values())) >= 5 * FEW or number > 20 * FEW:
            break
    kinds = [by_styles[styles] for styles in sorted(by_styles)]
    found: list[Typed] = []
    for query in large.corpus.queries(2 * count):
        parsed = version.parser.parse(query)
        if not parsed.token_weights or len(found) == count:
            continue
        people = kinds[len(found) % len(kinds)]
        user = people[len(found) // len(kinds) % len(people)]
        found.append(Typed(query, user, query_vector(parsed.token_weights), version.profiles.taste(user)))
    return found


def _ids(retriever: Retriever, large: LargeCollection, searches: Sequence[Typed], turns: int) -> list[Row]:
    stickers = retriever._newest.version.stickers
    engine = _engine(stickers)
    held = BruteForce(large.brute_force, large.recipe.ranking)
    memory = WordsInMemory(held, large.recipe.ranking)
    rust: TextEngine = Tantivy(large.home / "tantivy", held) if HAS_TANTIVY else memory
    published = PublishedDesign(rust, held, large.recipe.ranking)
    requests = {id(one): Request(Nearest(one.words, TEXT), limit=TOP) for one in searches}
    bare = {number: to_edge_requests([request])[0] for number, request in requests.items()}
    personal = partial(_search, retriever, personal=True)
    ours, theirs, in_memory, in_rust = latencies(
        turns,
        searches,
        lambda one: stickers.query(requests[id(one)]),
        lambda one: [(str(point.id), point.score) for point in engine.query(bare[id(one)])],
        lambda one: memory.best(one.words.indices, TOP),
        lambda one: rust.best(one.words.indices, TOP),
    )
    page, reranked, loop = latencies(
        turns,
        searches[:FEW],
        personal,
        lambda one: memory.personal(one.words.indices, one.taste, POOL, PAGE),
        lambda one: published.personal(one.words.indices, one.taste, POOL, PAGE),
    )
    name, whole = f"BM25, best {TOP} ids", f"personal page of {PAGE}"
    return [
        *percentile_rows(name, ours, ENGINE, theirs, percents=(50,)),
        *percentile_rows(name, ours, BM25S, in_memory, percents=(50,)),
        *(percentile_rows(name, ours, "tantivy", in_rust, percents=(50,)) if HAS_TANTIVY else ()),
        *percentile_rows(whole, page, f"{BM25S} + NumPy, ids alone", reranked, percents=(50,)),
        _mean(f"{whole}, mean", page, "the published design, ids alone", loop),
    ]


def _pages(retriever: Retriever, large: LargeCollection, searches: Sequence[Typed], turns: int) -> list[Row]:
    version = retriever._newest.version
    engine = _engine(version.stickers)
    requests = {id(one): _whole_request(version, large, one, personal=True) for one in searches}
    plain = {id(one): _whole_request(version, large, one, personal=False) for one in searches}
    personal, bare, anybody, bare_anybody = latencies(
        turns,
        searches,
        partial(_search, retriever, personal=True),
        lambda one: engine.query(requests[id(one)]),
        partial(_search, retriever, personal=False),
        lambda one: engine.query(plain[id(one)]),
    )
    few = searches[:FEW]
    pages = {one.query: [hit.sticker_id for hit in retriever.search(one.query)] for one in few}
    words = version.parser.lexicon._counts
    empty, text, similar, counts = latencies(
        turns,
        few,
        lambda one: retriever.search("", one.user, limit=PAGE),
        partial(_search, retriever, personal=True),
        lambda one: retriever.similar(pages[one.query][0], limit=PAGE),
        lambda one: (words.documents, words.frequencies(one.query.split())),
    )
    return [
        *percentile_rows(f"personal page of {PAGE}", personal, ENGINE, bare, percents=(50, 99)),
        *percentile_rows(f"page of {PAGE} for anybody", anybody, ENGINE, bare_anybody, percents=(50, 99)),
        *percentile_rows("an empty query, personal", empty, "a text query", text, percents=(50,)),
        *percentile_rows("similar", similar, "a text query", text, percents=(50,)),
        *percentile_rows("a query's counts", counts, "a text query", text, percents=(50,)),
    ]


def _callers(
    large: LargeCollection, searches: Sequence[Typed], turns: int, engine: Literal["here", "process"], where: str
) -> list[Row]:
    with Retriever.open(large.recipe, home=large.home, engine=engine) as retriever:
        search = partial(_search, retriever, personal=True)
        for one in searches:
            search(one)
        one_caller, two_callers = take_turns(
            turns, partial(together, searches, search, 1), partial(together, searches, search, 2)
        )
    rates = [1e3 / float(np.median(each)) for each in (one_caller, two_callers)]
    note = f"{where}: {rates[0]:.0f} searches a second of one caller, {rates[1]:.0f} of two"
    return [compare(f"two callers, {where}", two_callers, "one caller's page", one_caller, "ms", note)]


def _opening(large: LargeCollection, one: Typed, turns: int) -> list[Row]:
    found = [
        in_fresh_process(opened_and_asked, large.home.parent, large.corpus.size, one.query, one.user)
        for _ in range(turns)
    ]
    opened, first, later, resident = (np.array(part) for part in zip(*found, strict=True))
    rows = [compare("opening", 1e3 * opened, "a later search", 1e3 * later, "ms")]
    rows.append(compare("the first search", 1e3 * first, "a later search", 1e3 * later, "ms"))
    if MEMORY_KNOWN:
        bare = in_fresh_process(resident_mib)
        rows.append(compare("memory after the searches", resident, "a bare interpreter", [bare] * turns, "MiB"))
    return rows


def _search(retriever: Retriever, one: Typed, *, personal: bool) -> object:
    return retriever.search(one.query, one.user if personal else None, limit=PAGE)


def _whole_request(version: OpenVersion, large: LargeCollection, one: Typed, *, personal: bool) -> object:
    """Return the page's own request in the engine's classes, with payload, and vectors where they explain something."""
    ranking = large.recipe.ranking
    parsed = version.parser.parse(one.query, one.user if personal else None)
    recall = version.parser.recall(parsed, None, ranking)
    if recall is None:
        raise ValueError(f"{one.query!r} has no word that some sticker has")
    using = version.manifest.taste_vector
    weights = Weights(ranking.beta, ranking.gamma, version.manifest.beta, using)
    taste = one.taste if personal else Taste(np.zeros((0, 1)), np.zeros(0))
    request = personal_request(recall, taste, weights, ranking.pool)
    vectors = (using,) if personal else ()
    return to_edge_requests([replace(request, limit=PAGE, with_payload=True, with_vectors=vectors)])[0]


def _engine(stickers: object) -> Any:
    points = stickers.points if isinstance(stickers, ColumnCollection) else stickers
    if not isinstance(points, EmbeddedCollection):
        raise TypeError("only an embedded collection has the engine in this process")
    return points._shard


def _mean(name: str, ours: Floats, rival: str, theirs: Floats) -> Row:
    return compare(name, 1e3 * ours.mean(axis=1), rival, 1e3 * theirs.mean(axis=1), "ms")
