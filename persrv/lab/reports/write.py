"""Writes a report's two files."""

from __future__ import annotations

from pathlib import Path

from persrv.errors import SourceError
from persrv.lab.reports.markdown import to_markdown
from persrv.lab.reports.page import to_html
from persrv.lab.reports.report import Report, machine


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write ``NAME.md`` and ``NAME.html`` and return their paths; what was there is replaced.

    Args:
        report: What to write.
        folder: Where; made if it is not there.

    Raises:
        SourceError: The folder cannot be written.
        MissingExtraError: The report has plots, and Matplotlib is not installed.
    """
    made_on = machine()
    texts = {".md": to_markdown(report, made_on), ".html": to_html(report, made_on)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in texts.items():
            (folder / f"{report.name}{suffix}").write_text(text, encoding="utf-8")
    except OSError as error:
        problem = f"{folder} cannot be written: {error.strerror or error}"
        raise SourceError(problem, "give a folder that can be written") from error
    return folder / f"{report.name}.md", folder / f"{report.name}.html"
