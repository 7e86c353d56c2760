"""``persrv serve`` and ``persrv keys``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from persrv.cli.options import COLLECTION_NAMES, COLLECTION_VARIABLES, DEFAULT_RECIPE, JsonOption, print_json
from persrv.errors import MissingExtraError

RecipesOption = Annotated[
    list[str] | None,
    typer.Option(*COLLECTION_NAMES, envvar=COLLECTION_VARIABLES, help="A collection to serve; repeat for more."),
]
keys = typer.Typer(help="API keys of the service: add, list, remove.", no_args_is_help=True)


def serve(
    recipes: RecipesOption = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; others than this machine need keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", "-p", help="Port to listen at; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", help="Processes; more than one with a Qdrant server.")] = 1,
    rate: Annotated[float, typer.Option("--rate", help="Requests a second for each key; 0 for any number.")] = 50.0,
    burst: Annotated[int, typer.Option("--burst", help="Requests that may come at once.")] = 200,
    origins: Annotated[
        list[str] | None, typer.Option("--origin", help="A web page that may call the service; repeat for more.")
    ] = None,
    public_pictures: Annotated[
        bool, typer.Option("--public-pictures", help="Pictures need no key, for apps that hand on their addresses.")
    ] = False,
    log_queries: Annotated[
        bool, typer.Option("--log-queries", help="Also log what people type, and who they are.")
    ] = False,
    browser: Annotated[
        bool | None, typer.Option("--open/--no-open", help="Open the page; default: where there is a terminal.")
    ] = None,
) -> None:
    """Serve collections over HTTP, with a page to search, pick and look at tastes.

    Example: `persrv serve`, `persrv serve -c emoji -c mine --port 9000`
    """
    from persrv.serve.ahead import engines_ahead
    from persrv.serve.settings import ServeSettings

    settings = ServeSettings.of(
        collections=tuple(recipes or (DEFAULT_RECIPE,)),
        host=host,
        port=port,
        rate=rate,
        burst=burst,
        origins=tuple(origins or ()),
        public_pictures=public_pictures,
        log_queries=log_queries,
    )

    def ready(address: str) -> None:
        import sys
        import webbrowser

        typer.echo(f"persrv is at {address}", err=True)
        if browser or (browser is None and sys.stdout.isatty()):
            webbrowser.open(address)

    with engines_ahead(settings):
        try:
            from persrv.serve.run import run
        except ModuleNotFoundError as error:
            raise MissingExtraError("the service", "serve") from error

        run(settings, workers=workers, ready=ready)


@keys.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the key is called, for taking it away.")],
    right: Annotated[
        Literal["read", "write", "admin"],
        typer.Option("--right", help="read: search; write: also picks and users; admin: also stickers."),
    ] = "read",
    collections: Annotated[
        list[str] | None, typer.Option(*COLLECTION_NAMES, help="A collection that it is for; default: all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it; only its hash is kept, so it cannot be printed again.

    Example: `persrv keys add chat --right write -c emoji`
    """
    from persrv.serve.keys import add_key
    from persrv.serve.settings import ServeSettings

    made = add_key(ServeSettings().keys_file, name, right, tuple(collections or ()))
    if as_json:
        print_json({"name": name, "right": right, "key": made})
    else:
        typer.echo(made)


@keys.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List keys by name, with what they may do; the keys themselves are not kept.

    Example: `persrv keys list`
    """
    from persrv.serve.keys import KeyRing
    from persrv.serve.settings import ServeSettings

    found = KeyRing.read(ServeSettings().keys_file).keys
    if as_json:
        print_json(
            [{"name": k.name, "right": k.right, "collections": k.collections, "created": k.created} for k in found]
        )
        return
    if not found:
        typer.echo("there are no keys; persrv keys add NAME makes one")
    for key in found:
        typer.echo(f"{key.name}  {key.right}  {', '.join(key.collections) or 'all collections'}  {key.created}")


@keys.command("remove")
def remove(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Take a key away.

    Example: `persrv keys remove chat`
    """
    from persrv.serve.keys import remove_key
    from persrv.serve.settings import ServeSettings

    remove_key(ServeSettings().keys_file, name)
    typer.echo(f"removed the key {name}", err=True)
