"""Loading a saved vision-language model and its processor."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from persrv.images.encoders.torchvision_shim import ensure_torchvision


def prepare_import() -> None:
    """Make transformers' model classes importable: it imports torchvision wherever that is installed, needed or not."""
    if find_spec("torchvision") is not None:
        ensure_torchvision()


def loading_advice(error: Exception) -> str:
    """Return what to do about a model that transformers cannot load."""
    if "torchvision" in str(error).lower():
        return "run pip install torchvision, which models such as Qwen2-VL need"
    return "give a model that transformers lists as image-text-to-text"


def load_processor(folder: Path, padding_side: str = "left") -> Any:
    """Return a model's processor, ready for batches.

    Args:
        folder: The saved model.
        padding_side: ``"left"`` for answering: answers start where the questions end. ``"right"`` for training.

    Raises:
        ValueError: It has no chat template. Other errors of transformers are raised as they are.
    """
    prepare_import()
    from transformers import AutoProcessor

    processors: Any = AutoProcessor
    processor = processors.from_pretrained(folder, local_files_only=True)
    if getattr(processor, "chat_template", None) is None:
        raise ValueError("it has no chat template, so nothing says how a question is put to it")
    tokenizer = processor.tokenizer
    tokenizer.padding_side = padding_side
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def load_model(
    folder: Path,
    dtype: torch.dtype,
    device: torch.device | str = "cpu",
    *,
    four_bit: bool = False,
    whole: Sequence[str] = (),
) -> Any:
    """Return a saved model on a device.

    Weights go from the file to the device one by one: host memory never holds the model, however many processes load.

    Args:
        folder: The saved model.
        dtype: Of the weights, or of what is computed with them where they have four bits.
        device: Where to.
        four_bit: The language model's layers in NF4 (Dettmers et al. 2023, "QLoRA"); all others stay in ``dtype``.
        whole: Last names of modules that stay in ``dtype``, because they are to be trained.

    Raises:
        Exception: Whatever transformers raises.
    """
    from transformers import AutoModelForImageTextToText

    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "dtype": dtype}
    if torch.device(device).type != "cpu":
        options["device_map"] = {"": torch.device(device)}
    if four_bit:
        import transformers

        four_bits: Any = transformers.BitsAndBytesConfig
        options["quantization_config"] = four_bits(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=dtype,
            llm_int8_skip_modules=unquantised_modules(folder, whole),
        )
    return AutoModelForImageTextToText.from_pretrained(folder, **options)


def unquantised_modules(folder: Path, whole: Sequence[str] = ()) -> list[str]:
    """Return the modules of a saved model that keep their precision in four bits: all outside the language model.

    Vision tower and projector are small, and what is rounded there cannot be learnt back by an adapter of the language
    model; the output layer chooses between words that differ little.

    Args:
        folder: The saved model; its weights are not read.
        whole: Last names of further modules.

    Raises:
        Exception: Whatever transformers raises.
    """
    from transformers import AutoConfig, AutoModelForImageTextToText

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    models: Any = AutoModelForImageTextToText
    with torch.device("meta"):
        model = models.from_config(config)
    outside = [f"model.{name}" for name, _ in model.model.named_children() if name != "language_model"]
    named = [name for name, _ in model.named_modules() if name.rpartition(".")[2] in whole]
    return sorted({*outside, *named, "lm_head"})
