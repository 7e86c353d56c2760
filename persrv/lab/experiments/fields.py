"""What each source of text earns: alone, and when it is left out."""

from __future__ import annotations

from persrv.lab.evaluation.compare import compare
from persrv.lab.evaluation.systems import NO_PICKS, System, only_fields, ours, without_fields
from persrv.lab.experiments.bench import METRIC, PEOPLE, SHOWN, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Report, gained, measured, sentences
from persrv.records import FIELDS

ALL, PICKS = "everything", "picks"


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Rank by each source alone and by all but one; utility and style stay as they are."""
    worlds = list(bench.worlds(settings))
    fields = [name for name in FIELDS if any(texts.get(name) for world in worlds for texts in world.view.own_documents)]
    present = [*fields, PICKS]
    answers = bench.ask_all(worlds, lambda world: _systems(world, fields))
    left_out = compare(answers, [(ALL, f"without {name}") for name in present], METRIC, seed=settings.seed)
    alone = compare(answers, [(ALL, f"{name} alone") for name in present], METRIC, seed=settings.seed)
    absent = ", ".join(name for name in FIELDS if name not in fields)
    return Report(
        "fields",
        "Where the words come from",
        "",
        (*PEOPLE, "Labels are name, tags and emoji; `picks` is what people picked for the query and its words."),
        (
            measured(answers, SHOWN, "Every combination", seed=settings.seed),
            gained(left_out, "What is lost without a source", METRIC),
            gained(alone, "What everything gains over one source", METRIC),
        ),
        (),
        (
            *sentences(left_out, METRIC),
            f"Not measured: {absent}. The shipped emoji have no such texts; no description by a vision-language model "
            "and no text drawn into pictures is judged here.",
        ),
        {"fields": " ".join(fields)},
    )


def _systems(world: World, fields: list[str]) -> list[System]:
    view = world.view
    found: list[System] = [ours(view, name=ALL)]
    for name in fields:
        found.append(ours(only_fields(view, name), NO_PICKS, name=f"{name} alone", profiles=view.profiles))
        found.append(ours(without_fields(view, name), name=f"without {name}", profiles=view.profiles))
    found.append(ours(only_fields(view), name=f"{PICKS} alone", profiles=view.profiles))
    found.append(ours(view, NO_PICKS, name=f"without {PICKS}"))
    return found
