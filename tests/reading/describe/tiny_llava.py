"""A real LLaVA, small enough to be trained in a test: vision tower, projector, language model, tokenizer, processor.

``build`` makes one with random weights in a folder, ``teach`` trains the model or a LoRA adapter to answer pictures as
the test wants, and saves what it trained. Everything goes through the classes and files of the real models.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from persrv.images.encoders.torchvision_shim import ensure_torchvision
from persrv.reading.describe.quiet import quiet

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | upper }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %} {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""Vicuna's, as LLaVA-1.5 has it."""

_SIDE, _PATCH = 32, 16
_CORPUS = (
    '{"description": "a cat smiles at you", "keywords": ["happy", "cat"], "emotions": ["joy", "sadness"]}',
    "USER: Describe this sticker. ASSISTANT: a red cat, a blue dog, a green bird",
)


def build(folder: Path, texts: Sequence[str] = (), seed: int = 0) -> Path:
    """Save a tiny LLaVA with random weights and return its folder.

    Args:
        folder: Where to.
        texts: What the tokenizer is trained on beside a few phrases: answers that are taught become short.
        seed: Of the weights.
    """
    if find_spec("torchvision") is not None:
        ensure_torchvision()
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = _tokenizer([*_CORPUS, *texts])
    torch.manual_seed(seed)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=_SIDE,
            patch_size=_PATCH,
            projection_dim=64,
        ),
        text_config=LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}),
        tokenizer=tokenizer,
        patch_size=_PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    with quiet():
        LlavaForConditionalGeneration(config).save_pretrained(folder)
        processor.save_pretrained(folder)
    return folder


def teach(
    folder: Path,
    examples: Sequence[tuple[NDArray[np.uint8], str, str]],
    adapter: Path | None = None,
    steps: int = 80,
    seed: int = 0,
) -> float:
    """Train until the examples are known by heart, and save.

    Args:
        folder: A model that :func:`build` made.
        examples: Picture (RGB), question, answer.
        adapter: Where a LoRA adapter is saved that is trained in place of the model; ``None`` trains the model.
        steps: Each sees all examples.
        seed: Of the adapter's weights.

    Returns:
        The last loss.
    """
    from transformers import AutoModelForImageTextToText, AutoProcessor

    torch.manual_seed(seed)
    with quiet():
        processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True)
        if adapter:
            from peft import LoraConfig, get_peft_model

            targets = r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"
            model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets))
        batch = _batch(processor, examples)
        rate = 2e-2 if adapter else 4e-3
        optimiser = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
        loss = torch.zeros(())
        model.train()
        for _ in range(steps):
            loss = model(**batch).loss
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        model.save_pretrained(str(adapter or folder))
    return float(loss.detach())


def _batch(processor: Any, examples: Sequence[tuple[NDArray[np.uint8], str, str]]) -> dict[str, torch.Tensor]:
    """Return padded inputs whose labels cover the answers only."""
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "right"
    prompts = []
    for _, question, _ in examples:
        content = [{"type": "image"}, {"type": "text", "text": question}]
        prompts.append(
            processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        )
    images = [[image] for image, _, _ in examples]
    full = [prompt + answer + tokenizer.eos_token for prompt, (_, _, answer) in zip(prompts, examples, strict=True)]
    inputs = processor(images=images, text=full, padding=True, return_tensors="pt")
    lengths = processor(images=images, text=prompts, padding=True, return_tensors="pt")["attention_mask"].sum(1)
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    for row, length in enumerate(lengths):
        labels[row, :length] = -100
    return {**inputs, "labels": labels}


def _tokenizer(texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=800, special_tokens=special, initial_alphabet=alphabet)
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
