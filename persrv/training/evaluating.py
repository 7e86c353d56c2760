"""Base against tuned model, and neighbours, on held-out stickers: ``persrv train evaluate``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persrv.errors import QueryError, RecipeError, SourceError
from persrv.indexing.progress import Progress, Silent
from persrv.lab.evaluation.intervals import bootstrap_mean, paired_gain
from persrv.reading.describe.describer import Description
from persrv.reading.describe.provenance import Provenance
from persrv.recipe import Describe
from persrv.training import check_packages
from persrv.training.data_card import DataCard
from persrv.training.examples import Example, read_examples
from persrv.training.judgement import Judgement
from persrv.training.measures import measure
from persrv.training.preparing import MOST_KEYWORDS
from persrv.training.retrieval import Document, document, reciprocal_ranks
from persrv.training.side_by_side import side_by_side
from persrv.training.split import Part

_MEASURES = ("keyword_recall", "keyword_precision", "word_recall")


def evaluate_adapter(
    data: str | Path,
    adapter: str | Path,
    folder: str | Path,
    *,
    model: str = "",
    part: Part = "test",
    limit: int | None = None,
    max_tokens: int = 160,
    batch: int = 8,
    device: str = "auto",
    four_bit: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Judgement:
    """Describe held-out stickers with the base model and with the adapter, and compare.

    What both are worth is shown by a third row, ``nearest``: the words of the training stickers that look most alike.

    Answers are kept in ``folder``, so an interrupted call goes on; there too lie ``report.md``, ``report.json`` and
    ``side-by-side.html`` when it is done.

    Args:
        data: What :func:`persrv.training.prepare` made.
        adapter: What :func:`persrv.training.train` made.
        folder: Where to.
        model: The base model, ``""`` for the one that the adapter names.
        part: ``"validation"`` chose the adapter, so it flatters it; ``"test"`` was never looked at.
        limit: Most stickers, in the order of their ids (hashes, so a random choice), >= 1.
        max_tokens: Longest answer.
        batch: Stickers described at once.
        device: As in a recipe's ``[describe]``.
        four_bit: Likewise.
        seed: Of intervals and tests.
        progress: Shows how far it is.

    Raises:
        RecipeError: Model or adapter cannot be used, or do not belong together.
        SourceError: The data is not there, or the folder cannot be written.
        QueryError: The limit is below 1.
        MissingExtraError: Packages of the extra ``train`` are missing.
    """
    data, adapter, folder = Path(data), Path(adapter), Path(folder)
    if limit is not None and limit < 1:
        raise QueryError(f"limit = {limit} is impossible", "give a number >= 1")
    check_packages()
    card = DataCard.read(data)
    examples = read_examples(data, part)[:limit]
    if not examples:
        raise SourceError(f"{data} has no examples in {part}", "make them with persrv train prepare")
    provenance = Provenance.read(adapter)
    base = model or (provenance.base if provenance else "")
    if provenance is None:
        raise RecipeError(f"{adapter} holds no adapter that persrv trained", "give the folder of persrv train run")
    if provenance.data != card.fingerprint:
        raise RecipeError(
            f"the adapter {adapter} was trained on other data than {data}, which may hold stickers that it has seen",
            "give the data that it was trained on",
        )
    from persrv.training.answers import model_answers
    from persrv.training.neighbours import best_encoder, neighbour_words, picture_vectors

    settings = Describe.model_validate(
        {
            "engine": "transformers",
            "model": base,
            "revision": provenance.settings.get("revision", ""),
            "batch": batch,
            "max_tokens": max_tokens,
            "device": device,
            "four_bit": four_bit,
        }
    )
    tuned_settings = settings.model_copy(update={"adapter": adapter})
    shown = progress or Silent()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The tuned model first: an adapter that does not fit its base must not cost an hour.
        with shown.stage("describing, tuned", len(examples)) as advance:
            tuned = model_answers(examples, data, folder, tuned_settings, advance)
        with shown.stage("describing, base", len(examples)) as advance:
            plain = model_answers(examples, data, folder, settings, advance)
        train = read_examples(data, "train")
        sees = best_encoder()
        with shown.stage("looking up neighbours", len(examples) + len(train)) as advance:
            known = picture_vectors(train, data, sees, advance)
            vectors = picture_vectors(examples, data, sees, advance)
        nearest = neighbour_words(vectors, known, [example.queries for example in train])
        answers = Answers(plain, tuned, nearest, commonest(train))
        found = judge_answers(examples, answers, base=base, encoder=sees.name, part=part, seed=seed)
        (folder / "report.json").write_text(json.dumps(found.as_dict(), indent=2) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(f"# Base against tuned\n\n{found.as_markdown()}\n", encoding="utf-8")
        page = side_by_side(examples, plain, tuned, data)
        (folder / "side-by-side.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{folder} cannot be written: {error}", "give another folder") from error
    return found


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said of the same n stickers.

    Attributes:
        base: By the base model; ``None`` where the answer could not be read.
        tuned: By the tuned model.
        nearest: The words of the training stickers that look most like each.
        constant: What one would say of every sticker without looking.
    """

    base: Sequence[Description | None]
    tuned: Sequence[Description | None]
    nearest: Sequence[Description]
    constant: Description


def judge_answers(
    examples: Sequence[Example],
    answers: Answers,
    *,
    base: str = "",
    encoder: str = "",
    part: str = "test",
    seed: int = 0,
) -> Judgement:
    """Compare what was said of stickers with what people typed.

    Args:
        examples: The stickers, n >= 1, with what people typed.
        answers: What was said of them.
        base: Name of the base model.
        encoder: Name of the image encoder by which neighbours were found.
        part: Of the data.
        seed: Of intervals and tests.
    """
    contenders = (("base", answers.base), ("tuned", answers.tuned), ("nearest", answers.nearest))
    figures = {
        name: [
            measure(description, example.queries) for description, example in zip(descriptions, examples, strict=True)
        ]
        for name, descriptions in contenders
    }
    values = {
        measured: {name: [getattr(one, measured) for one in all_measures] for name, all_measures in figures.items()}
        for measured in _MEASURES
    }
    ranks = {
        name: by_sticker(reciprocal_ranks(examples, documents), examples)
        for name, documents in _documents(examples, answers).items()
    }
    return Judgement(
        base=base,
        encoder=encoder,
        part=part,
        stickers=len(examples),
        queries=sum(len(example.queries) for example in examples),
        named=sum("name" in example.hints for example in examples),
        unreadable={
            "base": sum(description is None for description in answers.base),
            "tuned": sum(description is None for description in answers.tuned),
        },
        measures={
            measured: {name: bootstrap_mean(column, seed=seed) for name, column in columns.items()}
            for measured, columns in values.items()
        },
        gains={
            measured: {
                name: paired_gain(columns["tuned"], columns[name], seed=seed) for name in columns if name != "tuned"
            }
            for measured, columns in values.items()
        },
        retrieval={name: bootstrap_mean(column, seed=seed) for name, column in ranks.items()},
        retrieval_gains={
            name: paired_gain(ranks["tuned"], column, seed=seed) for name, column in ranks.items() if name != "tuned"
        },
    )


def by_sticker(ranks: NDArray[np.float64], examples: Sequence[Example]) -> NDArray[np.float64]:
    """Return the mean over each sticker's queries, shape (n,): queries of one sticker are not independent."""
    counts = [len(example.queries) for example in examples]
    sums = np.bincount(np.repeat(np.arange(len(examples)), counts), ranks, len(examples))
    return np.asarray(sums / np.maximum(counts, 1))


def commonest(train: Sequence[Example]) -> Description:
    """Return the queries that led most people to the training stickers, as one answer for all; ties by text."""
    users: Counter[str] = Counter()
    for example in train:
        for query in example.queries:
            users[query.text] += query.users
    ordered = sorted(users, key=lambda text: (-users[text], text))
    return Description("", tuple(ordered[:MOST_KEYWORDS]), ())


def _documents(examples: Sequence[Example], answers: Answers) -> dict[str, list[Document]]:
    """Return, for each row of the ablation, every sticker's text."""
    typed = [[query.text for query in example.queries] for example in examples]
    both = list(zip(examples, answers.tuned, strict=True))
    return {
        "nothing (labels removed)": [document(None) for _ in examples],
        "one and the same answer for all": [document(answers.constant) for _ in examples],
        "nearest": [document(description) for description in answers.nearest],
        "base": [document(description) for description in answers.base],
        "tuned": [document(description) for description in answers.tuned],
        "tuned, OCR": [document(description, example.ocr) for example, description in both],
        "tuned, OCR, past queries": [
            document(description, example.ocr, queries)
            for (example, description), queries in zip(both, typed, strict=True)
        ],
        "the source's own labels": [{"tags": example.labels} if example.labels else {} for example in examples],
    }
