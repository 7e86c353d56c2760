"""Reports as one HTML page with plots inside, nothing to load."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from jinja2 import Environment

from persrv.errors import MissingExtraError
from persrv.lab.reports.report import Plot, Report

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ report.title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem } .wide { overflow-x: auto }
th, td { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left } small { color: #555 }
svg { max-width: 100%; height: auto }
</style>
<h1>{{ report.title }}</h1>
<p>Made by <code>{{ report.command }}</code>.</p>
{% for paragraph in report.method %}<p>{{ paragraph }}</p>{% endfor %}
<h2>Findings</h2>
<ul>{% for finding in report.findings %}<li>{{ finding }}</li>{% endfor %}</ul>
{% for plot, picture in plots %}<h2>{{ plot.title }}</h2>{{ picture | safe }}{% endfor %}
{% for table in report.tables %}<h2>{{ table.title }}</h2>
<div class="wide"><table><tr>{% for column in table.columns %}<th>{{ column }}</th>{% endfor %}</tr>
{% for row in table.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table></div>
<small>{{ table.note }}</small>{% endfor %}
<h2>Settings and machine</h2>
<p>{% for key, value in report.settings.items() %}{{ key }} = {{ value }}; {% endfor %}</p>
<p>{% for key, value in made_on.items() %}{{ key }} {{ value }}; {% endfor %}</p>
</html>
"""


def to_html(report: Report, made_on: dict[str, str]) -> str:
    """Return the report as a page.

    Args:
        report: What to write down.
        made_on: As :func:`persrv.lab.reports.report.machine` gives it.

    Raises:
        MissingExtraError: The report has plots, and Matplotlib is not installed.
    """
    template = Environment(autoescape=True).from_string(_PAGE)
    plots = [(plot, _svg(plot)) for plot in report.plots]
    return template.render(report=report, made_on=made_on, plots=plots) + "\n"


def _svg(plot: Plot) -> str:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("drawing plots", "evaluate") from error
    # A fixed salt and no date: the same numbers give the same file.
    with rc_context({"svg.hashsalt": "persrv", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        for number, (name, values) in enumerate(plot.curves.items()):
            spans = plot.spans.get(name)
            errors = _errors(values, spans) if spans else None
            if plot.bars:
                width = 0.8 / len(plot.curves)
                shift = width * (number - (len(plot.curves) - 1) / 2)
                places = [place + shift for place in range(len(plot.x))]
                axes.bar(places, values, width, label=name, yerr=errors, capsize=2)
            else:
                axes.errorbar(range(len(plot.x)), values, errors, label=name, marker="o", capsize=2)
        axes.set_xticks(range(len(plot.x)), plot.x, rotation=30, ha="right")
        axes.set_xlabel(plot.x_title)
        axes.set_ylabel(plot.y_title)
        axes.grid(axis="y", alpha=0.3)
        if len(plot.curves) > 1:
            axes.legend(fontsize="small")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"^.*?(?=<svg)", "", drawn.getvalue(), flags=re.DOTALL)


def _errors(values: Sequence[float], spans: Sequence[tuple[float, float]]) -> list[list[float]]:
    below = [max(value - low, 0.0) for value, (low, _) in zip(values, spans, strict=True)]
    above = [max(high - value, 0.0) for value, (_, high) in zip(values, spans, strict=True)]
    return [below, above]
