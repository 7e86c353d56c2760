"""``persrv build``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from persrv.cli.options import DEFAULT_RECIPE, JsonOption, print_json

SOME_SKIPPED = 8
"""Exit code of ``--strict`` when an item was skipped."""

LISTED = 20
"""Skipped items that are named; --json names all."""


def build(
    recipe: Annotated[
        str, typer.Argument(envvar="PERSRV_RECIPE", help="A recipe's name or .toml path.")
    ] = DEFAULT_RECIPE,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 8 when something was skipped.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build a collection, or bring it up to date; an interrupted build goes on where it stopped.

    Example: `persrv build emoji`, `persrv build my-stickers.toml --strict`
    """
    from persrv.build import build_collection
    from persrv.cli.progress import Bars, stderr

    report = build_collection(recipe, progress=Bars())
    if as_json:
        print_json(asdict(report) | {"manifest": report.manifest.model_dump(exclude={"space"})})
    else:
        for item in report.skipped[:LISTED]:
            stderr.print(f"skipped {escape(item.key)}: {escape(item.reason)}", highlight=False)
        if len(report.skipped) > LISTED:
            stderr.print(f"... and {len(report.skipped) - LISTED} more; --json names all", highlight=False)
        typer.echo(
            f"{report.manifest.recipe}: {report.manifest.stickers} stickers, {report.encoded} newly looked at, "
            f"{report.picks} new picks, {report.users} users with a style, {report.removed} removed, "
            f"{len(report.skipped)} skipped, {report.seconds:.1f} s"
        )
    if strict and report.skipped:
        raise typer.Exit(SOME_SKIPPED)
