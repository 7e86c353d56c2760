"""From picks to training data: ``persrv train prepare``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from persrv.errors import PictureError, QueryError, SourceError
from persrv.images.decode import open_picture
from persrv.indexing.progress import Progress, Silent
from persrv.offline.stages.describe import SOURCE
from persrv.reading.describe.contact_sheet import contact_sheet
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.parsing import parse, written
from persrv.reading.describe.prompts import Prompts
from persrv.reading.emotions import canonical
from persrv.recipe import Recipe
from persrv.records import Skipped, Sticker
from persrv.training.data_card import DataCard
from persrv.training.examples import IMAGES, Example, data_fingerprint, write_examples
from persrv.training.languages import language_of
from persrv.training.lessons import LabelledStickers, lessons
from persrv.training.queries import LearntQuery
from persrv.training.split import PARTS, hash_of
from persrv.workspace import Workspace

MOST_KEYWORDS = 10
"""Queries in an answer: the prompt asks for 3 to 10."""


def prepare(
    recipe: str | Path | Recipe,
    folder: Path,
    *,
    home: Path | None = None,
    min_users: int = 2,
    validation: float = 0.1,
    test: float = 0.2,
    keep_descriptions: bool = False,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[DataCard, list[Skipped]]:
    """Make training data from a built collection's picks.

    Args:
        recipe: A recipe's name, its ``.toml`` path, or the object. Its ``[describe]`` prompt and language make the
            questions, as they will when the adapter is used.
        folder: Where to, see :mod:`persrv.training.examples`. What an earlier call left there is replaced; pictures
            that are there already are kept, so an interrupted call goes on.
        home: Holds every collection's folder.
        min_users: Different users that a sticker's query needs, >= 1; simulated picks need none.
        validation: Share of the known stickers that choose the best adapter, in (0, 1).
        test: Share of the picks, the newest ones, whose new stickers judge it, in (0, 1).
        keep_descriptions: Put descriptions and emotions that a describer wrote earlier into the answers, so that the
            tuned model goes on writing them. Those that people wrote are there always.
        limit: Most stickers, chosen by hash, for a try; >= 3.
        seed: Of the split.
        progress: Shows how far it is.

    Returns:
        The data card, and the stickers that could not be used.

    Raises:
        QueryError: An argument is out of its range.
        NotFoundError: The collection was never built.
        SourceError: There are no picks to learn from, too few stickers, or the folder cannot be written.
    """
    if min_users < 1 or not 0 < validation < 1 or not 0 < test < 1 or (limit is not None and limit < 3):
        raise QueryError(
            f"min_users = {min_users}, validation = {validation}, test = {test}, limit = {limit} is impossible",
            "give min_users >= 1, shares between 0 and 1, and a limit >= 3",
        )
    workspace = Workspace.of(recipe, home)
    prompts = Prompts.of(workspace.recipe.describe)
    examples, skipped = [], []
    try:
        (folder / IMAGES).mkdir(parents=True, exist_ok=True)
        with workspace.existing_catalog() as catalog:
            learnt = lessons(workspace, catalog, min_users, validation, test, seed)
            wanted = sorted(learnt.queries, key=lambda sticker_id: hash_of(sticker_id, seed))[:limit]
            stickers = catalog.stickers(wanted, typed=0, without=() if keep_descriptions else (SOURCE,))
            with (progress or Silent()).stage("preparing pictures", len(wanted)) as advance:
                for sticker in stickers:
                    made = _example(sticker, learnt.queries[sticker.id], prompts, folder)
                    if isinstance(made, Example):
                        examples.append(made)
                    else:
                        skipped.append(made)
                    advance(1)
        card = _write(folder, workspace.recipe, prompts, learnt, examples, skipped)
    except OSError as error:
        raise SourceError(f"{folder} cannot be written: {error}", "give another folder") from error
    return card, skipped


def _write(
    folder: Path,
    recipe: Recipe,
    prompts: Prompts,
    learnt: LabelledStickers,
    examples: Sequence[Example],
    skipped: Sequence[Skipped],
) -> DataCard:
    chosen = {part: [example for example in examples if learnt.parts[example.id] == part] for part in PARTS}
    if empty := [part for part in PARTS if not chosen[part]]:
        why = f" ({skipped[0].key}: {skipped[0].reason})" if skipped else ""
        raise SourceError(
            f"no sticker with a readable picture and a query is left for {empty[0]}{why}",
            "restore the pictures, or collect more picks, and run persrv build",
        )
    for part, those in chosen.items():
        write_examples(folder, part, those)
    card = DataCard(
        collection=recipe.name,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        prompt=prompts.revision,
        language=recipe.describe.language,
        picks=learnt.picks,
        simulated=learnt.simulated,
        cut=learnt.cut.isoformat() if learnt.cut else "",
        stickers={part: len(those) for part, those in chosen.items()},
        queries={part: len({query.text for e in those for query in e.queries}) for part, those in chosen.items()},
        languages=dict(sorted(Counter(language_of(query.text) for e in examples for query in e.queries).items())),
        dropped=dict(learnt.dropped),
        skipped=dict(sorted(Counter(item.reason for item in skipped).items())),
        named=sum("name" in example.told for example in examples),
        with_text=sum("text" in example.told for example in examples),
        fingerprint=data_fingerprint(folder),
    )
    card.write(folder)
    return card


def _example(sticker: Sticker, queries: tuple[LearntQuery, ...], prompts: Prompts, folder: Path) -> Example | Skipped:
    if sticker.path is None:
        return Skipped(sticker.id, "it has no picture")
    said = sticker.semantics
    answer = written(
        Description(
            " ".join(said.description[:1]),
            tuple(query.text for query in queries[:MOST_KEYWORDS]),
            canonical(said.emotions),
        )
    )
    # What the describer would not read back must not be taught.
    if not isinstance(read := parse(answer), Description) or not read.keywords:
        return Skipped(sticker.id, "its queries make no answer that can be read")
    try:
        picture = open_picture(sticker.path)
    except PictureError as error:
        return Skipped(sticker.id, error.problem)
    sheet = contact_sheet(picture)
    if sheet is None:
        return Skipped(sticker.id, "nothing is visible in its picture")
    image = f"{IMAGES}/{sticker.id}.png"
    if not (folder / image).is_file():
        unfinished = folder / f"{image}.part"
        Image.fromarray(sheet).save(unfinished, "png")
        unfinished.replace(folder / image)
    shows = "{known}" in prompts.ask
    told = [what for what, there in (("name", said.name), ("text", said.ocr)) if there and shows]
    question = prompts.question(Subject(sticker.id, picture, said))
    return Example(sticker.id, image, question, written(read), queries, said.ocr, (*said.name, *said.tags), tuple(told))
