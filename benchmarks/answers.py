"""A whole search: from what was typed to hits with files and reasons.

A collection is built from an emoji set's pictures, by default the set that ships with persrv. Six simulated people ask
for names and tags of its stickers, in English and Chinese; ``Retriever.search`` gives the best 20. Beside it stand

* **the bare request**: the same tokens and the same user's styles as one request to the same index. The difference is
  what everything else costs: spelling, the user's profile, files from the catalog, reasons for each score;
* **qdrant-client's local mode** with that request on the same points;
* **opening**: ``Retriever.open`` and a first search, against a search in an open one.

``--size`` is the number of stickers, ``--set`` another emoji set. Scores are compared before anything is timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from benchmarks.agreement import check_scores
from benchmarks.emoji_part import Part, emoji_part
from benchmarks.measure import Row, compare, latencies, percentile_rows, seconds, take_turns
from benchmarks.options import Options
from benchmarks.rivals import LocalClient
from persrv.catalog import Catalog
from persrv.errors import QueryError
from persrv.index.engine import Collection
from persrv.index.language import Nearest, Point, Request, ScoredPoint
from persrv.index.schema import TEXT
from persrv.offline import build_collection
from persrv.online.answer import Answer
from persrv.online.page import SLACK, Page, Ranked, best_first, ordered
from persrv.online.query_parser import QueryParser
from persrv.online.request import Taste, Weights, personal_request
from persrv.online.retriever import Retriever
from persrv.text import query_vector
from persrv.text.bm25f import SparseVector
from persrv.workspace import Workspace

TURNS, QUERIES = 5, 120
FEW_TURNS, FEW_QUERIES = 3, 12
PAGE = Page(0, 20)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks."""

    user: str
    query: str


@dataclass(frozen=True, slots=True)
class Built:
    """An open collection and what asks it."""

    retriever: Retriever
    stickers: Collection
    parser: QueryParser

    def words(self, question: Question) -> SparseVector:
        """Return the vector of what somebody asks."""
        return query_vector(self.parser.parse(question.query).token_weights)

    def search(self, question: Question) -> Answer:
        """Answer as a user of persrv gets it."""
        return self.retriever.search(question.query, question.user, limit=PAGE.limit)

    def request(self, question: Question) -> Request:
        """Return the one request that the search comes down to."""
        profile, weights = self.retriever.profile(question.user), self.retriever.recipe.ranking
        manifest = self.stickers.manifest
        recall = self.parser.recall(self.parser.parse(question.query, question.user), None, weights)
        if recall is None:
            raise QueryError(f"nothing answers {question.query!r}", "ask for a name or tag of the set")
        return personal_request(
            recall,
            Taste(profile.centroids, profile.weights),
            Weights(weights.beta, weights.gamma, manifest.beta, manifest.taste_vector),
            weights.pool,
        )

    def whole_recall(self, question: Question) -> bool:
        """Return whether the pool holds every sticker that matches, so that two engines must give the same answer."""
        pool = self.retriever.recipe.ranking.pool
        return len(self.stickers.query(Request(Nearest(self.words(question), TEXT), limit=pool + 1))) <= pool


def run(options: Options) -> list[Row]:
    """Build the collection, check the answers and measure them.

    Raises:
        PersrvError: The set cannot be used, or answers disagree.
    """
    with emoji_part(options.pictures_from, options.size) as part:
        build_collection(part.recipe, home=part.folder)
        workspace = Workspace.of(part.recipe, part.folder)
        with workspace.catalog() as catalog, Retriever.open(part.recipe, home=part.folder) as retriever:
            version = retriever._newest.version
            built = Built(retriever, version.stickers, version.parser)
            questions = _questions(part, catalog)
            rows = _against_bare(built, questions, options.repetitions or TURNS)
            few = list(islice(filter(built.whole_recall, questions), FEW_QUERIES))
            rows += _against_local_client(built, few, options.repetitions or FEW_TURNS)
        return [*rows, _opening(part, questions[0], options.repetitions or FEW_TURNS)]


def _questions(part: Part, catalog: Catalog) -> list[Question]:
    """Return searches for names and tags; people take turns."""
    people = sorted({interaction.user for interaction in catalog.interactions()})
    phrases = sorted({phrase for drawing in part.drawings for phrase in (*drawing["name"], *drawing["tags"])})
    chosen = np.random.default_rng(4).integers(0, len(phrases), QUERIES).tolist()
    return [Question(people[number % len(people)], phrases[which]) for number, which in enumerate(chosen)]


def _against_bare(built: Built, questions: Sequence[Question], turns: int) -> list[Row]:
    requests = [built.request(question) for question in questions]

    def bare(number: int) -> Ranked:
        return best_first(built.stickers, requests[number], PAGE, stored=True)

    worst = max(
        check_scores(question.query, _scores(built.search(question)), bare(number).scores[: PAGE.end].tolist())
        for number, question in enumerate(questions)
    )
    ours, theirs = latencies(turns, range(len(questions)), lambda number: built.search(questions[number]), bare)
    name = f"Retriever.search, best {PAGE.end} of {built.stickers.manifest.stickers:,} stickers"
    return percentile_rows(name, ours, "the bare request", theirs, f"scores agree to {worst:.0e} of their value")


def _against_local_client(built: Built, questions: Sequence[Question], turns: int) -> list[Row]:
    if not questions:
        return []
    points = [
        Point(record.id, record.vectors, record.payload)
        for record in built.stickers.scroll(with_vectors=built.stickers.schema.vectors)
    ]
    with LocalClient(points, built.stickers.schema) as client:
        requests = [
            replace(built.request(question), limit=PAGE.end + SLACK, with_payload=True) for question in questions
        ]

        def local(number: int) -> list[ScoredPoint]:
            return client.query(requests[number])

        worst = max(
            check_scores(question.query, _scores(built.search(question)), _best(local(number)))
            for number, question in enumerate(questions)
        )
        ours, theirs = latencies(turns, range(len(questions)), lambda number: built.search(questions[number]), local)
    name = f"Retriever.search, best {PAGE.end} of {len(points):,} stickers"
    note = f"scores agree to {worst:.0e} of their value, for {len(questions)} queries that match at most the pool"
    return percentile_rows(name, ours, "qdrant-client's local mode", theirs, note)


def _opening(part: Part, question: Question, turns: int) -> Row:
    def first() -> float:
        with Retriever.open(part.recipe, home=part.folder) as opened:
            opened.search(question.query, question.user)
            again.append(seconds(lambda: opened.search(question.query, question.user)))
        return 0.0

    again: list[float] = []
    (whole,) = take_turns(turns, lambda: seconds(first))
    later = np.array(again)
    return compare("open, and a first search", 1e3 * (np.array(whole) - later), "a later search", 1e3 * later, "ms")


def _scores(answer: Answer) -> list[float]:
    return [hit.score for hit in answer]


def _best(points: Sequence[ScoredPoint]) -> list[float]:
    best: list[float] = ordered(points, stored=True).scores[: PAGE.end].tolist()
    return best
