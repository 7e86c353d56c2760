"""A vision-language model in this process, through transformers."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from persrv.errors import RecipeError
from persrv.recipe import Describe
from persrv.semantics.describe.asking import NoAnswer, Question
from persrv.semantics.describe.batching import Batches
from persrv.semantics.describe.machine import Machine, out_of_memory
from persrv.semantics.describe.model_folder import fingerprint, model_folder
from persrv.semantics.describe.quiet import quiet
from persrv.torchvision_shim import ensure_torchvision

DEFAULT_MODEL = "llava-hf/llava-1.5-7b-hf"


class TransformersModel:
    """Any image-text-to-text model of transformers, with an optional LoRA adapter.

    The files are found at once, the weights loaded with the first question.

    Args:
        settings: ``model`` (a hub name or a folder), ``adapter``, ``revision``, ``batch``, ``max_tokens``, ``device``,
            ``dtype`` and ``four_bit`` are used.

    Raises:
        RecipeError: Model, adapter or device are not there, or ``four_bit`` is asked for where it cannot be had.
    """

    def __init__(self, settings: Describe) -> None:
        self._settings = settings
        self._machine = Machine.choose(settings)
        if settings.four_bit:
            _check_four_bit(self._machine)
        self._folder = model_folder(settings.model or DEFAULT_MODEL, settings.revision)
        self._adapter = _adapter_folder(settings.adapter) if settings.adapter else None

    @property
    def name(self) -> str:
        """``"transformers"``."""
        return "transformers"

    @cached_property
    def revision(self) -> str:
        """16 hex digits of the files of model and adapter and of the settings that decide an answer.

        The device is none of them: the same collection may be described on several machines.
        """
        parts = [
            fingerprint(self._folder),
            fingerprint(self._adapter) if self._adapter else "",
            str(self._settings.max_tokens),
            self._settings.dtype,
            str(self._settings.four_bit),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def answer(self, questions: Sequence[Question]) -> list[str | NoAnswer]:
        """Return one answer a question by greedy decoding, in batches that shrink when memory runs out.

        Raises:
            RecipeError: The files are there, but no such model can be made of them.
        """
        return self._batches(questions) if questions else []

    @cached_property
    def _batches(self) -> Batches[Question]:
        generator = _load(self._folder, self._adapter, self._machine, self._settings)
        return Batches(self._settings.batch, generator, out_of_memory, self._machine.release)


class _Generator:
    """A loaded model with its processor and its way of decoding."""

    def __init__(self, processor: Any, model: Any, machine: Machine, max_tokens: int) -> None:
        self._processor = processor
        self._model = model
        self._machine = machine
        self._decoding = _greedy(model.generation_config, processor.tokenizer, max_tokens)
        self._special = sorted(
            {*processor.tokenizer.all_special_tokens, getattr(processor, "image_token", "<image>")}, key=len
        )

    def __call__(self, questions: Sequence[Question]) -> list[str]:
        prompts = [self._prompt(question.text) for question in questions]
        # Some templates begin with the token that the tokenizer would put there too.
        begun = prompts[0].startswith(self._processor.tokenizer.bos_token or "\0")
        with quiet(), torch.inference_mode():
            inputs = self._processor(
                images=[[question.image] for question in questions],
                text=prompts,
                add_special_tokens=not begun,
                padding=True,
                return_tensors="pt",
            ).to(self._machine.device, self._machine.dtype)
            tokens = self._model.generate(**inputs, generation_config=self._decoding)
            answers = tokens[:, inputs["input_ids"].shape[1] :]
            return [str(text) for text in self._processor.batch_decode(answers, skip_special_tokens=True)]

    def _prompt(self, text: str) -> str:
        # Text from a sticker must not pass for a picture's place or for the end of the question.
        for token in reversed(self._special):
            text = text.replace(token, " ")
        content = [{"type": "image"}, {"type": "text", "text": text}]
        prompt = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        return str(prompt)


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


def _load(folder: Path, adapter: Path | None, machine: Machine, settings: Describe) -> _Generator:
    try:
        # transformers imports torchvision wherever it is installed, needed or not.
        if find_spec("torchvision") is not None:
            ensure_torchvision()
        with quiet():
            processor, model = _processor_and_model(folder, adapter, machine, settings.four_bit)
    except Exception as error:
        # Anything may be wrong with files of this size, and each library of the stack has errors of its own.
        if out_of_memory(error):
            raise RecipeError(
                f"describe.model: {folder} does not fit into the memory of {machine.device}",
                "choose a smaller model, set describe.four_bit = true, or use an openai endpoint",
            ) from error
        what = (str(error).strip().splitlines() or [type(error).__name__])[0]
        told = f"{folder} with the adapter {adapter}" if adapter else str(folder)
        raise RecipeError(
            f"describe.model: {told} cannot be loaded: {what}",
            "give a model that transformers lists as image-text-to-text, and an adapter that was trained on it",
        ) from error
    return _Generator(processor, model, machine, settings.max_tokens)


def _processor_and_model(folder: Path, adapter: Path | None, machine: Machine, four_bit: bool) -> tuple[Any, Any]:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processors: Any = AutoProcessor
    processor = processors.from_pretrained(folder, local_files_only=True)
    if getattr(processor, "chat_template", None) is None:
        raise ValueError("it has no chat template, so nothing says how a question is put to it")
    tokenizer = processor.tokenizer
    # Answers start where the questions end, so short questions are filled up on their left.
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    how: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "dtype": machine.dtype}
    if four_bit:
        import transformers

        four_bits: Any = transformers.BitsAndBytesConfig
        how["quantization_config"] = four_bits(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=machine.dtype
        )
        how["device_map"] = {"": 0}
    model: Any = AutoModelForImageTextToText.from_pretrained(folder, **how)
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter))
        # Weights of four bits would lose what is merged into them.
        model = model if four_bit else model.merge_and_unload()
    return processor, (model if four_bit else model.to(machine.device)).eval()


def _adapter_folder(path: Path) -> Path:
    if (path / "adapter_config.json").is_file():
        return path
    raise RecipeError(
        f"describe.adapter: {path} holds no adapter_config.json", "give the folder that training saved, or leave it out"
    )


def _check_four_bit(machine: Machine) -> None:
    if machine.device != "cuda":
        raise RecipeError(
            f"describe.four_bit needs a CUDA GPU, this machine offers {machine.device}", "set it to false"
        )
    if find_spec("bitsandbytes") is None:
        raise RecipeError("describe.four_bit needs the package bitsandbytes", "run pip install bitsandbytes")
