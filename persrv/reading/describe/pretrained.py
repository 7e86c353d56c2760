"""Loading a saved vision-language model and its processor."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from persrv.images.encoders.torchvision_shim import ensure_torchvision


def prepare_import() -> None:
    """Make transformers' model classes importable: it imports torchvision wherever that is installed, needed or not."""
    if find_spec("torchvision") is not None:
        ensure_torchvision()


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


def load_model(folder: Path, dtype: torch.dtype, four_bit: bool = False, gpu: int = 0) -> Any:
    """Return a saved model; weights in four bits on a GPU, all others on the CPU.

    Args:
        folder: The saved model.
        dtype: Of the weights, or of what is computed with them where they have four bits.
        four_bit: NF4 (Dettmers et al. 2023, "QLoRA").
        gpu: Number of the GPU for weights in four bits.

    Raises:
        Exception: Whatever transformers raises.
    """
    from transformers import AutoModelForImageTextToText

    how: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "dtype": dtype}
    if four_bit:
        import transformers

        four_bits: Any = transformers.BitsAndBytesConfig
        how["quantization_config"] = four_bits(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
        how["device_map"] = {"": gpu}
    return AutoModelForImageTextToText.from_pretrained(folder, **how)
