"""From examples to tensors: questions and answers as the describer's model sees them, labels on the answers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from persrv.reading.describe.generating import Chat
from persrv.training.examples import Example

IGNORED = -100
"""The label of tokens whose prediction does not count."""
_AT_ONCE = 512
"""Texts that are measured at once."""


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
    """Makes batches. One is used by one thread at a time, see :meth:`copied`.

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
        if not examples:
            return []
        lengths: list[tuple[int, int]] = []
        for start in range(0, len(examples), _AT_ONCE):
            lengths += self._lengths(examples[start : start + _AT_ONCE])
        picture = int(self(examples[:1])["attention_mask"].sum()) - lengths[0][0]
        return [Size(whole + picture, answer) for whole, answer in lengths]

    def copied(self) -> Collator:
        """Return another one that shares nothing that changes: tokenizers cannot serve two threads."""
        return Collator(copy.deepcopy(self._processor), self._folder)

    def __call__(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Return what a model's ``forward`` takes for these examples.

        Labels, shape (n, length), are the tokens of the answers and of their ends, and :data:`IGNORED` elsewhere.

        Raises:
            SourceError: A picture cannot be read.
        """
        images = [[example.opened(self._folder)] for example in examples]
        texts = [self._chat.answered(example.question, example.answer) for example in examples]
        inputs = self._processor(
            images=images,
            text=texts,
            add_special_tokens=not self._chat.begun(texts[0]),
            padding=True,
            return_tensors="pt",
        )
        labels = torch.full_like(inputs["input_ids"], IGNORED)
        ends = inputs["attention_mask"].sum(dim=1).tolist()
        for row, ((_, answer), end) in enumerate(zip(self._lengths(examples), ends, strict=True)):
            labels[row, end - answer : end] = inputs["input_ids"][row, end - answer : end]
        return {**inputs, "labels": labels}

    def _lengths(self, examples: Sequence[Example]) -> list[tuple[int, int]]:
        """Return the tokens of each whole text, the picture counted as one, and of its answer alone."""
        whole = self._tokens([self._chat.answered(example.question, example.answer) for example in examples])
        prompts = self._tokens([self._chat.prompt(example.question) for example in examples])
        lengths = []
        for text, prompt in zip(whole, prompts, strict=True):
            same = next((i for i, (a, b) in enumerate(zip(prompt, text, strict=False)) if a != b), len(prompt))
            lengths.append((len(text), len(text) - same))
        return lengths

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        special = not self._chat.begun(texts[0])
        found: list[list[int]] = self._processor.tokenizer(texts, add_special_tokens=special)["input_ids"]
        return found
