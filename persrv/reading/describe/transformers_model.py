"""A vision-language model in this process, through transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from persrv.errors import PersrvError, RecipeError
from persrv.reading.describe.asking import DescriberInput, NoAnswer
from persrv.reading.describe.batching import Batches
from persrv.reading.describe.generating import TEMPLATE_QUESTION, Chat, Generator
from persrv.reading.describe.machine import Machine, out_of_memory
from persrv.reading.describe.model_folder import folder_fingerprint, model_folder
from persrv.reading.describe.pretrained import load_model, load_processor, loading_advice
from persrv.reading.describe.provenance import Provenance, check_base
from persrv.reading.describe.quiet import quiet
from persrv.reading.describe.setting_names import SettingNames, recipe_key
from persrv.recipe import Describe

DEFAULT_MODEL = "llava-hf/llava-1.5-7b-hf"


class TransformersModel:
    """Any image-text-to-text model of transformers, with an optional LoRA adapter.

    The files are found at once, the weights loaded with the first question.

    Args:
        settings: ``model`` (a hub name or a folder), ``adapter``, ``revision``, ``batch``, ``max_tokens``, ``device``,
            ``dtype`` and ``four_bit`` are used.
        names: How messages call the settings.

    Raises:
        RecipeError: Model, adapter or device are not there, or ``four_bit`` is asked for where it cannot be had.
    """

    def __init__(self, settings: Describe, names: SettingNames = recipe_key) -> None:
        self._settings = settings
        self._names = names
        self._machine = Machine.choose(settings, names)
        if settings.four_bit:
            check_four_bit(self._machine, names)
        self._folder = model_folder(settings.model or DEFAULT_MODEL, settings.revision, names)
        self._adapter = _adapter_folder(settings.adapter, names) if settings.adapter else None
        if self._adapter:
            check_base(self._adapter, self._folder)

    @property
    def trained(self) -> Path:
        """The folder that says what the model was trained on, if persrv trained it: the adapter's, else its own."""
        return self._adapter or self._folder

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
            folder_fingerprint(self._folder),
            folder_fingerprint(self._adapter) if self._adapter else "",
            str(self._settings.max_tokens),
            self._settings.dtype,
            str(self._settings.four_bit),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def answer(self, questions: Sequence[DescriberInput]) -> list[str | NoAnswer]:
        """Return one answer a question by greedy decoding, in batches that shrink when memory runs out.

        Raises:
            RecipeError: The files are there, but no such model can be made of them.
        """
        return self._batches(questions) if questions else []

    @cached_property
    def _batches(self) -> Batches[DescriberInput]:
        generator = _load(self._folder, self._adapter, self._machine, self._settings, self._names)
        return Batches(self._settings.batch, generator, out_of_memory, self._machine.release)


def _load(folder: Path, adapter: Path | None, machine: Machine, settings: Describe, names: SettingNames) -> Generator:
    try:
        with quiet():
            processor = load_processor(folder)
            if adapter:
                _check_template(adapter, folder, processor)
            model = load_model(folder, machine.dtype, machine.device, four_bit=settings.four_bit)
            if adapter:
                model = _with_adapter(model, adapter, settings.four_bit)
            model.eval()
    except PersrvError:
        raise
    except Exception as error:
        # Anything may be wrong with files of this size, and each library of the stack has errors of its own.
        if out_of_memory(error):
            raise RecipeError(
                f"{names('model')}: {folder} does not fit into the memory of {machine.device}",
                f"choose a smaller model, set {names('four_bit')}, or use an openai endpoint",
            ) from error
        what = (str(error).strip().splitlines() or [type(error).__name__])[0]
        whole = f"{folder} with the adapter {adapter}" if adapter else str(folder)
        raise RecipeError(
            f"{names('model')}: {whole} cannot be loaded: {what}",
            loading_advice(error) + (", and an adapter that was trained on it" if adapter else ""),
        ) from error
    return Generator(processor, model, machine, settings.max_tokens)


def _with_adapter(model: Any, adapter: Path, four_bit: bool) -> Any:
    from peft import PeftModel

    adapted: Any = PeftModel.from_pretrained(model, str(adapter))
    # Weights of four bits would lose what is merged into them.
    return adapted if four_bit else adapted.merge_and_unload()


def _check_template(adapter: Path, folder: Path, processor: Any) -> None:
    known = Provenance.read(adapter)
    if known and known.template and known.template != Chat(processor).prompt(TEMPLATE_QUESTION):
        raise RecipeError(
            f"the adapter {adapter} was trained with another chat template than {folder} has now",
            "give describe.revision the commit of the model that it was trained with, or train it again",
        )


def _adapter_folder(path: Path, names: SettingNames) -> Path:
    if (path / "adapter_config.json").is_file():
        return path
    raise RecipeError(
        f"{names('adapter')}: {path} holds no adapter_config.json",
        "give the folder that training saved, or leave it out",
    )


def check_four_bit(machine: Machine, names: SettingNames) -> None:
    """Check that weights of four bits can be had here.

    Raises:
        RecipeError: There is no CUDA GPU, or bitsandbytes is missing.
    """
    if machine.device != "cuda":
        raise RecipeError(f"{names('four_bit')} needs a CUDA GPU, this machine offers {machine.device}", "leave it out")
    if find_spec("bitsandbytes") is None:
        raise RecipeError(f"{names('four_bit')} needs the package bitsandbytes", "run pip install bitsandbytes")
