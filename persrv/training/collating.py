"""From examples to tensors: questions and answers as the describer's model sees them, labels on the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from persrv.reading.describe.generating import Chat
from persrv.reading.describe.quiet import quiet
from persrv.training.examples import Example

IGNORED = -100
"""The label of tokens whose prediction does not count."""


@dataclass(frozen=True, slots=True)
class Size:
    """How long an example is.

    Attributes:
        tokens: Question, picture and answer.
        answer: Of these, tokens that are to be learnt: the answer and its end.
    """

    tokens: int
    answer: int


class Collator:
    """Makes batches.

    Args:
        processor: The base model's, padding on the right.
        folder: The prepared data.
    """

    def __init__(self, processor: Any, folder: Path) -> None:
        self._processor = processor
        self._folder = folder
        self._chat = Chat(processor)

    def sizes(self, examples: Sequence[Example]) -> list[Size]:
        """Measure examples without opening more than one picture: all pictures have one size.

        Raises:
            SourceError: That picture cannot be read.
        """
        texts = [self._lengths(example) for example in examples]
        if not texts:
            return []
        opened = int(self(examples[:1])["attention_mask"].sum())
        picture = opened - texts[0][0]
        return [Size(whole + picture, answer) for whole, answer in texts]

    def __call__(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Return what a model's ``forward`` takes for these examples.

        Labels, shape (n, length), are the tokens of the answers and of their ends, and :data:`IGNORED` elsewhere.

        Raises:
            SourceError: A picture cannot be read.
        """
        images = [[example.opened(self._folder)] for example in examples]
        texts = [self._chat.answered(example.question, example.answer) for example in examples]
        with quiet():
            inputs = self._processor(
                images=images,
                text=texts,
                add_special_tokens=not self._chat.begun(texts[0]),
                padding=True,
                return_tensors="pt",
            )
        labels = torch.full_like(inputs["input_ids"], IGNORED)
        ends = inputs["attention_mask"].sum(dim=1).tolist()
        for row, (example, end) in enumerate(zip(examples, ends, strict=True)):
            begin = end - self._lengths(example)[1]
            labels[row, begin:end] = inputs["input_ids"][row, begin:end]
        return {**inputs, "labels": labels}

    def _lengths(self, example: Example) -> tuple[int, int]:
        """Return the tokens of the whole text, the picture counted as one, and of the answer alone."""
        whole = self._tokens(self._chat.answered(example.question, example.answer))
        asked = self._tokens(self._chat.prompt(example.question))
        same = next((i for i, (a, b) in enumerate(zip(asked, whole, strict=False)) if a != b), len(asked))
        return len(whole), len(whole) - same

    def _tokens(self, text: str) -> list[int]:
        tokens = self._processor.tokenizer(text, add_special_tokens=not self._chat.begun(text))["input_ids"]
        return [int(token) for token in tokens]
