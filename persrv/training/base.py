"""The model that is trained: a base model with a fresh or a known adapter."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from persrv.errors import PersrvError, RecipeError
from persrv.reading.describe.machine import out_of_memory
from persrv.reading.describe.model_folder import model_folder
from persrv.reading.describe.pretrained import load_model, load_processor, loading_advice, prepare_import
from persrv.reading.describe.quiet import quiet
from persrv.reading.describe.setting_names import training_key
from persrv.reading.describe.transformers_model import DEFAULT_MODEL
from persrv.training.hardware import Hardware
from persrv.training.settings import FREE, TrainingSettings


def base_folder(settings: TrainingSettings) -> Path:
    """Return the base model's folder.

    Raises:
        RecipeError: It is not there.
    """
    return model_folder(settings.model or DEFAULT_MODEL, settings.revision, training_key)


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

    Vision tower and projector are frozen, unless ``settings.whole`` names them. Weights that are trained are float32,
    whatever format the others have: in bfloat16, small updates would be rounded away.

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
            model = load_model(
                folder, hardware.machine.dtype, hardware.device, four_bit=settings.four_bit, whole=settings.whole
            )
            if settings.four_bit:
                ready: Any = prepare_model_for_kbit_training
                model = ready(model, use_gradient_checkpointing=False)
            config = LoraConfig(
                r=settings.r,
                lora_alpha=settings.alpha,
                lora_dropout=settings.dropout,
                target_modules=_targets(model, folder),
                modules_to_save=_whole(model, folder, settings.whole),
                task_type="CAUSAL_LM",
            )
            adapted: Any = get_peft_model(model, config)
            if checkpointing:
                # transformers, and peft where checkpointing is on before it comes, make the outputs of all embeddings
                # need gradients, the vision tower's too, for a kind of checkpointing that is not used here: the
                # frozen tower would be differentiated.
                model.gradient_checkpointing_enable({"use_reentrant": False})
                model.disable_input_require_grads()
            for weight in adapted.parameters():
                if weight.requires_grad:
                    weight.data = weight.data.float()
            adapted.peft_config["default"].base_model_name_or_path = settings.model or DEFAULT_MODEL
            return adapted
    except PersrvError:
        raise
    except Exception as error:
        raise _unloadable(folder, error) from error


def smaller(settings: TrainingSettings) -> dict[str, Any]:
    """Return the setting that saves most memory and is not made yet, with its new value."""
    if settings.micro_batch > 1:
        return {"micro_batch": settings.micro_batch // 2}
    if settings.gradient_checkpointing != "on":
        return {"gradient_checkpointing": "on"}
    if not settings.four_bit:
        return {"four_bit": True}
    return {"max_length": max(16, settings.max_length // 2)}


def memory_error(settings: TrainingSettings, begun: bool) -> RecipeError:
    """Return what to say when memory ran out.

    Args:
        settings: With which it did.
        begun: Whether the folder holds updates, which only some settings may go on with.
    """
    change = smaller(settings)
    written = ", ".join(f"{key} = {json.dumps(value)}" for key, value in change.items())
    another = begun and not change.keys() <= FREE
    return RecipeError(
        "training does not fit into the device's memory",
        f"set {written}, and " + ("train into another folder" if another else "run the same command again"),
    )


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
    return RecipeError(f"the model {folder} cannot be loaded: {what}", loading_advice(error))
