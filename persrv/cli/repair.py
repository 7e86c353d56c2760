"""``persrv repair``."""

from __future__ import annotations

from persrv.cli.options import DEFAULT_RECIPE, RecipeOption, say


def repair(recipe: RecipeOption = DEFAULT_RECIPE) -> None:
    """Mend a damaged collection from what is still sound of it; stop what uses it first.

    Example: `persrv repair -c emoji`
    """
    from persrv.cli.build import tell_build
    from persrv.cli.progress import Bars
    from persrv.offline.repair import repair_collection

    report = repair_collection(recipe, progress=Bars())
    for step in report.steps:
        say(step)
    if report.lost:
        say(f"{report.lost} rows of stickers that nobody has any more are lost")
    tell_build(report.build)
    say(f"now run: persrv doctor -c {recipe} --deep", err=True)
