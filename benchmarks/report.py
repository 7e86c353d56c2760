"""Results as Markdown for people and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, Spread


def markdown(title: str, text: str, rows: Sequence[Row], machine: Mapping[str, str], command: str) -> str:
    """Return one benchmark's page: what it does, its figures, and the machine that they were taken on."""
    lines = [f"# {title}", "", text.strip(), "", f"`{command}`", ""]
    lines += [
        "| what | persrv | rival | the rival's | unit | ratio | turns |",
        "| --- | ---: | --- | ---: | --- | ---: | ---: |",
    ]
    for row in rows:
        cells = [row.name, _spread(row.ours), row.rival, _spread(row.theirs), row.unit, f"**{number(row.ratio)}**"]
        lines.append("| " + " | ".join([*cells, str(row.repetitions)]) + " |")
    lines += ["", "Medians, with minimum and maximum in brackets. The ratio is persrv's figure divided by the rival's,"]
    lines += ["the median over turns; below 1 persrv needs less.", ""]
    notes = [f"* {row.name} (against {row.rival}): {row.note}" for row in rows if row.note]
    lines += [*notes, ""] if notes else []
    lines += ["## The machine", "", *(f"* {key}: {value}" for key, value in machine.items()), ""]
    return "\n".join(lines)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a plain table for a terminal."""
    return "\n".join(
        f"{row.name:<58} {_spread(row.ours):>24} {row.unit:<12} {number(row.ratio):>7} x {number(row.theirs.median)}"
        f" of {row.rival}"
        for row in rows
    )


def as_json(results: Mapping[str, Sequence[Row]], machine: Mapping[str, str]) -> str:
    """Return all results as JSON: ``{"machine": {...}, "results": {benchmark: [row, ...]}}``."""
    content: dict[str, Any] = {name: [asdict(row) for row in rows] for name, rows in results.items()}
    return json.dumps({"machine": dict(machine), "results": content}, ensure_ascii=False, indent=2) + "\n"


def write(folder: Path, name: str, page: str) -> Path:
    """Write a page and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.md"
    file.write_text(page, encoding="utf-8")
    return file


def number(value: float) -> str:
    """Return a number with three significant digits, and thousands apart."""
    if value == 0 or not 1e-3 <= abs(value) < 1e15:
        return f"{value:.3g}"
    digits = 3 if abs(value) < 1 else max(0, 3 - len(str(int(abs(value)))))
    return f"{value:,.{digits}f}"


def _spread(spread: Spread) -> str:
    if spread.least == spread.most:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.least)}–{number(spread.most)})"
