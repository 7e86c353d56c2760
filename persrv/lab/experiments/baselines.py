"""From chance to the whole: what each step gains."""

from __future__ import annotations

from persrv.errors import MissingExtraError
from persrv.lab.evaluation import results
from persrv.lab.evaluation.compare import Answers, compare
from persrv.lab.evaluation.meant import dense, hybrid
from persrv.lab.evaluation.metrics import CUTOFFS, coverage, novelty
from persrv.lab.evaluation.published import published, published_recall
from persrv.lab.evaluation.systems import (
    NO_PICKS,
    NOBODY,
    System,
    bm25,
    bm25_with_utility,
    ours,
    popularity,
    random_order,
    stickerfinder,
)
from persrv.lab.experiments.bench import METRIC, PEOPLE, SHOWN, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Plot, Report, Table, gained, measured, sentences
from persrv.recipe import Meaning
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.registry import text_encoder

WHOLE, WORDS = "persrv", "BM25F"
STEPS = (
    ("BM25", "random"),
    ("BM25", "popularity"),
    ("BM25 + utility", "BM25"),
    (WORDS, "BM25"),
    ("BM25F + utility", WORDS),
    (WHOLE, "BM25F + utility"),
    (WHOLE, "persrv without utility"),
    (WHOLE, "persrv without picks for the query"),
    (WHOLE, "BM25 + utility"),
    (WHOLE, "published"),
    (WHOLE, "StickerFinder"),
)

MEANT = (("hybrid + utility", "BM25F + utility"), ("persrv + meaning", WHOLE))


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Ask every baseline and ours, whole and in parts."""
    encoder = _encoder()
    worlds = list(bench.worlds(settings))
    answers = bench.ask_all(worlds, lambda world: _systems(world, encoder))
    compared = compare(answers, [*STEPS, *(MEANT if encoder else ())], METRIC, seed=settings.seed)
    missing = () if encoder else ("Dense text was not measured: the extra `meaning` is not installed.",)
    return Report(
        "baselines",
        "Baselines, utility, and the whole",
        "",
        (
            *PEOPLE,
            "Every system reads the same texts with the same tokenizer. BM25 is Lucene's over one field; BM25F weighs "
            "the fields; dense text is the universal sentence encoder. StickerFinder and the published formula are our "
            "reading of their weights. Text to picture is left out: no encoder with a text tower ships as a package.",
        ),
        (
            measured(answers, SHOWN, "Every system", seed=settings.seed),
            _cutoffs(answers),
            gained(compared, "Step by step", METRIC),
            _beyond(worlds, answers),
        ),
        (_plot(answers, settings.seed),),
        (*sentences(compared, METRIC), *missing),
        {"text encoder": f"{encoder.name}@{encoder.revision}" if encoder else "none"},
    )


def _encoder() -> TextEncoder | None:
    try:
        return text_encoder("use")
    except MissingExtraError:
        return None


def _systems(world: World, encoder: TextEncoder | None) -> list[System]:
    view = world.view
    recall = published_recall(view)
    found: list[System] = [
        random_order(view, world.seed),
        popularity(view),
        stickerfinder(view),
        bm25(view),
        bm25_with_utility(view),
        recall,
        published(view, recall),
        ours(view, name=WORDS, utility=False, profiles=NOBODY),
        ours(view, name="BM25F + utility", profiles=NOBODY),
        ours(view, name="persrv without utility", utility=False),
        ours(view, NO_PICKS, name="persrv without picks for the query"),
        ours(view, name=WHOLE),
    ]
    if encoder is not None:
        found += [dense(view, encoder, Meaning()), *hybrid(view, encoder, Meaning())]
    return found


def _cutoffs(answers: Answers) -> Table:
    metrics = [f"{name}@{k}" for name in ("M-MRR", "Recall") for k in CUTOFFS]
    rows = tuple(
        (name, *(f"{results.mean_interval(judged, metric).mean:.4f}" for metric in metrics))
        for name, judged in answers.items()
    )
    return Table("At every cutoff", ("system", *metrics), rows, "Means over users.")


def _beyond(worlds: list[World], answers: Answers) -> Table:
    picks: dict[str, int] = dict.fromkeys(worlds[0].view.material.ids, 0)
    for world in worlds:
        for pick in world.split.train:
            picks[pick.sticker_id] += 1
    rows = []
    for name, judged in answers.items():
        rankings = [one.ranking for one in judged]
        news = sum(novelty(ranking, picks, 20) for ranking in rankings) / len(rankings)
        rows.append((name, f"{coverage(rankings, len(picks), 20):.3f}", f"{news:.2f}"))
    note = "Coverage@20: share of the collection that anybody is shown. Novelty@20: mean bits, see metrics."
    return Table("Beyond accuracy", ("system", "coverage", "novelty"), tuple(rows), note)


def _plot(answers: Answers, seed: int) -> Plot:
    found = [results.mean_interval(judged, METRIC, seed=seed) for judged in answers.values()]
    spans = [(one.low, one.high) for one in found]
    return Plot(
        "Every system", "", METRIC, tuple(answers), {METRIC: [one.mean for one in found]}, {METRIC: spans}, bars=True
    )
