"""From picks to training data: ``persrv train prepare``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.errors import PictureError, QueryError, SourceError
from persrv.images.decode import open_picture
from persrv.images.duplicates import PerceptualHash, duplicate_groups
from persrv.indexing.progress import Progress, Silent
from persrv.offline.stages.describe import SOURCE
from persrv.reading.describe.contact_sheet import frame_sheet
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.parsing import parse, written
from persrv.reading.describe.prompts import Prompts
from persrv.reading.emotions import canonical
from persrv.recipe import Recipe
from persrv.records import Skipped, Sticker
from persrv.training.data_card import DataCard
from persrv.training.examples import IMAGES, Example, data_fingerprint, write_examples
from persrv.training.labelled import LabelledStickers, labelled_stickers
from persrv.training.queries import TrainingQuery
from persrv.training.split import PARTS, Part, asked_shares, limited, too_small
from persrv.workspace import Workspace

MOST_KEYWORDS = 10
"""Queries in an answer: the prompt asks for 3 to 10."""

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_OTHER_SCRIPT = re.compile("[\u3041-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0900-\u097f]")
_LATIN = re.compile("[a-z]", re.IGNORECASE)


def prepare(
    recipe: str | Path | Recipe,
    folder: str | Path,
    *,
    home: str | Path | None = None,
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
            that are there and whole are kept, so an interrupted call goes on.
        home: Holds every collection's folder.
        min_users: Different users that a sticker's query needs, >= 1; simulated picks need none.
        validation: Share of the stickers outside the test that choose the best adapter, in (0, 1).
        test: Share of the picks, the newest ones, whose new stickers test it, in (0, 1). Where that would leave a
            part less than half of its share of the stickers, this share of the stickers is held out by hash.
        keep_descriptions: Put descriptions and emotions that a describer wrote earlier into the answers, so that the
            tuned model goes on writing them. Those that people wrote are there always.
        limit: Most stickers, chosen by hash from each part, for a try; >= 3.
        seed: Of the split.
        progress: Shows how far it is.

    Returns:
        The data card, and the stickers that could not be used.

    Raises:
        QueryError: An argument is out of its range.
        NotFoundError: The collection was never built.
        SourceError: There are no picks to train on, too few stickers, or the folder cannot be written.
    """
    if min_users < 1 or not 0 < validation < 1 or not 0 < test < 1 or (limit is not None and limit < 3):
        raise QueryError(
            f"min_users = {min_users}, validation = {validation}, test = {test}, limit = {limit} is impossible",
            "give min_users >= 1, shares between 0 and 1, and a limit >= 3",
        )
    folder = Path(folder)
    workspace = Workspace.of(recipe, home)
    prompts = Prompts.of(workspace.recipe.describe)
    examples, skipped = [], []
    try:
        (folder / IMAGES).mkdir(parents=True, exist_ok=True)
        with workspace.existing_catalog() as catalog:
            found = labelled_stickers(
                catalog,
                workspace.recipe.name,
                catalog.pictured(),
                partial(_groups, workspace),
                min_users=min_users,
                validation=validation,
                test=test,
                seed=seed,
            )
            wanted = limited(found.parts, limit or len(found.parts), seed)
            stickers = catalog.stickers(wanted, typed=0, without=() if keep_descriptions else (SOURCE,))
            with (progress or Silent()).stage("preparing pictures", len(wanted)) as advance:
                for sticker in stickers:
                    made = _example(sticker, found.queries[sticker.id], prompts, folder)
                    if isinstance(made, Example):
                        examples.append(made)
                    else:
                        skipped.append(made)
                    advance(1)
        card = _write(folder, workspace.recipe, prompts, found, examples, skipped, asked_shares(validation, test))
    except OSError as error:
        raise SourceError(f"{folder} cannot be written: {error}", "give another folder") from error
    return card, skipped


def _groups(workspace: Workspace, stickers: Set[str]) -> dict[str, str]:
    with workspace.vectors(PerceptualHash()) as perceptual_hashes:
        hashed = sorted(sticker_id for sticker_id in stickers if sticker_id in perceptual_hashes)
        return duplicate_groups(hashed, perceptual_hashes.get)


def _write(
    folder: Path,
    recipe: Recipe,
    prompts: Prompts,
    found: LabelledStickers,
    examples: Sequence[Example],
    skipped: Sequence[Skipped],
    shares: Mapping[Part, float],
) -> DataCard:
    chosen = {part: [example for example in examples if found.parts[example.id] == part] for part in PARTS}
    if empty := [part for part in PARTS if not chosen[part]]:
        why = f" ({skipped[0].key}: {skipped[0].reason})" if skipped else ""
        raise SourceError(
            f"no sticker with a readable picture and a query is left for {empty[0]}{why}",
            "restore the pictures, or collect more picks, and run persrv build",
        )
    for part, part_examples in chosen.items():
        write_examples(folder, part, part_examples)
    skipped_ids = {item.key for item in skipped}
    kept = skipped_ids | {example.id for example in examples}
    unused = {
        "of a sticker that could not be used": sum(found.used[sticker_id] for sticker_id in skipped_ids),
        "of a sticker beyond the limit": sum(
            picks for sticker_id, picks in found.used.items() if sticker_id not in kept
        ),
    }
    card = DataCard(
        collection=recipe.name,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        prompt=prompts.revision,
        language=recipe.describe.language,
        picks=found.picks,
        simulated=found.simulated,
        used=sum(found.used[example.id] for example in examples),
        cut=found.cut.isoformat() if found.cut else "",
        by_sticker=found.by_sticker,
        stickers={part: len(part_examples) for part, part_examples in chosen.items()},
        shares={part: shares[part] for part in PARTS},
        too_small=_too_small(chosen, shares, found, skipped),
        queries={
            part: len({query.text for example in part_examples for query in example.queries})
            for part, part_examples in chosen.items()
        },
        languages=dict(sorted(Counter(language_of(query.text) for e in examples for query in e.queries).items())),
        dropped=dict(found.dropped) | {reason: picks for reason, picks in unused.items() if picks},
        skipped=dict(sorted(Counter(item.reason for item in skipped).items())),
        named=sum("name" in example.hints for example in examples),
        with_text=sum("text" in example.hints for example in examples),
        fingerprint=data_fingerprint(folder),
    )
    card.write(folder)
    return card


def _too_small(
    chosen: Mapping[Part, Sequence[Example]],
    shares: Mapping[Part, float],
    found: LabelledStickers,
    skipped: Sequence[Skipped],
) -> dict[str, str]:
    """Return the parts that hold less than half of what was asked for, each with the reason."""
    counts = {part: len(chosen[part]) for part in PARTS}
    reasons: dict[str, str] = {}
    for part in too_small(counts, shares):
        lost = sum(found.parts[item.key] == part for item in skipped)
        if lost:
            why = f"{lost} of its stickers could not be used"
        elif found.largest_group > 1:
            why = f"near-duplicates stay in one part, and the largest group of them has {found.largest_group} stickers"
        else:
            why = "there are too few stickers to share out"
        reasons[part] = f"{counts[part]} of {len(found.parts)} stickers, {shares[part]:.0%} asked for: {why}"
    return reasons


def _shows(file: Path, sheet: NDArray[np.uint8]) -> bool:
    """Whether a file holds just this picture, of shape (side, side, 3); a missing or damaged one does not."""
    try:
        with Image.open(file) as image:
            return bool(np.array_equal(np.asarray(image.convert("RGB")), sheet))
    except (OSError, ValueError, SyntaxError):
        return False


def language_of(text: str) -> str:
    """Return a query's language by its script: ``"zh"`` for Chinese characters without kana, ``"en"`` for Latin."""
    if _OTHER_SCRIPT.search(text):
        return "other"
    if _HAN.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else "other"


def _example(sticker: Sticker, queries: tuple[TrainingQuery, ...], prompts: Prompts, folder: Path) -> Example | Skipped:
    if sticker.path is None:
        return Skipped(sticker.id, "it has no picture")
    known = sticker.semantics
    answer = written(
        Description(
            " ".join(known.description[:1]),
            tuple(query.text for query in queries[:MOST_KEYWORDS]),
            canonical(known.emotions),
        )
    )
    # What the describer would not read back must not be taught.
    if not isinstance(read := parse(answer), Description) or not read.keywords:
        return Skipped(sticker.id, "its queries make no answer that can be read")
    try:
        picture = open_picture(sticker.path)
    except PictureError as error:
        return Skipped(sticker.id, error.problem)
    sheet = frame_sheet(picture)
    if sheet is None:
        return Skipped(sticker.id, "nothing is visible in its picture")
    image = f"{IMAGES}/{sticker.id}.png"
    if not _shows(folder / image, sheet):
        unfinished = folder / f"{image}.part"
        Image.fromarray(sheet).save(unfinished, "png")
        unfinished.replace(folder / image)
    shows = "{known}" in prompts.ask
    hints = [what for what, there in (("name", known.name), ("text", known.ocr)) if there and shows]
    question = prompts.question(Subject(sticker.id, picture, known))
    return Example(
        sticker.id, image, question, written(read), queries, known.ocr, (*known.name, *known.tags), tuple(hints)
    )
