"""Searching made-up stickers in the embedded index.

Each sticker has 8 to 30 words that follow Zipf's law, a vector of the shipped encoder's length, and a utility; the user
has five styles. A query is one to three words of some sticker. Both sides begin with the query's tokens.

* **BM25, best 100 ids** against bm25s.
* **personal request**: the best 20 of the formula with five styles, as ``persrv.online.ranker`` finds and proves them;
  against bm25s with a re-ranking of its best 500 in NumPy by the same formula. That rival is the bar for raw speed: it
  holds everything in memory, gives ids only, and can neither filter, nor change, nor be stored or shared.
* **without a user**: the same request without styles, to show what the styles cost.
* **qdrant-client's local mode** answers the very same request, on at most 5,000 stickers, where it is already slow.

``--size`` is the number of stickers. Every query's answer is compared with NumPy's over all stickers before anything is
timed: the scores, and how many of the first 20 places are the formula's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.agreement import check_best
from benchmarks.indexed import BETA, points, published, regions_of, schema_of
from benchmarks.measure import Row, latencies, percentile_rows
from benchmarks.options import Options
from benchmarks.rivals import BM25S, InMemory, LocalClient
from benchmarks.synthetic import Stickers, stickers
from persrv.index.engine import Collection
from persrv.index.language import Nearest, Request, ScoredPoint
from persrv.index.schema import IMAGE, TEXT
from persrv.online.candidate_source import text_source
from persrv.online.page import SLACK, Page, Ranked, ordered
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall
from persrv.online.request import NO_TASTE, Taste, Weights, personal_request
from persrv.recipe import Ranking, Text
from persrv.text.bm25f import SparseVector

SIZE, TURNS, QUERIES = 20_000, 5, 200
LOCAL_SIZE, LOCAL_TURNS, LOCAL_QUERIES = 5_000, 3, 15
TOP = 100
PAGE = Page(0, 20)
RANKING = Ranking()

Query = tuple[str, ...]


def run(options: Options) -> list[Row]:
    """Measure searches on a collection of ``options.size`` stickers and on a small one.

    Raises:
        PersrvError: The answers disagree.
    """
    size = options.size or SIZE
    return [
        *_against_memory(size, options.repetitions or TURNS),
        *_against_local_client(min(size, LOCAL_SIZE), options.repetitions or LOCAL_TURNS),
    ]


def request(words: SparseVector, taste: Taste) -> Request:
    """Return the online stage's request, as a retriever makes it."""
    weights = Weights(RANKING.beta, RANKING.gamma, BETA, IMAGE)
    return personal_request(Recall((text_source(words),)), taste, weights, RANKING.pool)


def _best(collection: Collection, held: Stickers, taste: Taste) -> Callable[[Query], Ranked]:
    ranker = Ranker(collection, RANKING)
    return lambda query: ranker.rank(Recall((text_source(held.words(query)),)), taste, PAGE)


def _ids(collection: Collection, held: Stickers) -> Callable[[Query], object]:
    def search(query: Query) -> object:
        return collection.query(Request(Nearest(held.words(query), TEXT), limit=TOP))

    return search


def _scored(ranked: Ranked) -> list[tuple[str, float]]:
    return list(zip(ranked.ids, ranked.scores.tolist(), strict=True))[: PAGE.end]


def _against_memory(size: int, turns: int) -> list[Row]:
    held = stickers(size)
    queries = held.queries(QUERIES)
    memory = InMemory(held, Text(delta=0.0), RANKING.beta, RANKING.gamma)
    regions = regions_of(held)
    with published(points(held, Text(delta=0.0), regions), size, regions) as collection:
        personal = _best(collection, held, held.taste)
        note = _checked(held, queries, personal, memory)
        ours, theirs, mine, other, stranger = latencies(
            turns,
            queries,
            _ids(collection, held),
            lambda query: memory.recall(query, TOP),
            personal,
            lambda query: memory.personal(query, RANKING.pool, PAGE.end),
            _best(collection, held, NO_TASTE),
        )
    of = f"of {size:,} stickers"
    return [
        *percentile_rows(f"BM25, best {TOP} ids {of}", ours, BM25S, theirs),
        *percentile_rows(f"personal request, best {PAGE.end} {of}", mine, f"{BM25S} + NumPy", other, note),
        *percentile_rows(f"personal request, best {PAGE.end} {of}", mine, "persrv without a user", stranger),
    ]


def _checked(held: Stickers, queries: Sequence[Query], search: Callable[[Query], Ranked], memory: InMemory) -> str:
    worst, same, places = 0.0, 0, 0
    for query in queries:
        ours = _scored(search(query))
        difference, right = check_best(query, ours, memory.every_score(query))
        worst, same, places = max(worst, difference), same + right, places + len(ours)
    return (
        f"{len(queries)} queries: scores agree with NumPy's over all stickers to {worst:.0e} of their value, and "
        f"{same / places:.2%} of the best {PAGE.end} places with the formula's"
    )


def _against_local_client(size: int, turns: int) -> list[Row]:
    held = stickers(size)
    queries = held.queries(LOCAL_QUERIES)
    content = list(points(held, Text(delta=0.0)))
    with published(content, size) as collection, LocalClient(content, schema_of()) as client:

        def local(query: Query) -> list[ScoredPoint]:
            return client.query(
                replace(request(held.words(query), held.taste), limit=PAGE.end + SLACK, with_payload=True)
            )

        def ranked(query: Query) -> Ranked:
            return ordered(local(query), stored=True)

        note = _checked(held, queries, ranked, InMemory(held, Text(delta=0.0), RANKING.beta, RANKING.gamma))
        ours, theirs = latencies(turns, queries, _best(collection, held, held.taste), local)
    name = f"personal request, best {PAGE.end} of {size:,} stickers"
    return percentile_rows(name, ours, "qdrant-client's local mode", theirs, f"the rival's answers: {note}")
