"""The model that is trained: a base model with a fresh or a known adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from persrv.errors import PersrvError, RecipeError
from persrv.reading.describe.machine import out_of_memory
from persrv.reading.describe.model_folder import model_folder
from persrv.reading.describe.pretrained import load_model, load_processor, prepare_import
from persrv.reading.describe.quiet import quiet
from persrv.reading.describe.transformers_model import DEFAULT_MODEL
from persrv.training.hardware import Hardware
from persrv.training.settings import TrainingSettings


def base_folder(settings: TrainingSettings) -> Path:
    """Return the base model's folder.

    Raises:
        RecipeError: It is not there, or four bits are asked for without bitsandbytes.
    """
    if settings.four_bit and find_spec("bitsandbytes") is None:
        raise RecipeError("four_bit needs the package bitsandbytes", "run pip install bitsandbytes")
    return model_folder(settings.model or DEFAULT_MODEL, settings.revision)


def processor_of(folder: Path) -> Any:
    """Return the base model's processor, padding on the right.

    Raises:
        RecipeError: It cannot be loaded.
    """
    try:
        with quiet():
            return load_processor(folder, "right")
    # Each library of the stack has errors of its own.
    except Exception as error:
        raise _unloadable(folder, error) from error


def adapted_model(folder: Path, settings: TrainingSettings, hardware: Hardware) -> Any:
    """Load the base model and put a fresh adapter on all linear layers of its language model.

    Vision tower and projector are frozen, unless ``settings.whole`` names them. The adapter's weights are float32.

    Raises:
        RecipeError: The model cannot be loaded, does not fit into memory, or is of a kind that training does not know.
    """
    prepare_import()
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    hardware.seed(settings.seed)
    checkpointing = settings.gradient_checkpointing == "on" or (
        settings.gradient_checkpointing == "auto" and hardware.device.type != "cpu"
    )
    try:
        with quiet():
            model = load_model(folder, hardware.machine.dtype, settings.four_bit, hardware.device.index or 0)
            if settings.four_bit:
                ready: Any = prepare_model_for_kbit_training
                model = ready(model, use_gradient_checkpointing=False)
            else:
                model = model.to(hardware.device)
            if checkpointing:
                model.gradient_checkpointing_enable({"use_reentrant": False})
            config = LoraConfig(
                r=settings.r,
                lora_alpha=settings.alpha,
                lora_dropout=settings.dropout,
                target_modules=_targets(model, folder),
                modules_to_save=_whole(model, folder, settings.whole),
                task_type="CAUSAL_LM",
            )
            adapted: Any = get_peft_model(model, config)
            adapted.peft_config["default"].base_model_name_or_path = settings.model or DEFAULT_MODEL
            return adapted
    except PersrvError:
        raise
    except Exception as error:
        raise _unloadable(folder, error) from error


def memory_error(settings: TrainingSettings) -> RecipeError:
    """Return what to say when memory ran out: the setting that helps most and is not made yet."""
    if settings.micro_batch > 1:
        step = f"set micro_batch = {settings.micro_batch // 2} (it changes nothing that is learnt)"
    elif settings.gradient_checkpointing != "on":
        step = 'set gradient_checkpointing = "on"'
    elif not settings.four_bit:
        step = "set four_bit = true"
    else:
        step = "set a smaller max_length, or train a smaller model"
    return RecipeError("training does not fit into the device's memory", f"{step}, and run the same command again")


def _targets(model: Any, folder: Path) -> str:
    """Return a pattern of the language model's linear layers."""
    names = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "language_model." in name
    }
    if not names:
        raise RecipeError(
            f"{folder} holds no language model that training knows ({type(model).__name__})",
            "give a model of the LLaVA or Qwen-VL kind",
        )
    return rf".*\blanguage_model\..*\.({'|'.join(map(re.escape, sorted(names)))})"


def _whole(model: Any, folder: Path, names: Sequence[str]) -> list[str] | None:
    known = {name.rpartition(".")[2] for name, _ in model.named_modules()} - {""}
    if missing := sorted(set(names) - known):
        large = sorted({name.rpartition(".")[2] for name, _ in model.named_modules() if 0 < name.count(".") <= 2})
        raise RecipeError(
            f"whole names {missing[0]!r}, which {folder} does not have", f"use some of {', '.join(large)}"
        )
    return list(names) or None


def _unloadable(folder: Path, error: Exception) -> RecipeError:
    if out_of_memory(error):
        return RecipeError(
            f"the model {folder} does not fit into the device's memory", "choose a smaller one, or set four_bit = true"
        )
    what = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return RecipeError(
        f"the model {folder} cannot be loaded: {what}", "give a model that transformers lists as image-text-to-text"
    )
