"""The application: its commands, and what happens to errors."""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from persrv.cli import (
    backup,
    build,
    compare,
    demo,
    evaluate,
    import_,
    inspect,
    learn,
    mcp,
    people,
    push,
    read,
    repair,
    search,
    serve,
    stickers,
    train,
    tune,
)
from persrv.cli.options import say, tell_former_names
from persrv.errors import PersrvError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class CommandGroup(TyperGroup):
    """Turns errors into one line with the next step, and an exit code."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; old names of options are answered with the new ones."""
        found = super().resolve_command(ctx, args)
        if not ctx.resilient_parsing:
            tell_former_names(found[2])
        return found

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except PersrvError as error:
            say(f"persrv: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as stop:
            typer.echo("persrv: interrupted; run the same command again to go on", err=True)
            raise typer.Exit(INTERRUPTED) from stop


app = typer.Typer(
    name="persrv",
    cls=CommandGroup,
    help="Sticker search that learns each person's taste.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"persrv {version('persrv')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Sticker search that learns each person's taste."""


for command in (
    demo.demo,
    build.build,
    search.search,
    search.trending,
    search.similar,
    people.pick,
    people.users,
    inspect.show,
    stickers.add,
    stickers.remove,
    stickers.edit,
    read.read,
    learn.learn,
    compare.compare,
    tune.tune,
    inspect.info,
    inspect.doctor,
    push.push,
    push.rollback,
    backup.backup,
    backup.restore,
    repair.repair,
    serve.serve,
    mcp.mcp,
):
    app.command()(command)
app.command("import")(import_.import_)
app.add_typer(evaluate.app)
app.add_typer(train.train, name="train")
app.add_typer(serve.keys, name="keys")


OBJECTS = 100_000
"""New objects between two looks for cycles that nothing refers to: those that stay number about as many."""


def main() -> None:
    """Run the command line and exit."""
    # A search takes a third longer when Python looks for cycles as it imports, and once more before it ends.
    gc.set_threshold(OBJECTS)
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()
