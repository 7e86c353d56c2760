"""Putting questions to a loaded vision-language model, and having it answer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from persrv.reading.describe.asking import DescriberInput
from persrv.reading.describe.machine import Machine
from persrv.reading.describe.quiet import quiet

TEMPLATE_QUESTION = "?"
"""Rendered with an adapter's chat template and kept beside it, to recognise the template by."""


class Chat:
    """A model's own way of being asked.

    Args:
        processor: With a chat template.
    """

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        tokenizer = processor.tokenizer
        self._special = sorted({*tokenizer.all_special_tokens, getattr(processor, "image_token", "<image>")}, key=len)

    def prompt(self, text: str) -> str:
        """Return the question about one picture, up to where the answer begins."""
        return str(
            self._processor.apply_chat_template([self._user_turn(text)], add_generation_prompt=True, tokenize=False)
        )

    def answered(self, text: str, answer: str) -> str:
        """Return question and answer as the model should have written it, its end token included."""
        prompt, ending = self.prompt(text), self._processor.tokenizer.eos_token
        reply = {"role": "assistant", "content": [{"type": "text", "text": self._harmless(answer)}]}
        whole = str(self._processor.apply_chat_template([self._user_turn(text), reply], tokenize=False))
        # Templates differ in the space before an answer; one that rewrites the question leaves only a plain joint.
        begun = whole.startswith(prompt) and whole[len(prompt) :].strip().removesuffix(ending).strip()
        whole = whole.rstrip() if begun else f"{prompt} {self._harmless(answer)}"
        return whole if whole.endswith(ending) else whole + ending

    def begun(self, prompt: str) -> bool:
        """Whether a prompt begins with the token that the tokenizer would put there too."""
        return prompt.startswith(self._processor.tokenizer.bos_token or "\0")

    def _user_turn(self, text: str) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": self._harmless(text)}]}

    def _harmless(self, text: str) -> str:
        # Text from a sticker must not pass for a picture's place or for the end of the question.
        for token in reversed(self._special):
            text = text.replace(token, " ")
        return text


class Generator:
    """A loaded model with its processor and its way of decoding: greedy.

    Args:
        processor: The model's.
        model: On the machine's device.
        machine: Where the model is, and its number format.
        max_tokens: Longest answer.
    """

    def __init__(self, processor: Any, model: Any, machine: Machine, max_tokens: int) -> None:
        self._processor = processor
        self._model = model
        self._machine = machine
        self._decoding = _greedy(model.generation_config, processor.tokenizer, max_tokens)
        self._chat = Chat(processor)

    def __call__(self, questions: Sequence[DescriberInput]) -> list[str]:
        """Return one answer a question; raises whatever the model raises."""
        prompts = [self._chat.prompt(question.text) for question in questions]
        with quiet(), torch.inference_mode():
            inputs = self._processor(
                images=[[question.image] for question in questions],
                text=prompts,
                add_special_tokens=not self._chat.begun(prompts[0]),
                padding=True,
                return_tensors="pt",
            ).to(self._machine.device, self._machine.dtype)
            tokens = self._model.generate(**inputs, generation_config=self._decoding)
            answers = tokens[:, inputs["input_ids"].shape[1] :]
            return [str(text) for text in self._processor.batch_decode(answers, skip_special_tokens=True)]


def _greedy(given: Any, tokenizer: Any, max_tokens: int) -> Any:
    """Return the model's own way of decoding, made deterministic."""
    decoding = copy.deepcopy(given)
    decoding.update(
        do_sample=False,
        num_beams=1,
        temperature=None,
        top_p=None,
        top_k=None,
        max_length=None,
        max_new_tokens=max_tokens,
        pad_token_id=tokenizer.pad_token_id,
    )
    return decoding
