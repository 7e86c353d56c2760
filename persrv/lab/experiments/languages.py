"""Does it work as well in Chinese as in English?"""

from __future__ import annotations

from dataclasses import replace

from persrv.lab.evaluation.compare import Answers, compare
from persrv.lab.evaluation.published import published
from persrv.lab.evaluation.simulation import LANGUAGES
from persrv.lab.evaluation.systems import NOBODY, System, bm25, ours
from persrv.lab.experiments.bench import METRIC, PEOPLE, SHOWN, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Report, gained, measured, sentences

SPOKEN = {"en": "English", "zh": "Chinese"}
STEPS = (("BM25F + utility", "BM25"), ("persrv", "BM25F + utility"), ("persrv", "published"))


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Measure the same systems on each language's people; both learn from one collection."""
    worlds = list(bench.worlds(settings))
    tables, findings = [], []
    for language in LANGUAGES:
        answers: Answers = bench.ask_all((_speaking(world, language) for world in worlds), _systems)
        compared = compare(answers, STEPS, METRIC, seed=settings.seed)
        spoken = SPOKEN[language]
        questions = len(answers["BM25"])
        unanswered = sum(not judged.ranking for judged in answers["persrv"]) / questions
        tables += [
            measured(answers, SHOWN, f"{spoken}: {questions} questions", seed=settings.seed),
            gained(compared, f"{spoken}: step by step", METRIC),
        ]
        findings += [f"{spoken}: {sentence}" for sentence in sentences(compared, METRIC)]
        findings.append(f"{spoken}: {unanswered:.1%} of the questions share no word with any sticker.")
    return Report(
        "languages",
        "English and Chinese",
        "",
        (*PEOPLE, "The two languages' words come from different sources, so their levels say less than their gains."),
        tuple(tables),
        (),
        tuple(findings),
        {},
    )


def _speaking(world: World, language: str) -> World:
    questions = tuple(q for q in world.split.questions if world.simulation.languages[q.user] == language)
    return replace(world, split=replace(world.split, questions=questions))


def _systems(world: World) -> list[System]:
    view = world.view
    return [bm25(view), ours(view, name="BM25F + utility", profiles=NOBODY), published(view), ours(view)]
