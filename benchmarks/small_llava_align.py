"""The first stage of a LLaVA's training in closed form: pictures are brought near the words that people type for them.

The projector's second layer is fitted by ridge regression, from what its first layer says of a training picture,
averaged over patches, to the mean vector of the words typed for it. No step of gradient is made, so it takes half a
minute; what the adapter then learns is to read such vectors, and the form of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from persrv.reading.describe.pretrained import prepare_import
from persrv.reading.describe.quiet import quiet
from persrv.training.examples import Example

RIDGE = 1.0
"""Times the mean variance. First chosen by the words found on held-out stickers; on training stickers that are left
out 0.1 to 1 are alike."""
_AT_ONCE = 32


@torch.no_grad()
def align(folder: Path, data: Path, examples: Sequence[Example]) -> None:
    """Fit a saved model's projector, in place.

    Args:
        folder: The model's.
        data: The prepared data's, where the pictures lie.
        examples: Training stickers.
    """
    prepare_import()
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    with quiet():
        model: Any = LlavaForConditionalGeneration.from_pretrained(folder)
        processors: Any = AutoProcessor
        processor = processors.from_pretrained(folder)
    words = model.model.language_model.embed_tokens.weight
    average = words.mean(dim=0)
    targets = torch.stack([_typed(example, processor.tokenizer, words) for example in examples]) - average
    projector, parts = model.model.multi_modal_projector, []
    for start in range(0, len(examples), _AT_ONCE):
        pictures = [example.opened(data) for example in examples[start : start + _AT_ONCE]]
        pixels = processor.image_processor(pictures, return_tensors="pt")["pixel_values"]
        seen = model.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-2][:, 1:]
        parts.append(projector.act(projector.linear_1(seen)).mean(dim=1))
    inputs = torch.cat(parts)
    middle = inputs.mean(dim=0)
    centred = inputs - middle
    covariance = centred.T @ centred / len(inputs)
    ridge = RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance))
    weights = torch.linalg.solve(covariance + ridge, centred.T @ (targets - targets.mean(dim=0)) / len(inputs))
    weights *= words.std() / (centred @ weights).std()
    _replace(folder, {"linear_2.weight": weights.T.contiguous(), "linear_2.bias": average - middle @ weights})


def _replace(folder: Path, found: dict[str, torch.Tensor]) -> None:
    """Write some of the projector's tensors into the model's file, which transformers would not save again."""
    file = folder / "model.safetensors"
    content = load_file(file)
    for name, tensor in found.items():
        (key,) = (key for key in content if key.endswith(f"multi_modal_projector.{name}"))
        content[key] = tensor
    save_file(content, file, metadata={"format": "pt"})


def _typed(example: Example, tokenizer: Any, words: torch.Tensor) -> torch.Tensor:
    texts = [f" {query.text}" for query in example.queries]
    tokens = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    return torch.stack([words[found].mean(dim=0) for found in tokens]).mean(dim=0)
