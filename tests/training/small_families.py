"""Models of each family that training names: the real classes and the hub's picture layouts, two layers small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from training_data import Prepared

from persrv.reading.describe.pretrained import prepare_import
from persrv.reading.describe.quiet import quiet
from persrv.training.examples import read_examples
from persrv.training.tiny import CHAT_TEMPLATE

QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Qwen2-VL's, without tools, videos and the default system message: picture and text stay in the order given."""
_LANGUAGE = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
}


def tokenizer(prepared: Prepared, special: list[str], end: str) -> Any:
    """A byte-level BPE tokenizer, trained on the data, with the family's special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1200,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    examples = read_examples(prepared.data, "train")
    made.train_from_iterator((f"{example.question} {example.answer}" for example in examples), trainer)
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=made, eos_token=end, pad_token="<pad>", additional_special_tokens=special)


def llava_next(prepared: Prepared, folder: Path) -> Path:
    """LLaVA-NeXT as on the hub: 336 pixels, patches of 14, up to five tiles."""
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaNextConfig,
        LlavaNextForConditionalGeneration,
        LlavaNextImageProcessor,
        LlavaNextProcessor,
    )

    words = tokenizer(prepared, ["<pad>", "</s>", "<image>"], "</s>")
    pinpoints = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=336,
        patch_size=14,
        projection_dim=32,
    )
    config = LlavaNextConfig(
        vision_config=vision,
        text_config=LlamaConfig(vocab_size=len(words), eos_token_id=words.eos_token_id, pad_token_id=0, **_LANGUAGE),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=pinpoints,
        vision_feature_layer=-2,
    )
    side = {"height": 336, "width": 336}
    images: Any = LlavaNextImageProcessor
    processors: Any = LlavaNextProcessor
    processor = processors(
        image_processor=images(size={"shortest_edge": 336}, crop_size=side, image_grid_pinpoints=pinpoints),
        tokenizer=words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    return _saved(LlavaNextForConditionalGeneration(config), processor, folder)


def _qwen(prepared: Prepared, folder: Path, parts: Callable[[Any], tuple[Any, Any, Any]], vision: Any) -> Path:
    special = ["<pad>", "<|im_end|>", "<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
    words = tokenizer(prepared, [*special, "<|video_pad|>"], "<|im_end|>")
    number = words.convert_tokens_to_ids
    ids = {
        "image_token_id": number("<|image_pad|>"),
        "video_token_id": number("<|video_pad|>"),
        "vision_start_token_id": number("<|vision_start|>"),
        "vision_end_token_id": number("<|vision_end|>"),
    }
    text = {
        **_LANGUAGE,
        "vocab_size": len(words),
        "eos_token_id": words.eos_token_id,
        "pad_token_id": 0,
        "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0},
    }
    import transformers

    library: Any = transformers
    made, config, processor_class = parts(library)
    pixels = {"shortest_edge": 28 * 28 * 4, "longest_edge": 28 * 28 * 64}
    images = library.Qwen2VLImageProcessor(size=pixels)
    processor = processor_class(
        image_processor=images,
        tokenizer=words,
        video_processor=library.Qwen2VLVideoProcessor(size=pixels),
        chat_template=QWEN_TEMPLATE,
    )
    return _saved(made(config(vision_config=vision, text_config=text, **ids)), processor, folder)


def qwen2(prepared: Prepared, folder: Path) -> Path:
    """Qwen2-VL."""
    vision = {"depth": 2, "embed_dim": 32, "num_heads": 2, "hidden_size": 64, "mlp_ratio": 2}
    return _qwen(
        prepared,
        folder,
        lambda library: (library.Qwen2VLForConditionalGeneration, library.Qwen2VLConfig, library.Qwen2VLProcessor),
        vision,
    )


def qwen2_5(prepared: Prepared, folder: Path) -> Path:
    """Qwen2.5-VL."""
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "num_heads": 2,
        "intermediate_size": 64,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [1],
    }
    return _qwen(
        prepared,
        folder,
        lambda library: (
            library.Qwen2_5_VLForConditionalGeneration,
            library.Qwen2_5_VLConfig,
            library.Qwen2_5_VLProcessor,
        ),
        vision,
    )


FAMILIES: Mapping[str, Callable[[Prepared, Path], Path]] = {
    "LLaVA-NeXT": llava_next,
    "Qwen2-VL": qwen2,
    "Qwen2.5-VL": qwen2_5,
}


def _saved(model: Any, processor: Any, folder: Path) -> Path:
    with quiet():
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    return folder


def built(family: str, prepared: Prepared, folder: Path) -> Path:
    """Save a small model of a family with random weights, and return its folder."""
    prepare_import()
    torch.manual_seed(0)
    with quiet():
        return FAMILIES[family](prepared, folder)
