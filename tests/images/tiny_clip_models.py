"""Models of the CLIP family with a few random weights, written as folders in the form that people download.

Importing this makes sure that torchvision can be imported, which all three libraries do.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from persrv.images.encoders.torchvision_shim import ensure_torchvision

ensure_torchvision()

CHINESE = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"猫狗笑哭开心a"]


def seeded(seed: int) -> None:
    torch.manual_seed(seed)


def write_openclip(folder: Path, seed: int = 0, weights: bool = True) -> Path:
    import open_clip

    shape = {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    folder.mkdir()
    content = {"model_cfg": shape, "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    if weights:
        seeded(seed)
        torch.save(open_clip.CLIP(**shape).state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def write_chinese_clip(folder: Path, seed: int = 0) -> Path:
    from transformers import BertTokenizerFast, ChineseCLIPConfig, ChineseCLIPModel

    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    seeded(seed)
    model = ChineseCLIPModel(
        ChineseCLIPConfig(
            text_config={**small, "vocab_size": len(CHINESE), "max_position_embeddings": 64},
            vision_config={**small, "image_size": 32, "patch_size": 16},
            projection_dim=20,
        )
    )
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(CHINESE), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def write_sentence_clip(folder: Path, seed: int = 0) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    source = folder.with_name(folder.name + "-parts")
    source.mkdir()
    (source / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (source / "merges.txt").write_text("#version: 0.2\n")
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    seeded(seed)
    model = CLIPModel(
        CLIPConfig(
            text_config={**small, "vocab_size": len(words), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1},
            vision_config={**small, "image_size": 32, "patch_size": 16},
            projection_dim=28,
        )
    )
    model.save_pretrained(source)
    CLIPProcessor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer=CLIPTokenizer(str(source / "vocab.json"), str(source / "merges.txt")),
    ).save_pretrained(source)
    SentenceTransformer(modules=[Transformer(str(source))], device="cpu").save(str(folder))
    return folder
