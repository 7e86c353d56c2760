"""The paper's three experiments and its open questions, each as one command with one report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from persrv.errors import QueryError
from persrv.lab.experiments.bench import Bench, ExperimentSettings
from persrv.lab.reports.report import Report

EXPERIMENTS: dict[str, str] = {
    "baselines": "from chance to the whole: what each step gains",
    "personal": "what personalisation gains, ours and the published one",
    "fields": "what each source of text earns, alone and left out",
    "utility": "which utility measures predict what people pick",
    "shown": "what completion and the time before a pick add",
    "diversity": "whether a page of different things serves people better",
    "learned": "whether a ranking learnt from picks beats the formula",
    "style_strength": "how strongly style should count, where taste is strong or weak",
    "clustering": "how to cluster a user's picks, and into how many styles",
    "drift": "whether profiles should fade when tastes change",
    "languages": "English and Chinese",
}
"""Name to what it asks."""


Run = Callable[[Bench, ExperimentSettings], Report]


def find_experiment(name: str) -> Run:
    """Return an experiment; run with the same settings it gives the same digits.

    Args:
        name: One of :data:`EXPERIMENTS`.

    Raises:
        QueryError: There is no such experiment.
    """
    if name not in EXPERIMENTS:
        raise QueryError(f"there is no experiment {name!r}", f"use one of {', '.join(EXPERIMENTS)}")
    run: Run = import_module(f"{__name__}.{name}").run

    def signed(bench: Bench, settings: ExperimentSettings) -> Report:
        report = run(bench, settings)
        command = f"persrv evaluate experiment {name} --seed {settings.seed} --repeats {settings.repeats}"
        size = {"users": settings.users, "first seed": settings.seed, "seeds": settings.repeats}
        return replace(report, command=f"{command} --users {settings.users}", settings={**size, **report.settings})

    return signed
