"""``persrv mcp``."""

from __future__ import annotations

from persrv.cli.options import DEFAULT_RECIPE, RecipeOption, UrlOption, opened
from persrv.errors import MissingExtraError


def mcp(recipe: RecipeOption = DEFAULT_RECIPE, url: UrlOption = "") -> None:
    """Offer a collection to an assistant over standard input and output (Model Context Protocol).

    Example: `persrv mcp -c emoji`, `persrv mcp --url http://127.0.0.1:8000`
    """
    try:
        from persrv.serve.assistants import assistant_server
    except ModuleNotFoundError as error:
        raise MissingExtraError("the server for assistants", "mcp") from error

    with opened(recipe, url) as collection:
        assistant_server(collection).run("stdio")
