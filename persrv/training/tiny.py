"""A LLaVA small enough for a CPU: to try training out, not to describe stickers well.

Vision tower, projector, language model, tokenizer and processor are those of the real models, with random weights;
the tokenizer is trained on the prepared data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from persrv.errors import RecipeError, SourceError
from persrv.reading.describe.pretrained import prepare_import
from persrv.reading.describe.quiet import quiet
from persrv.training.examples import Example, read_examples

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | upper }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %} {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""Vicuna's roles, as LLaVA-1.5 has them."""

SETTINGS_FILE = "training.toml"
_SETTINGS = """\
# For a model with random weights: everything that speaks is trained as a whole, quickly and often.
model = {model}
whole = ["multi_modal_projector", "embed_tokens", "lm_head"]
r = 32
alpha = 64
learning_rate = 4e-3
warmup = 0.05
epochs = 16
batch = 16
micro_batch = 16
max_tokens = 48
validate_every = 32
validation_answers = 16
"""
_SIDE, _PATCH = 64, 16
_SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "<image>")
_WORDS = 4000
"""Entries of the vocabulary: enough for a question of a thousand characters to become some hundred tokens."""


def build_tiny(folder: str | Path, data: str | Path, *, width: int = 64, layers: int = 2, seed: int = 0) -> Path:
    """Save a tiny LLaVA with random weights, and return its folder.

    Args:
        folder: Where to.
        data: Prepared data; the tokenizer is trained on its questions and answers, the test's left out.
        width: Of both towers, a multiple of 32.
        layers: Of both towers, >= 2.
        seed: Of the weights.

    Raises:
        RecipeError: Width or layers are impossible, or the folder holds something else.
        SourceError: The data is not there, or the folder cannot be written.
    """
    folder, data = Path(folder), Path(data)
    if width < 32 or width % 32 or layers < 2:
        raise RecipeError(f"width = {width}, layers = {layers} is impossible", "give a multiple of 32, and 2 or more")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "config.json").is_file():
        raise RecipeError(f"{folder} is not empty and holds no model", "give another folder")
    examples = [*read_examples(data, "train"), *read_examples(data, "validation")]
    prepare_import()
    tokenizer = _tokenizer(examples)
    torch.manual_seed(seed)
    try:
        with quiet():
            _model(tokenizer, width, layers).save_pretrained(folder)
            _processor(tokenizer).save_pretrained(folder)
        quoted = json.dumps(str(folder.resolve()), ensure_ascii=False)
        (folder / SETTINGS_FILE).write_text(_SETTINGS.format(model=quoted), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{folder} cannot be written: {error}", "give another folder") from error
    return folder


def _model(tokenizer: Any, width: int, layers: int) -> Any:
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    heads = width // 32
    vision = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        image_size=_SIDE,
        patch_size=_PATCH,
        projection_dim=width,
    )
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=4096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )
    return LlavaForConditionalGeneration(config)


def _processor(tokenizer: Any) -> Any:
    from transformers import CLIPImageProcessor, LlavaProcessor

    processor: Any = LlavaProcessor
    return processor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}),
        tokenizer=tokenizer,
        patch_size=_PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def _tokenizer(examples: list[Example]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))  # noqa: S106  a token of text
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_WORDS,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((f"{example.question} {example.answer}" for example in examples), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    fast: Any = PreTrainedTokenizerFast
    return fast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",  # noqa: S106
        bos_token="<s>",  # noqa: S106
        eos_token="</s>",  # noqa: S106
        pad_token="<pad>",  # noqa: S106
    )
