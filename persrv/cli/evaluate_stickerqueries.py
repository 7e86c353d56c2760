"""``persrv evaluate stickerqueries``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from persrv.cli.options import JsonOption, print_json
from persrv.errors import QueryError, SourceError

if TYPE_CHECKING:
    from persrv.lab.stickerqueries.evaluate import StickerQueriesReport

LANGUAGES: tuple[Literal["en"], Literal["zh"]] = ("en", "zh")


def stickerqueries(
    file: Annotated[Path, typer.Argument(help="CSV with the columns sticker_id and labeled_queries.")],
    language: Annotated[str, typer.Option("--language", "-l", help="en or zh.")],
    only: Annotated[
        Path | None, typer.Option("--only", help="File with one sticker id a line: only their queries are asked.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Leave out one real query at a time, and see whether its sticker is still found; against plain BM25.

    Example: `persrv evaluate stickerqueries en.csv --language en --only held-out.txt`
    """
    from persrv.cli.progress import Bars
    from persrv.lab.stickerqueries.dataset import read_ids
    from persrv.lab.stickerqueries.evaluate import evaluate_stickerqueries, recipe_for

    known = next((one for one in LANGUAGES if one == language), None)
    if known is None:
        raise QueryError(f"there are no queries in the language {language!r}", f"use one of {', '.join(LANGUAGES)}")
    if not file.is_file():
        raise SourceError(f"there is no file {file}", "give a CSV with the header sticker_id,labeled_queries")
    ids = read_ids(only) if only else None
    report = evaluate_stickerqueries(recipe_for(file, known), known, ids, progress=Bars())
    for warning in report.warnings:
        typer.echo(f"persrv: {warning}", err=True)
    if as_json:
        print_json(report.to_dict())
    else:
        _print(report)


def _print(report: StickerQueriesReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "persrv", "plain BM25", "ratio", "p", title=_title(report), title_justify="left")
    for name, value in report.metrics.items():
        ratio = report.ratio[name]
        table.add_row(
            name,
            f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})",
            f"{report.baseline[name].value:.3f}",
            f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
            f"{ratio.p:.4f}",
        )
    Console().print(table)
    if report.latency_ms:
        typer.echo(f"a search takes {report.latency_ms.p50:.1f} ms (95 % of them under {report.latency_ms.p95:.1f} ms)")


def _title(report: StickerQueriesReport) -> str:
    return f"{report.queries} queries of {report.wanted} stickers, {report.stickers} stickers indexed"
