"""Evaluates a collection on its own picks: some are held back, and systems are asked for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persrv.errors import NotFoundError, QueryError
from persrv.indexing.progress import Progress
from persrv.lab.evaluation import results
from persrv.lab.evaluation.compare import Answers, Compared, ask, compare
from persrv.lab.evaluation.intervals import Interval
from persrv.lab.evaluation.material import read_material
from persrv.lab.evaluation.metrics import CUTOFFS
from persrv.lab.evaluation.results import METRICS
from persrv.lab.evaluation.retrieved import Retrieved, trained_retriever
from persrv.lab.evaluation.splits import SPLITS, PickSplit, unseen
from persrv.lab.evaluation.systems import (
    NOBODY,
    System,
    bm25,
    bm25_with_utility,
    ours,
    popularity,
    query_picks,
    query_picks_with_own,
    random_order,
    stickerfinder,
)
from persrv.lab.evaluation.view import View
from persrv.workspace import Workspace

SYSTEM, ANYBODY = "persrv", "persrv, for anybody"
"""The real retriever, told who asks, and not."""

WORLDWIDE = "BM25 + utility"
RIVALS = (WORLDWIDE, "BM25", "StickerFinder", "popularity", "query-pick counts", "counts + own picks", ANYBODY)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out.

    Attributes:
        recipe: The collection.
        split: How picks were held back.
        train: Picks that were learnt from.
        held_out: Picks that were held back.
        questions: Questions that they make.
        users: Users who ask.
        systems: System to metric (``"M-MRR@20"``) to its mean over users.
        metric: The measure of the gains.
        gains: Of the system over its rivals.
    """

    recipe: str
    split: str
    train: int
    held_out: int
    questions: int
    users: int
    systems: Mapping[str, Mapping[str, Interval]]
    metric: str
    gains: Sequence[Compared]


def evaluate(
    workspace: Workspace,
    *,
    split: str = "time",
    share: float = 0.3,
    seed: int = 0,
    metric: str = "M-MRR@20",
    fresh: bool = False,
    retriever: bool = True,
    progress: Progress | None = None,
) -> Evaluation:
    """Hold picks back, learn from the others, and ask.

    Args:
        workspace: A built collection with interactions.
        split: One of :data:`persrv.lab.evaluation.splits.SPLITS`.
        share: Part to hold back, where the split takes one, in (0, 1).
        seed: Of the split, the intervals and the tests.
        metric: Measure of the gains, such as ``"MRR@10"``.
        fresh: Whether questions that the same user had asked before are left out.
        retriever: Whether ours is the real retriever on a copy of the collection; else its formulas in memory.
        progress: Shows how far it is.

    Raises:
        QueryError: There is no such split or metric, or too few picks.
        NotFoundError: The collection was never built.
        RecipeError: The retriever is asked for, and the catalog is on a server.
    """
    known = [f"{name}@{k}" for name in METRICS for k in CUTOFFS]
    if metric not in known:
        raise QueryError(f"there is no metric {metric!r}", f"use one of {', '.join(known)}")
    if split not in SPLITS:
        raise QueryError(f"there is no split {split!r}", f"use one of {', '.join(SPLITS)}")
    with workspace.existing_catalog() as catalog:
        material = read_material(workspace, catalog)
        picks = [pick for pick in catalog.interactions() if pick.sticker_id in material.rows]
    if not picks:
        problem = f"{workspace.recipe.name} has no picks"
        raise NotFoundError(problem, "name a table of picks under [[interactions]] in the recipe and build it again")
    divided = SPLITS[split](picks, share, seed)
    divided = unseen(divided) if fresh else divided
    if not divided.questions:
        raise QueryError(f"every question of the split {split!r} had been asked before", "ask those too, without fresh")
    recipe = workspace.recipe
    view = View(material, divided.train, recipe.text, recipe.utility, recipe.style)
    systems: list[System] = [random_order(view, seed), popularity(view), bm25(view), bm25_with_utility(view)]
    systems += [stickerfinder(view), query_picks(view), query_picks_with_own(view)]
    if retriever:
        answers = _with_retriever(workspace, divided, systems, progress)
    else:
        systems.append(ours(view, recipe.ranking, name=ANYBODY, profiles=NOBODY))
        systems.append(ours(view, recipe.ranking, name=SYSTEM, own=True))
        answers = ask(systems, divided.questions, progress)
    return Evaluation(
        recipe=recipe.name,
        split=divided.name,
        train=len(divided.train),
        held_out=len(divided.held_out),
        questions=len(divided.questions),
        users=len({question.user for question in divided.questions}),
        systems={
            name: {measure: results.mean_interval(judged, measure, seed=seed) for measure in known}
            for name, judged in answers.items()
        },
        metric=metric,
        gains=compare(answers, [(SYSTEM, rival) for rival in RIVALS], metric, seed=seed),
    )


def _with_retriever(
    workspace: Workspace, split: PickSplit, systems: Sequence[System], progress: Progress | None
) -> Answers:
    with trained_retriever(workspace, split, progress) as opened:
        candidates = [*systems, Retrieved(ANYBODY, opened, personal=False), Retrieved(SYSTEM, opened)]
        return ask(candidates, split.questions, progress)
