"""``persrv train``: teaching the describer what people call a sticker."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from persrv.cli.options import DEFAULT_RECIPE, FormerArgument, JsonOption, RecipeOption, chosen, print_json

LISTED = 10
"""Skipped stickers that are named; --json names all."""

train = typer.Typer(
    help="Teach the describer what people call a sticker, from the queries that led to picks.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

DataArgument = Annotated[Path, typer.Argument(help="Training data, as prepared.")]
AdapterArgument = Annotated[Path, typer.Argument(help="The adapter's folder.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="Base model: a folder, or a name on the hub.")]
DeviceOption = Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option("--device", help="Where.")]


@train.command()
def prepare(
    folder: Annotated[Path, typer.Argument(help="Where the data goes.")],
    former: FormerArgument = None,
    recipe: RecipeOption = DEFAULT_RECIPE,
    min_users: Annotated[int, typer.Option("--min-users", help="Different users that a query needs.")] = 2,
    validation: Annotated[float, typer.Option("--validation", help="Share of the other stickers to choose by.")] = 0.1,
    test: Annotated[
        float, typer.Option("--test", help="Share to test by: of the picks, the newest, else of the stickers.")
    ] = 0.2,
    keep_descriptions: Annotated[
        bool, typer.Option("--keep-descriptions", help="Teach descriptions that a describer wrote, too.")
    ] = False,
    limit: Annotated[int | None, typer.Option("--limit", help="Most stickers, for a try.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another one splits otherwise.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Make training data from a built collection's picks, with a data card.

    Example: `persrv train prepare data -c emoji`
    """
    recipe = chosen(recipe, former)
    from persrv.cli.progress import Bars, stderr
    from persrv.training import prepare as prepare_data

    card, skipped = prepare_data(
        recipe,
        folder,
        min_users=min_users,
        validation=validation,
        test=test,
        keep_descriptions=keep_descriptions,
        limit=limit,
        seed=seed,
        progress=Bars(),
    )
    if as_json:
        print_json(card.model_dump() | {"skipped_stickers": [asdict(item) for item in skipped]})
        return
    for item in skipped[:LISTED]:
        stderr.print(f"skipped {item.key}: {item.reason}", highlight=False, markup=False)
    if len(skipped) > LISTED:
        stderr.print(f"... and {len(skipped) - LISTED} more; --json names all", highlight=False)
    for part, reason in card.too_small.items():
        stderr.print(f"too small: {part} holds {reason}", highlight=False, markup=False)
    typer.echo(card.as_markdown())


@train.command()
def tiny(
    folder: Annotated[Path, typer.Argument(help="Where the model goes.")],
    data: DataArgument,
    width: Annotated[int, typer.Option("--width", help="Of its layers, a multiple of 32.")] = 64,
    layers: Annotated[int, typer.Option("--layers", help="Of each tower, 2 or more.")] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Of its random weights.")] = 0,
) -> None:
    """Make a tiny LLaVA with random weights, to try training out on a CPU.

    Its folder holds settings for `persrv train run` too. Example: `persrv train tiny base data`
    """
    from persrv.training import check_packages

    check_packages()
    from persrv.training.tiny import SETTINGS_FILE, build_tiny

    build_tiny(folder, data, width=width, layers=layers, seed=seed)
    typer.echo(f"{folder}; next: persrv train run {data} ADAPTER --settings {folder / SETTINGS_FILE}")


@train.command()
def run(
    data: DataArgument,
    adapter: AdapterArgument,
    settings: Annotated[Path | None, typer.Option("--settings", help="A TOML file; see the reference.")] = None,
    model: ModelOption = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Passes over the stickers.")] = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", help="Ends after so many updates.")] = None,
    micro_batch: Annotated[int | None, typer.Option("--micro-batch", help="Stickers at once on a device.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda or mps.")] = None,
    four_bit: Annotated[bool | None, typer.Option("--four-bit", help="Base model in four bits (QLoRA).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a LoRA adapter, or go on where an interrupted call stopped.

    Example: `persrv train run data adapter --model llava-hf/llava-1.5-7b-hf`
    """
    from persrv.cli.progress import Bars
    from persrv.training import train as train_adapter
    from persrv.training.settings import TrainingSettings

    chosen = TrainingSettings.read(
        settings,
        model=model,
        epochs=epochs,
        max_steps=max_steps,
        micro_batch=micro_batch,
        device=device,
        four_bit=four_bit,
    )
    first = int(os.environ.get("RANK", "0")) == 0
    report = train_adapter(data, adapter, chosen, progress=Bars() if first else None)
    if not first:
        return
    if as_json:
        print_json(asdict(report) | {"folder": str(report.folder)})
        return
    figures = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in report.metrics.items())
    went_on = f", {report.resumed_at} of them earlier" if report.resumed_at else ""
    too_long = f", {report.too_long} stickers left out for their length" if report.too_long else ""
    typer.echo(
        f"{report.folder}: {report.stickers} stickers, {report.steps} updates{went_on}{too_long}; best after "
        f"{report.best_step}: {figures or 'not measured'}; {report.seconds:.0f} s"
    )


@train.command()
def evaluate(
    data: DataArgument,
    adapter: AdapterArgument,
    folder: Annotated[Path, typer.Argument(help="Where answers, tables and the page go.")],
    model: ModelOption = None,
    part: Annotated[Literal["test", "validation"], typer.Option("--part", help="Which stickers.")] = "test",
    limit: Annotated[int | None, typer.Option("--limit", help="Most stickers.")] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", help="Longest answer.")] = 160,
    batch: Annotated[int, typer.Option("--batch", help="Stickers described at once.")] = 8,
    device: DeviceOption = "auto",
    four_bit: Annotated[bool, typer.Option("--four-bit", help="Base model in four bits.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of intervals and tests.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Compare base and tuned model on held-out stickers: keywords, retrieval, and a page side by side.

    Example: `persrv train evaluate data adapter judged --limit 200`
    """
    from persrv.cli.progress import Bars
    from persrv.training import evaluate_adapter

    found = evaluate_adapter(
        data,
        adapter,
        folder,
        model=model or "",
        part=part,
        limit=limit,
        max_tokens=max_tokens,
        batch=batch,
        device=device,
        four_bit=four_bit,
        seed=seed,
        progress=Bars(),
    )
    if as_json:
        print_json(found.as_dict())
        return
    typer.echo(found.as_markdown())
    typer.echo(f"wrote {folder / 'side-by-side.html'}", err=True)


@train.command()
def merge(
    adapter: AdapterArgument,
    folder: Annotated[Path, typer.Argument(help="Where the model goes.")],
    model: ModelOption = None,
    dtype: Annotated[
        Literal["auto", "float32", "float16", "bfloat16"], typer.Option("--dtype", help="Of the saved weights.")
    ] = "auto",
) -> None:
    """Work an adapter into its base model, for servers that take no adapters.

    Example: `persrv train merge adapter merged`
    """
    from persrv.training import merge as merge_adapter

    typer.echo(merge_adapter(adapter, folder, model=model or "", dtype=dtype))
