"""A whole search: from what was typed to hits with files and reasons.

A collection is built from an emoji set's pictures, by default the set that ships with persrv. Six simulated people ask
for names and tags of its stickers, in English and Chinese; ``Retriever.search`` gives the best 20. Beside it stand

* **the bare request**: the same tokens and the same user's styles as one request to the same index. The difference is
  what everything else costs: spelling, the user's profile, files from the catalog, reasons for each score;
* **qdrant-client's local mode** with that request on the same points.

``--size`` is the number of stickers, ``--set`` another emoji set. Scores are compared before anything is timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from qdrant_client import models as m

from benchmarks.agreement import check_scores
from benchmarks.emoji_part import Part, emoji_part
from benchmarks.measure import Row, latencies, percentile_rows
from benchmarks.options import Options
from benchmarks.rivals import LocalClient
from persrv.build import build_collection
from persrv.index.engine import Collection, Request
from persrv.index.schema import IMAGE, TEXT
from persrv.online import Taste, personal_request, text_recall
from persrv.page import SLACK, Page, best_first, ordered
from persrv.retriever import Retriever
from persrv.text import query_tokens, query_vector
from persrv.workspace import Workspace

TURNS, QUERIES = 5, 120
LOCAL_TURNS, LOCAL_QUERIES = 3, 12
PAGE = Page(0, 20)

Scored = list[tuple[str, float]]


class Question(NamedTuple):
    """What somebody asks, and the same as one request."""

    user: str
    query: str
    request: Request


def run(options: Options) -> list[Row]:
    """Build the collection, check the answers and measure them.

    Raises:
        PersrvError: The set cannot be used, or answers disagree.
    """
    with emoji_part(options.pictures_from, options.size) as part:
        build_collection(part.recipe, home=part.folder)
        workspace = Workspace.of(part.recipe, part.folder)
        with workspace.catalog() as catalog, closing(workspace.store()) as store:
            stickers, users = store.open(part.recipe.name), store.open(workspace.users_name)
            retriever = Retriever(workspace, catalog, stickers, users)
            asked = _questions(part, retriever)
            return [
                *_against_bare(asked, retriever, stickers, options.repetitions or TURNS),
                *_against_local_client(
                    asked[:LOCAL_QUERIES], retriever, stickers, options.repetitions or LOCAL_TURNS
                ),
            ]


def _questions(part: Part, retriever: Retriever) -> list[Question]:
    """Return searches for names and tags; people take turns."""
    rng = np.random.default_rng(4)
    phrases = sorted({phrase for drawing in part.drawings for phrase in (*drawing["name"], *drawing["tags"])})
    people = sorted({pick.user for pick in _picks(retriever)})
    chosen = [phrases[i] for i in rng.integers(0, len(phrases), QUERIES).tolist()]
    return [
        Question(people[i % len(people)], query, _request(retriever, people[i % len(people)], query))
        for i, query in enumerate(chosen)
    ]
