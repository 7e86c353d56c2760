"""Searches that have answers, found in a collection itself: a first thing to try."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from persrv.online.answer import Answer
from persrv.online.retriever import Retriever
from persrv.recipe import Recipe
from persrv.workspace import Workspace

_LOOKED_AT = 5000
_LONGEST = 24
_TRIED = 30
_FIELDS = ("queries", "keywords", "tags", "ocr", "name", "emoji", "description", "pack")


@dataclass(frozen=True, slots=True)
class ExampleSearch:
    """A search and its answer; ``like`` is the sticker whose likes are sought, ``""`` for a search by words."""

    answer: Answer
    like: str = ""


def example_searches(
    recipe: str | Path | Recipe, *, home: str | Path | None = None, user: str | None = None, count: int = 3
) -> list[ExampleSearch]:
    """Return searches for words that many stickers have, of different fields as far as there are.

    Where there are too few words, an empty search follows, and then searches for stickers like some.

    Args:
        recipe: A built collection.
        home: Holds every collection's folder.
        user: For whom the first one is; the others are for nobody in particular.
        count: How many, >= 1; fewer come of a collection with fewer stickers.

    Raises:
        NotFoundError: It was never built.
    """
    phrases: dict[str, Counter[str]] = {field: Counter() for field in _FIELDS}
    with Workspace.of(recipe, home).existing_catalog() as catalog:
        for sticker in islice(catalog.stickers(), _LOOKED_AT):
            for field, texts in sticker.semantics.items():
                if field in phrases:
                    phrases[field].update({text for text in texts if len(text) <= _LONGEST})
    ranked = {field: sorted(counts, key=lambda text: (-counts[text], text)) for field, counts in phrases.items()}
    candidates = [text for place in range(_TRIED) for field in _FIELDS for text in ranked[field][place : place + 1]]
    found: list[ExampleSearch] = []
    with Retriever.open(recipe, home=home) as retriever:
        for query in dict.fromkeys(candidates):
            if len(found) == count:
                break
            answer = retriever.search(query, None if found else user, limit=3)
            if answer.reason == "matched" and len(answer):
                found.append(ExampleSearch(answer))
        if len(found) < count:
            popular = retriever.search("", user, limit=count)
            likes = [ExampleSearch(retriever.similar(hit.sticker_id, limit=3), hit.sticker_id) for hit in popular]
            found += [each for each in (ExampleSearch(popular), *likes) if len(each.answer)]
    return found[:count]
