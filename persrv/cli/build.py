"""``persrv build``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from persrv.cli.options import DEFAULT_RECIPE, FormerArgument, JsonOption, RecipeOption, chosen, print_json
from persrv.errors import QueryError

if TYPE_CHECKING:
    from persrv.offline import BuildReport
    from persrv.offline.engines import Engine

SOME_SKIPPED = 8
"""Exit code of ``--strict`` when an item was skipped."""

LISTED = 20
"""Skipped items that are named; --json names all."""


def build(
    former: FormerArgument = None,
    recipe: RecipeOption = DEFAULT_RECIPE,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Do only this part; repeat for more: ingest, look, ocr, describe, index."),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Most stickers that each reader works on.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be read, and how long it takes here.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 8 when something was skipped.")] = False,
    engine: Annotated[str, typer.Option("--engine", help="Where models work: local, or ray for a cluster.")] = "local",
    workers: Annotated[int | None, typer.Option("--workers", help="With ray: how many models work at once.")] = None,
    gpus: Annotated[float | None, typer.Option("--gpus", help="With ray: GPUs that each takes, 0.5 for half.")] = None,
    allow_removal: Annotated[
        bool,
        typer.Option("--allow-removal", help="Go on where a source has lost all or more than half of its stickers."),
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build the index anew, also where an update in place would do.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build a collection, or bring it up to date; an interrupted build goes on where it stopped.

    Example: `persrv build -c emoji`, `persrv build -c my-stickers.toml --only ocr --limit 100`
    """
    recipe = chosen(recipe, former)
    if dry_run:
        _plan(recipe, only or [], limit, as_json)
        return
    from persrv.cli.progress import Bars
    from persrv.offline import build_collection

    runs_on = _engine(engine, workers, gpus)
    report = build_collection(
        recipe,
        progress=Bars(),
        only=only or [],
        limit=limit,
        engine=runs_on,
        rebuild=rebuild,
        allow_removal=allow_removal,
    )
    if as_json:
        built = report.manifest.facts() if report.manifest else None
        update = report.index
        way = {"way": update.way, "written": update.written, "removed": update.removed} if update else None
        print_json(asdict(report) | {"manifest": built, "encoded": report.encoded, "index": way})
    else:
        tell_build(report)
    if strict and report.skipped:
        raise typer.Exit(SOME_SKIPPED)


def _engine(name: str, workers: int | None, gpus: float | None) -> Engine:
    from persrv.offline.engines import RayEngine, engine_named

    if name == "ray":
        return RayEngine(workers, gpus or 0.0)
    if workers is not None or gpus is not None:
        raise QueryError(f"--workers and --gpus say nothing to the engine {name}", "add --engine ray")
    return engine_named(name)


def tell_build(report: BuildReport) -> None:
    """Print what a build did; what was skipped and noted goes to stderr."""
    from persrv.cli.progress import stderr

    for item in report.skipped[:LISTED]:
        stderr.print(f"skipped {_shown(item.key)}: {_shown(item.reason)}", highlight=False, soft_wrap=True)
    if len(report.skipped) > LISTED:
        stderr.print(f"... and {len(report.skipped) - LISTED} more; --json names all", highlight=False)
    for note in report.notes:
        stderr.print(_shown(note), highlight=False, soft_wrap=True)
    read = ", ".join(f"{stage.done} by {stage.name}" for stage in report.stages)
    typer.echo(
        f"{report.stickers} stickers, newly read: {read or 'none'}; {report.picks} new picks, "
        f"{report.users} users with a style, {report.removed} removed, {len(report.skipped)} skipped, "
        f"{report.seconds:.1f} s"
    )


def _shown(text: str) -> str:
    """Return text that stays on its line: names of files may hold line breaks and orders to the terminal."""
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


def _plan(recipe: str, only: list[str], limit: int | None, as_json: bool) -> None:
    from persrv.offline import plan_build

    plan = plan_build(recipe, only=only, limit=limit)
    if as_json:
        print_json([asdict(stage) for stage in plan])
        return
    for stage in plan:
        typer.echo(f"{stage.name}: {stage.missing} to read, about {stage.seconds:.0f} s")
