"""Training examples, and the folder that holds them.

``train.jsonl``, ``validation.jsonl`` and ``test.jsonl`` have one example a line, as LLaMA-Factory and ms-swift read
them (``messages``, and ``images`` for the marks ``<image>``), with what only persrv needs under ``persrv``; the
pictures lie in ``images/`` by sticker id, which is a hash of the file's content; ``card.json`` and ``README.md``
say what all this was made from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from persrv.errors import SourceError
from persrv.training.queries import TrainingQuery
from persrv.training.split import PARTS, Part

IMAGE_MARK = "<image>"
IMAGES = "images"


@dataclass(frozen=True, slots=True)
class Example:
    """One sticker with what people typed for it.

    Attributes:
        id: The sticker's id.
        image: The picture, relative to the folder, as the describer shows it to a model.
        question: What the model is asked.
        answer: What it should say.
        queries: What people typed, most users first.
        ocr: The text in the picture, where a build has read it.
        labels: What the source itself calls the sticker; never part of the answer, for comparison only.
        hints: What the question gives away: ``"name"``, ``"text"``.
    """

    id: str
    image: str
    question: str
    answer: str
    queries: tuple[TrainingQuery, ...]
    ocr: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the line."""
        return {
            "id": self.id,
            "messages": [
                {"role": "user", "content": f"{IMAGE_MARK}{self.question.replace(IMAGE_MARK, ' ')}"},
                {"role": "assistant", "content": self.answer.replace(IMAGE_MARK, " ")},
            ],
            "images": [self.image],
            "persrv": {
                "queries": [[query.text, query.users] for query in self.queries],
                "ocr": list(self.ocr),
                "labels": list(self.labels),
                "hints": list(self.hints),
            },
        }

    def opened(self, folder: Path) -> NDArray[np.uint8]:
        """Return the picture, RGB, shape (side, side, 3).

        Raises:
            SourceError: It is gone or damaged.
        """
        file = folder / self.image
        try:
            with Image.open(file) as image:
                return np.array(image.convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise SourceError(
                f"the picture {file} cannot be read: {error}", "run persrv train prepare into this folder again"
            ) from error


def write_examples(folder: Path, part: Part, examples: Iterable[Example]) -> None:
    """Write one part.

    Raises:
        OSError: The folder cannot be written.
    """
    lines = [json.dumps(example.as_json(), ensure_ascii=False) + "\n" for example in examples]
    (folder / f"{part}.jsonl").write_text("".join(lines), encoding="utf-8")


def read_examples(folder: Path, part: Part) -> list[Example]:
    """Read one part, and check that its pictures are there.

    Raises:
        SourceError: The folder was not prepared, a line is damaged, or pictures are gone.
    """
    file = folder / f"{part}.jsonl"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file} cannot be read: {error}", "make it with persrv train prepare") from error
    examples = []
    for number, line in enumerate(lines, start=1):
        try:
            examples.append(_example(json.loads(line)))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise SourceError(
                f"{file} line {number} is no example: {type(error).__name__}: {error}",
                "make it again with persrv train prepare",
            ) from error
    gone = [example.image for example in examples if not (folder / example.image).is_file()]
    if gone:
        raise SourceError(
            f"{len(gone)} of {len(examples)} pictures of {file} are gone, {folder / gone[0]} for one",
            "run persrv train prepare into this folder again",
        )
    return examples


def data_fingerprint(folder: Path) -> str:
    """Return 16 hex digits that change with the examples (not with the pictures' bytes: ids are hashes of them).

    Raises:
        SourceError: A part cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for part in PARTS:
            digest.update((folder / f"{part}.jsonl").read_bytes() + b"\0")
    except OSError as error:
        raise SourceError(f"{folder} holds no training data: {error}", "make it with persrv train prepare") from error
    return digest.hexdigest()[:16]


def _example(content: dict[str, Any]) -> Example:
    question, answered = (message["content"] for message in content["messages"])
    more = content["persrv"]
    image = content["images"][0]
    if Path(image).is_absolute() or ".." in Path(image).parts:
        raise ValueError(f"{image} leaves the folder")
    return Example(
        str(content["id"]),
        image,
        question.removeprefix(IMAGE_MARK),
        answered,
        tuple(TrainingQuery(str(text), int(users)) for text, users in more["queries"]),
        tuple(more["ocr"]),
        tuple(more["labels"]),
        tuple(more["hints"]),
    )
