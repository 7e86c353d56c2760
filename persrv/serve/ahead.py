"""What starts while the rest of the service is imported: the embedded engines' processes.

Importing FastAPI and SQLAlchemy takes as long as an engine takes to start and to open its collection, in another
process; so this module, like the settings, imports neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from persrv.index.engine_process import started_ahead
from persrv.recipe import Recipe
from persrv.recipe.location import embedded_folder
from persrv.recipe.places import find_recipe, home
from persrv.serve.settings import ServeSettings


@contextmanager
def engines_ahead(settings: ServeSettings) -> Iterator[None]:
    """Start the engines of a service that is run within the block; those that it did not take are ended behind it.

    Raises:
        RecipeError: There is no such recipe, or it is wrong.
    """
    recipes = [Recipe.read(find_recipe(name)) for name in settings.collections]
    with ExitStack() as started:
        for recipe in recipes:
            if not recipe.index.embedded:
                continue
            folder = embedded_folder(str(recipe.index.location), (settings.home or home()) / recipe.name)
            if folder and (folder / recipe.name).is_dir():
                started.enter_context(started_ahead(folder, recipe.name, recipe.users_name))
        yield
