"""Whether the first page is the formula's: of all stickers that match, the best 20 that brute force in NumPy finds.

The collection is that of ``at_size``. For each of 1,000 queries one page for anybody and one for a person with one to
five styles are compared, place by place: the formula over every sticker that matches, equal scores in the order of
their ids. A ratio of 1 is a page, or a place, like brute force's.

``--size`` is the number of stickers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.at_size import PAGE, Typed, searches_of
from benchmarks.brute_force import BruteForce
from benchmarks.large_collection import LargeCollection
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from persrv.online.request import NO_TASTE
from persrv.online.retriever import Retriever

SIZE, QUERIES = 2_000, 1_000
RIVAL = "brute force in NumPy over all stickers"


def run(options: Options) -> list[Row]:
    """Compare all pages."""
    with TemporaryDirectory() as made:
        large = LargeCollection(options.cache or Path(made), options.size or SIZE)
        large.build()
        # Brute force knows nothing of a person's own earlier picks.
        ranking = large.recipe.ranking.model_copy(update={"own": 0.0})
        with Retriever.open(large.recipe.model_copy(update={"ranking": ranking}), home=large.home) as retriever:
            searches = searches_of(retriever, large, QUERIES)
            return _compared(retriever, BruteForce(large.brute_force, large.recipe.ranking), searches)


def _compared(retriever: Retriever, brute: BruteForce, searches: Sequence[Typed]) -> list[Row]:
    parser = retriever._newest.version.parser
    rows: list[Row] = []
    pages, places, worst = [], [], 0.0
    by_styles: dict[int, list[float]] = {}
    for one in searches:
        for user, taste in ((None, NO_TASTE), (one.user, one.taste)):
            best = brute.page(parser.parse(one.query, user), taste, PAGE)
            hits = [(hit.sticker_id, hit.score) for hit in retriever.search(one.query, user, limit=PAGE)]
            same = sum(mine[0] == other[0] for mine, other in zip(hits, best, strict=False)) / max(len(best), 1)
            scores = dict(best)
            known = [(score, scores[sticker_id]) for sticker_id, score in hits if sticker_id in scores]
            worst = max([worst, *(abs(mine - other) / other for mine, other in known if other > 0)])
            if user is None:
                pages.append(same == 1.0 and len(hits) == len(best))
            else:
                places.append(same)
                by_styles.setdefault(len(taste), []).append(same)
    note = f"{len(searches)} queries; scores of the same stickers differ by {worst:.0e} of their value at most"
    rows.append(compare("pages for anybody that are the same", [float(np.mean(pages))], RIVAL, [1.0], "share", note))
    rows.append(compare("places for people that are the same", [float(np.mean(places))], RIVAL, [1.0], "share"))
    for styles, found in sorted(by_styles.items()):
        name = f"places for people with {styles} style{'s' * (styles > 1)}"
        rows.append(compare(name, [float(np.mean(found))], RIVAL, [1.0], "share", f"{len(found)} queries"))
    return rows
