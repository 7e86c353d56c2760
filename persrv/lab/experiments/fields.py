"""What each source of text earns: alone, and when it is left out."""

from __future__ import annotations

from persrv.lab.evaluation.compare import compare
from persrv.lab.evaluation.systems import System, only_fields, ours, without_fields
from persrv.lab.experiments.bench import METRIC, PEOPLE, SHOWN, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Report, gained, measured, sentences
from persrv.records import FIELDS

ALL = "all texts"


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Rank by each field alone and by all but one; utility and style stay as they are."""
    worlds = list(bench.worlds(settings))
    present = [name for name in FIELDS if any(texts.get(name) for world in worlds for texts in world.view.documents)]
    answers = bench.ask_all(worlds, lambda world: _systems(world, present))
    left_out = compare(answers, [(ALL, f"without {name}") for name in present], METRIC, seed=settings.seed)
    alone = compare(answers, [(ALL, f"{name} alone") for name in present], METRIC, seed=settings.seed)
    absent = ", ".join(name for name in FIELDS if name not in present)
    return Report(
        "fields",
        "Where the words come from",
        "",
        (*PEOPLE, "Labels are name, tags and emoji; `queries` is what other people typed before they picked."),
        (
            measured(answers, SHOWN, "Every combination", seed=settings.seed),
            gained(left_out, "What is lost without a field", METRIC),
            gained(alone, "What all texts gain over one field", METRIC),
        ),
        (),
        (
            *sentences(left_out, METRIC),
            f"Not measured: {absent}. The shipped emoji have no such texts; no description by a vision-language model "
            "and no text drawn into pictures is judged here.",
        ),
        {"fields": " ".join(present)},
    )


def _systems(world: World, present: list[str]) -> list[System]:
    view = world.view
    found: list[System] = [ours(view, name=ALL)]
    for name in present:
        found.append(ours(only_fields(view, name), name=f"{name} alone", profiles=view.profiles))
        found.append(ours(without_fields(view, name), name=f"without {name}", profiles=view.profiles))
    return found
