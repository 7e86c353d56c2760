"""Reports as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from persrv.lab.reports.report import Report, Table


def to_markdown(report: Report, made_on: dict[str, str]) -> str:
    """Return the report without its plots, which the HTML page beside it shows.

    Args:
        report: What to write down.
        made_on: As :func:`persrv.lab.reports.report.machine` gives it.
    """
    parts = [f"# {report.title}", f"Made by `{report.command}`.", *report.method]
    parts += ["## Findings", "\n".join(f"* {finding}" for finding in report.findings)]
    parts += [_table(table) for table in report.tables]
    settings = ", ".join(f"{key} = {value}" for key, value in report.settings.items())
    parts += ["## Settings and machine", f"{settings}.", ", ".join(f"{k} {v}" for k, v in made_on.items()) + "."]
    if report.plots:
        parts.append(
            f"Plots: `persrv evaluate experiment {report.name} --out FOLDER` draws them in `{report.name}.html`."
        )
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    lines = [_row(table.columns), _row("---" for _ in table.columns), *(_row(row) for row in table.rows)]
    return "\n\n".join(part for part in (f"## {table.title}", table.note, "\n".join(lines)) if part)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
