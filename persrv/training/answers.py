"""What models answered about held-out stickers, kept on disk so that an interrupted evaluation goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from persrv.indexing.progress import Advance
from persrv.reading.describe.asking import DescriberInput, NoAnswer
from persrv.reading.describe.describer import Description
from persrv.reading.describe.parsing import parse
from persrv.reading.describe.setting_names import option
from persrv.reading.describe.transformers_model import TransformersModel
from persrv.recipe import Describe
from persrv.training.examples import Example


def model_answers(
    examples: Sequence[Example], data: Path, folder: Path, settings: Describe, advance: Advance
) -> list[Description | None]:
    """Ask a model about stickers, each once; ``None`` where it gave no answer that can be read.

    Args:
        examples: Whom about.
        data: The prepared data.
        folder: Keeps the answers, by the model's revision.
        settings: Model, adapter and how to decode.
        advance: Called with the number of stickers done.

    Raises:
        RecipeError: The model or adapter cannot be used.
        SourceError: A picture cannot be read.
        OSError: The folder cannot be written.
    """
    model = TransformersModel(settings, option)
    file = folder / f"answers-{model.revision}.jsonl"
    known = _known(file)
    missing = [example for example in examples if example.id not in known]
    advance(len(examples) - len(missing))
    for begin in range(0, len(missing), settings.batch):
        some = missing[begin : begin + settings.batch]
        answers = model.answer([DescriberInput(example.opened(data), example.question) for example in some])
        lines = []
        for example, answer in zip(some, answers, strict=True):
            known[example.id] = "" if isinstance(answer, NoAnswer) else answer
            lines.append(json.dumps({"id": example.id, "answer": known[example.id]}, ensure_ascii=False) + "\n")
        with file.open("a", encoding="utf-8") as content:
            content.write("".join(lines))
        advance(len(some))
    read = [parse(known[example.id]) for example in examples]
    return [description if isinstance(description, Description) else None for description in read]


def _known(file: Path) -> dict[str, str]:
    """Return the answers so far; a line that a kill cut off is dropped from the file, too."""
    if not file.is_file():
        return {}
    known = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            known[str(entry["id"])] = str(entry["answer"])
        except (ValueError, KeyError, TypeError):
            continue
    lines = [json.dumps({"id": key, "answer": answer}, ensure_ascii=False) + "\n" for key, answer in known.items()]
    file.write_text("".join(lines), encoding="utf-8")
    return known
