"""What a report holds, whatever it is written as."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from persrv.lab.evaluation import results
from persrv.lab.evaluation.compare import Answers, Compared
from persrv.lab.evaluation.intervals import Interval

SURE = 0.05
"""Corrected p-value below which a difference is called one."""


UNDECIDED = "no difference shown"
"""The verdict that there may or may not be a difference."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a heading.

    Attributes:
        title: One line.
        columns: Headings.
        rows: As many cells each as there are columns.
        note: What one must know to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """Named curves, or groups of bars.

    Attributes:
        title: One line.
        x_title: What the horizontal axis shows.
        y_title: What the vertical axis shows.
        x: What stands below each value; the places are evenly spaced.
        curves: Name to values, as many as ``x``.
        spans: Name to the 95 % intervals of its values, low and high.
        bars: Whether bars are drawn, not curves.
    """

    title: str
    x_title: str
    y_title: str
    x: tuple[str, ...]
    curves: Mapping[str, Sequence[float]]
    spans: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    bars: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One experiment's outcome.

    Attributes:
        name: The experiment.
        title: Its question.
        command: What makes this report again.
        method: Paragraphs: data, split, measure, what is compared.
        tables: In the order of reading.
        plots: In the order of reading.
        findings: Sentences that the numbers decide, what did not work among them.
        settings: Everything the numbers depend on.
    """

    name: str
    title: str
    command: str
    method: tuple[str, ...]
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...]
    findings: tuple[str, ...]
    settings: Mapping[str, object]


def machine() -> dict[str, str]:
    """Return what the report was made on: versions and processor, no names of people or places."""
    packages = {name: version(name) for name in ("persrv", "numpy", "qdrant-edge-py")}
    return {"system": platform.system(), "machine": platform.machine(), "python": platform.python_version(), **packages}


def spread(interval: Interval) -> str:
    """Return ``0.352 (0.310 to 0.394)``."""
    return f"{interval.mean:.4f} ({interval.low:.4f} to {interval.high:.4f})"


def measured(answers: Answers, metrics: Sequence[str], title: str, *, seed: int = 0) -> Table:
    """Return a table of systems and metrics, means over users with their 95 % intervals."""
    rows = tuple(
        (name, *(spread(results.mean_interval(judged, metric, seed=seed)) for metric in metrics))
        for name, judged in answers.items()
    )
    return Table(title, ("system", *metrics), rows, "Mean over users, 95 % bootstrap interval over users.")


def gained(compared: Sequence[Compared], title: str, metric: str) -> Table:
    """Return a table of gains, with what may be said of each."""
    rows = tuple(
        (
            one.better,
            one.worse,
            f"{one.gain.interval.mean:+.4f} ({one.gain.interval.low:+.4f} to {one.gain.interval.high:+.4f})",
            f"{one.p:.4f}",
            verdict(one),
        )
        for one in compared
    )
    note = "Paired by user; p of the sign-flip test, corrected by Holm's method for this table."
    return Table(title, ("system", "over", f"gain in {metric}", "p", "verdict"), rows, note)


def verdict(one: Compared) -> str:
    """Return ``"better"``, ``"worse"`` or ``"no difference shown"``."""
    if one.p >= SURE:
        return UNDECIDED
    return "better" if one.gain.interval.mean > 0 else "worse"


def sentences(compared: Sequence[Compared], metric: str) -> tuple[str, ...]:
    """Return one sentence for each comparison, as its verdict decides."""
    return tuple(
        f"{one.better} against {one.worse}: {verdict(one)} in {metric} "
        f"({one.gain.interval.mean:+.4f}, p = {one.p:.4f})."
        for one in compared
    )
