"""Leave one query out: is the sticker found that somebody wrote the query for?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from persrv.indexing.progress import Progress, Silent
from persrv.lab.stickerqueries.dataset import Dataset, Search, chosen_stickers, read_dataset, searches
from persrv.lab.stickerqueries.meanings import HeldOutMeanings, fitted_spaces, fold_of
from persrv.lab.stickerqueries.measures import MEASURES, Estimate, Ratio, estimate, ratio
from persrv.lab.stickerqueries.online import Latency, latency
from persrv.lab.stickerqueries.systems import Floats, plain_bm25, product, rank
from persrv.recipe import Recipe
from persrv.workspace import Workspace

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class StickerQueriesReport:
    """What was measured.

    Attributes:
        language: As given.
        stickers: Stickers that are indexed.
        wanted: Stickers that searches look for.
        queries: Number of searches.
        metrics: Measure to its value for the recipe's ranking.
        baseline: The same for plain BM25.
        ratio: The recipe's ranking over the baseline.
        latency_ms: Of the online path, ``None`` where it was not timed.
        recipe: The recipe's settings that differ from the defaults.
        warnings: What was left out, and why.
    """

    language: str
    stickers: int
    wanted: int
    queries: int
    metrics: dict[str, Estimate]
    baseline: dict[str, Estimate]
    ratio: dict[str, Ratio]
    latency_ms: Latency | None
    recipe: dict[str, Any]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe form; the recipe and what else was held fixed stand under ``settings``."""
        content = asdict(self)
        fixed = {"protocol": "leave one query out", "baseline": "BM25, k1 1.2, b 0.75, plain words and characters"}
        content["settings"] = fixed | {"language": content.pop("language"), "recipe": content.pop("recipe")}
        return content


def recipe_for(file: Path, language: Language) -> Recipe:
    """Return the recipe that is measured: what anybody would write for such a file, with recall by meaning.

    Args:
        file: CSV with the columns ``sticker_id`` and ``labeled_queries``.
        language: Names the collection.
    """
    return Recipe.from_dict(
        {
            "name": f"stickerqueries-{language}",
            "stickers": {"loader": "table", "path": str(file.resolve())},
            "meaning": {"encoder": "use+e5", "dimension": 512},
        }
    )


def evaluate_stickerqueries(
    recipe: Recipe,
    language: Language,
    ids: Sequence[str] | None = None,
    *,
    timed: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> StickerQueriesReport:
    """Measure a recipe's ranking and plain BM25 on the queries of its stickers, each left out in turn.

    Args:
        recipe: Its loader gives stickers with ``queries``.
        language: What the report is called.
        ids: Keys of the stickers that are looked for; default all. All stickers are indexed.
        timed: Whether the online path is built and timed too.
        seed: Of the intervals and tests.
        progress: Shows how far it is.

    Raises:
        SourceError: The file cannot be read or has no queries.
        QueryError: No search is left, or none of ``ids`` is in the file.
        RecipeError: The recipe cannot be used.
        MissingExtraError: The text encoder's package is not installed.
    """
    shown = progress or Silent()
    dataset = read_dataset(recipe)
    chosen_ids, warnings = chosen_stickers(dataset, ids) if ids is not None else (None, ())
    wanted = searches(dataset, chosen_ids)
    owners = np.array([search.sticker for search in wanted], np.int64)
    meanings = held_out_meanings(dataset, recipe, wanted, shown)
    ours = _ranks((scores.total for scores in product(dataset, wanted, recipe, meanings)), wanted, "searching", shown)
    theirs = _ranks(plain_bm25(dataset, wanted), wanted, "searching plainly", shown)
    metrics, baseline, ratios = {}, {}, {}
    for name, measure in MEASURES.items():
        mine, plainly = measure(ours), measure(theirs)
        metrics[name] = estimate(mine, owners, seed=seed)
        baseline[name] = estimate(plainly, owners, seed=seed)
        ratios[name] = ratio(mine, plainly, owners, seed=seed)
    return StickerQueriesReport(
        language=language,
        stickers=len(dataset.stickers),
        wanted=len(np.unique(owners)),
        queries=len(wanted),
        metrics=metrics,
        baseline=baseline,
        ratio=ratios,
        latency_ms=latency(recipe, [search.query for search in wanted], shown) if timed else None,
        recipe=recipe.model_dump(mode="json", exclude_defaults=True),
        warnings=(*dataset.warnings, *warnings),
    )


def held_out_meanings(
    dataset: Dataset, recipe: Recipe, wanted: Sequence[Search], progress: Progress
) -> HeldOutMeanings | None:
    """Return the recipe's meanings of a data set, ``None`` where it has no text encoder.

    Raises:
        MissingExtraError: The text encoder's package is not installed.
    """
    encoder = Workspace.of(recipe).text_encoder()
    if encoder is None:
        return None
    folds = sorted({fold_of(dataset.stickers[search.sticker].key) for search in wanted})
    spaces = fitted_spaces(dataset, encoder, recipe.meaning.dimension, folds, progress)
    return HeldOutMeanings(dataset, encoder, spaces)


def _ranks(scores: Iterable[Floats], wanted: Sequence[Search], stage: str, progress: Progress) -> Floats:
    ranks = np.zeros(len(wanted))
    with progress.stage(stage, len(wanted)) as advance:
        for number, (found, search) in enumerate(zip(scores, wanted, strict=True)):
            ranks[number] = rank(found, search.sticker)
            advance(1)
    return ranks
