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

    known = _language(language)
    ids = read_ids(only) if only else None
    report = evaluate_stickerqueries(recipe_for(_file(file), known), known, ids, progress=Bars())
    for warning in report.warnings:
        typer.echo(f"persrv: {warning}", err=True)
    if as_json:
        print_json(report.to_dict())
    else:
        _print(report)


def unanswered(
    file: Annotated[Path, typer.Argument(help="CSV with the columns sticker_id and labeled_queries.")],
    language: Annotated[str, typer.Option("--language", "-l", help="en or zh.")],
    queries: Annotated[
        Path | None, typer.Option("--queries", help="CSV that --write wrote: only its queries are asked.")
    ] = None,
    words: Annotated[bool, typer.Option("--words", help="By words alone, as without a text encoder.")] = False,
    write: Annotated[Path | None, typer.Option("--write", help="Write a sample of the queries; ask none.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Queries that are written.")] = 400,
    as_json: JsonOption = False,
) -> None:
    """Ask people's queries after their answers were taken out: what is answered, and is it presented as an answer?

    Example: `persrv evaluate unanswered en.csv --language en --words`
    """
    from dataclasses import asdict

    from persrv.cli.progress import Bars
    from persrv.lab.stickerqueries.dataset import read_dataset, searches
    from persrv.lab.stickerqueries.evaluate import recipe_for
    from persrv.lab.stickerqueries.unanswered import evaluate_unanswered, read_unanswered, write_unanswered
    from persrv.lab.stickerqueries.unanswered import unanswered as without_answers

    recipe = recipe_for(_file(file), _language(language))
    dataset = read_dataset(recipe)
    unanswered_queries = without_answers(dataset, searches(dataset))
    if write:
        typer.echo(f"{write_unanswered(unanswered_queries, dataset, write, most)} queries in {write}")
        return
    if queries:
        unanswered_queries = read_unanswered(queries, dataset, unanswered_queries)
    report = evaluate_unanswered(dataset, unanswered_queries, recipe, words=words, progress=Bars())
    if as_json:
        print_json(asdict(report))
        return
    typer.echo(f"{report.queries} queries without a good answer")
    typer.echo(f"answered as if the words matched      {report.claimed:.3f}")
    typer.echo(f"good among the first three            {report.precision:.3f}")
    typer.echo(f"good among those presented as answers {report.presented:.3f}")


def _language(given: str) -> Literal["en", "zh"]:
    known = next((one for one in LANGUAGES if one == given), None)
    if known is None:
        raise QueryError(f"there are no queries in the language {given!r}", f"use one of {', '.join(LANGUAGES)}")
    return known


def _file(given: Path) -> Path:
    if not given.is_file():
        raise SourceError(f"there is no file {given}", "give a CSV with the header sticker_id,labeled_queries")
    return given


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
