"""The demo's own evaluation: the shipped stickers, and simulated users whose taste is known."""

from __future__ import annotations

from persrv.lab.evaluation.personal import PersonalReport, evaluate_personal
from persrv.offline import Progress
from persrv.offline.loading import load
from persrv.recipe import Meaning, Recipe
from persrv.recipe.places import find_recipe

USERS = 48
"""More than the demo shows, so that the interval over users means something."""


def demo_report(progress: Progress | None = None, *, users: int = USERS, seed: int = 0) -> PersonalReport:
    """Measure personal ranking on the shipped ``emoji`` collection.

    Args:
        progress: Shows how far it is.
        users: Number of simulated users, each with one or two preferred styles, 30 picks and 15 % random ones.
        seed: Another seed makes other tastes and picks.
    """
    recipe = Recipe.read(find_recipe("emoji"))
    simulated = recipe.interactions[0]
    source = simulated.model_copy(update={"options": simulated.options | {"users": users, "seed": seed}})
    # Words alone, so that what differs between two answers is style.
    recipe = recipe.model_copy(update={"interactions": (source,), "meaning": Meaning(encoder="")})
    loader = load(source, recipe)
    tastes = loader.module.tastes(loader.source, users=users, seed=seed)
    return evaluate_personal(recipe, tastes, progress=progress, seed=seed)
