"""Options that several commands share."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persrv.errors import QueryError

if TYPE_CHECKING:
    from persrv.online.retriever import Retriever
    from persrv.serve.client import Client

_ORDERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line breaks and marks of direction; JSON's own line breaks stay."""

COLLECTION_NAMES = ("--collection", "-c", "--recipe", "-r")
"""How every command takes the collection; the last two are the names before, see :func:`tell_former_names`."""

COLLECTION_VARIABLES = ["PERSRV_COLLECTION", "PERSRV_RECIPE"]

RecipeOption = Annotated[
    str,
    typer.Option(*COLLECTION_NAMES, envvar=COLLECTION_VARIABLES, help="The collection: a recipe's name or .toml path."),
]
FormerArgument = Annotated[str | None, typer.Argument(hidden=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", help="Hits on a page.")]
OffsetOption = Annotated[int, typer.Option("--offset", help="Hits before the page.")]
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        "-f",
        metavar="FIELD=VALUE",
        help="Only stickers with this value, without it for FIELD=!VALUE; repeat for more. "
        "Fields: pack, tags, language, animated, rating, style; rating=any shows unsafe ones too.",
    ),
]
ImagesOption = Annotated[
    bool | None, typer.Option("--images/--no-images", help="Draw thumbnails; default: where the terminal can.")
]

UrlOption = Annotated[
    str,
    typer.Option("--url", envvar="PERSRV_URL", help="Ask a running service, such as http://127.0.0.1:8000."),
]

DEFAULT_RECIPE = "emoji"


def opened(recipe: str, url: str) -> Retriever | Client:
    """Open a collection here, or as a running service has it.

    Args:
        recipe: A recipe's name or path.
        url: The service's address, ``""`` for none.
    """
    if not url:
        from persrv.online.retriever import Retriever

        return Retriever.open(recipe)
    from persrv.recipe import Recipe
    from persrv.recipe.places import find_recipe
    from persrv.serve.client import Client

    name = Recipe.read(find_recipe(recipe)).name if recipe.endswith(".toml") else recipe
    return Client(url, collection=name)


def print_json(value: Any) -> None:
    """Print one JSON document to stdout, readable, Chinese and emoji as they are.

    What a terminal would take as an order, or turn text around by, is written in JSON's own escapes.
    """
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    typer.echo(_ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def say(text: str, *, err: bool = False) -> None:
    """Print a line that may hold names that somebody else chose: no order to the terminal is left in it."""
    typer.echo(visible(text), err=err)


def visible(text: str) -> str:
    """Return text without line breaks, control characters and marks that turn it around."""
    return _ORDERS.sub(" ", text.replace("\n", " "))


def parse_filter_options(given: Sequence[str] | None) -> dict[str, str | bool | list[str]]:
    """Return ``FIELD=VALUE`` options as the filters of a search; a repeated field means any of its values.

    Raises:
        QueryError: An option without ``=``, or ``animated`` with something else than yes or no.
    """
    texts: dict[str, list[str]] = {}
    for option in given or ():
        field, equals, value = option.partition("=")
        if not equals or not field.strip() or not value.strip():
            raise QueryError(f"filter {option!r} is not FIELD=VALUE", "write for example --filter pack=Noto")
        texts.setdefault(field.strip(), []).append(value.strip())
    return {field: _truth(values) if field == "animated" else values for field, values in texts.items()}


def _truth(values: Sequence[str]) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    value = values[-1].lower()
    if value not in known:
        raise QueryError(f"filter animated={values[-1]} is neither yes nor no", "use animated=yes or animated=no")
    return known[value]


def chosen(recipe: str, former: str | None) -> str:
    """Return the collection that a command means; one named without an option is told how it is named now."""
    if former is None:
        return recipe
    _tell(f"-c {former}")
    return former


def tell_former_names(arguments: Sequence[str]) -> None:
    """Say how the collection is named now, where a command line names it as before.

    Args:
        arguments: What follows the command's name.
    """
    before_values = [*arguments[: arguments.index("--")]] if "--" in arguments else arguments
    if any(each in ("-r", "--recipe") or each.startswith("--recipe=") for each in before_values):
        _tell("-c (--collection)")


def _tell(now: str) -> None:
    typer.echo(f"persrv: name the collection by {now}; the way before goes with the next release", err=True)
