"""How far pages move while a fit serves: at the bounds, before and after the collection is fitted anew.

The stickers are those of an emoji set, with the picks of six simulated people. A fifth of them (every fifth) is kept
out of the first build and comes in place, so that the fit is as old as it may get; then the collection is built anew.
Pages of twenty for the names of drawings are compared, for nobody in particular and for each of the six people.

* **stickers on either page**: how many the two pages have together, against one page: 1.01 says that a new fit shows
  another sticker in one place of a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.emoji_part import Part, emoji_part
from benchmarks.measure import Row, compare
from benchmarks.options import Options
from persrv.errors import PersrvError
from persrv.offline import build_collection
from persrv.online.retriever import Retriever
from persrv.workspace import Workspace

SIZE, PAGE, QUERIES = 1_000, 20, 150
KEPT_OUT = 5

Pages = dict[tuple[str, str | None], list[str]]


def run(options: Options) -> list[Row]:
    """Compare pages of an old and a new fit.

    Raises:
        PersrvError: The old fit did not serve.
    """
    with emoji_part(options.pictures_from, options.size or SIZE) as part:
        build_collection(part.recipe, home=part.folder, only=["ingest", "look"])
        with Workspace.of(part.recipe, part.folder).catalog() as catalog:
            late = [sticker.id for sticker in catalog.stickers()][::KEPT_OUT]
            people = sorted(user.user for user in catalog.users())
            for sticker_id in late:
                catalog.remove(sticker_id)
            build_collection(part.recipe, home=part.folder, only=["index"])
            catalog.add_again(late)
        grown = build_collection(part.recipe, home=part.folder).index
        if grown is None or grown.way != "in place":
            raise PersrvError("the collection was fitted anew before it was asked", "take fewer late stickers")
        queries = _queries(part)
        old = _pages(part, queries, people)
        build_collection(part.recipe, home=part.folder, rebuild=True)
        new = _pages(part, queries, people)
    nobody = [_differ(old[key], new[key]) for key in old if key[1] is None]
    personal = [_differ(old[key], new[key]) for key in old if key[1] is not None]
    return [
        compare(
            f"stickers on either page, {name}", [1 + float(np.mean(found))], "one page", [1.0], "pages", _spread(found)
        )
        for name, found in (("for nobody in particular", nobody), ("for a person", personal))
    ]


def _queries(part: Part) -> list[str]:
    names = sorted({name for drawing in part.drawings for name in drawing["name"]})
    chosen = np.random.default_rng(9).integers(0, len(names), QUERIES).tolist()
    return sorted({names[place] for place in chosen})


def _pages(part: Part, queries: Sequence[str], people: Sequence[str]) -> Pages:
    with Retriever.open(part.recipe, home=part.folder) as retriever:
        return {
            (query, user): [hit.sticker_id for hit in retriever.search(query, user, limit=PAGE)]
            for query in queries
            for user in (None, *people)
        }


def _differ(old: Sequence[str], new: Sequence[str]) -> float:
    return 1 - len(set(old) & set(new)) / max(len(new), 1)


def _spread(found: Sequence[float]) -> str:
    same = float(np.mean([share == 0 for share in found]))
    most = float(np.percentile(found, 95))
    return f"{same:.0%} of {len(found)} pages show the same stickers; 95 of 100 differ in at most {most:.0%}"
