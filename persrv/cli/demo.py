"""``persrv demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from persrv.cli.options import ImagesOption, JsonOption, print_json

SHOWN_USERS = ("ann", "bo")

MEANT = "Katze"
"""A word that no sticker of the collection has."""

COMMANDS = (
    'persrv search "happy birthday" --user ann --explain',
    "persrv search 笑哭 --user bo --html laughing.html",
    "persrv search kaixin",
    "persrv users ann",
    "persrv serve",
)


def demo(
    query: Annotated[str, typer.Argument(help="What both people ask for.")] = "love",
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Measure on simulated users what personal ranking gains.")
    ] = False,
    images: ImagesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build the collection that ships with persrv; two people ask for the same thing and get their own style.

    Example: `persrv demo`, `persrv demo "thank you"`, `persrv demo --evaluate`
    """
    if evaluate:
        _evaluate(as_json)
    else:
        _show(query, images, as_json)


def _show(query: str, images: bool | None, as_json: bool) -> None:
    import sys
    from pathlib import Path

    from rich.console import Console

    from persrv.cli.progress import Bars
    from persrv.offline import build_collection
    from persrv.online.retriever import Retriever
    from persrv.present.picture import draw_answers
    from persrv.present.terminal import print_side_by_side
    from persrv.workspace import Workspace

    workspace = Workspace.of("emoji")
    report = build_collection(workspace.recipe, progress=Bars())
    with Retriever.open(workspace.recipe) as retriever:
        answers = [(user, retriever.search(query, user, limit=6)) for user in SHOWN_USERS]
        meant = retriever.search(MEANT, limit=8)
    near = [*dict.fromkeys(hit.title for hit in meant)] if meant.reason == "meaning" else []
    picture = workspace.folder / "demo.png"
    draw_answers(answers, picture, title=f"two people ask for “{query}”")
    if as_json:
        shown = {user: answer.as_dict() for user, answer in answers}
        print_json({"picture": str(picture), "answers": shown, "meaning": {"query": MEANT, "titles": near}})
        return
    typer.echo(f"{report.stickers} stickers, {report.users} simulated users, {report.seconds:.1f} s")
    print_side_by_side(answers, Console(), images=images)
    if near:
        typer.echo(f"no sticker has the word {MEANT!r}; near in meaning: {', '.join(near)}")
    typer.echo(f"drawn in {picture}\n\nnext, try:")
    here = Path(sys.argv[0])
    prefix = f"{here.parent}/" if here.name == "persrv" and here.parent.name == "bin" else ""
    for command in COMMANDS:
        typer.echo(f"  {prefix}{command}")


def _evaluate(as_json: bool) -> None:
    from dataclasses import asdict

    from persrv.cli.progress import Bars
    from persrv.lab.evaluation.demo import demo_report

    report = demo_report(Bars())
    if as_json:
        print_json(asdict(report) | {"gain": report.gain})
        return
    typer.echo(f"{report.users} simulated users with preferred styles, {report.meanings} held-out meanings")
    typer.echo(f"MRR of the first drawing in a preferred style: {report.plain:.3f} for anybody")
    typer.echo(f"                                               {report.personal:.3f} with the user's profile")
    typer.echo(f"gain {report.gain:+.3f}, 95 % interval over users {report.gain_low:+.3f} to {report.gain_high:+.3f}")
