"""Where the time of a search goes: ``python -m benchmarks.where_time_goes --cache FOLDER --size N``.

Personal pages of 20 of a collection that ``python -m benchmarks.large_collection`` built are searched under Python's
own profiler, and the time inside each part is written as a page of the documentation. A profiler makes Python slower
and leaves the engine as it is: the parts in Python are smaller than they look.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.at_size import PAGE, searches_of
from benchmarks.large_collection import LargeCollection
from persrv.online.retriever import Retriever

PAGE_FILE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "where-the-time-goes.md"
WIDTH = 40


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a search.

    Attributes:
        depth: How far inside other parts it lies.
        title: What it does.
        file: End of the file's name, ``~`` for what is not written in Python.
        function: What is called.
    """

    depth: int
    title: str
    file: str
    function: str


PARTS = (
    Part(0, "a search", "online/retriever.py", "search"),
    Part(1, "the user's styles", "online/profiles.py", "taste"),
    Part(1, "the query, by words and by what people picked", "online/query_parser.py", "parse"),
    Part(2, "counts of words", "catalog/vocabulary.py", "frequencies"),
    Part(2, "what the query was picked for", "catalog/affinity.py", "typed_query"),
    Part(1, "the ranking", "online/search_service.py", "_ranked"),
    Part(2, "what matches, from the inverted lists", "online/column_matches.py", "__init__"),
    Part(2, "what the scores are at most", "online/column_scoring.py", "_bounds"),
    Part(2, "scores by the stickers' own styles", "online/column_scoring.py", "_scores"),
    Part(2, "order and near-duplicates", "online/column_scoring.py", "_ordered"),
    Part(1, "the hits", "online/hits.py", "hits"),
    Part(2, "payload and vectors of the shown ones", "index/embedded_collection.py", "retrieve"),
    Part(1, "files", "catalog/listing.py", "paths"),
    Part(0, "of all that, the catalog is asked", "catalog/database.py", "ask"),
    Part(0, "of all that, Qdrant Edge gives payloads", "index/edge_shard.py", "engine_call"),
)


def profiled(folder: Path, size: int, count: int) -> dict[Part, float]:
    """Return the milliseconds of each part in one search, the mean over ``count`` of them."""
    large = LargeCollection(folder, size)
    with Retriever.open(large.recipe, home=large.home) as retriever:
        searches = searches_of(retriever, large, count)
        for one in searches:
            retriever.search(one.query, one.user, limit=PAGE)
        profile = cProfile.Profile()
        profile.enable()
        for one in searches:
            retriever.search(one.query, one.user, limit=PAGE)
        profile.disable()
    found = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # typeshed does not know it
    taken = dict.fromkeys(PARTS, 0.0)
    for (file, _, function), (_, _, _, cumulative, _) in found.items():
        for part in PARTS:
            if function == part.function and str(file).endswith(part.file):
                # A function and another one of the same name that it calls: the outer one counts.
                taken[part] = max(taken[part], 1e3 * cumulative / len(searches))
    return taken


def page(taken: dict[Part, float], size: int, described: dict[str, str]) -> str:
    """Return the page of the documentation."""
    whole = taken[PARTS[0]]
    lines = [
        "# Where the time of a search goes",
        "",
        f"A personal page of {PAGE} of {size:,} made-up stickers, by people with one to five styles, under Python's",
        "profiler, which makes Python slower and leaves the engine as it is. What is further in is part of what stands",
        "above it. Written by `python -m benchmarks.where_time_goes`; times without a profiler stand in",
        "[the results](../../benchmarks/results).",
        "",
        "```",
    ]
    for part in PARTS:
        share = taken[part] / whole
        bar = "█" * round(WIDTH * share)
        lines.append(f"{taken[part]:7.2f} ms {share:4.0%}  {'  ' * part.depth + part.title:<52} {bar}".rstrip())
    lines += ["```", "", *(f"* {key}: {value}" for key, value in described.items()), ""]
    return "\n".join(lines)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--searches", type=int, default=100)
    chosen = parser.parse_args()
    taken = profiled(chosen.cache, chosen.size, chosen.searches)
    PAGE_FILE.write_text(page(taken, chosen.size, machine.describe()), encoding="utf-8")


if __name__ == "__main__":
    main()
