"""Training: persrv's loop beside the plain Trainer of transformers, on the same model, adapter and examples.

    python -m benchmarks.training_speed --work FOLDER [--shape tiny|7b] [--steps N] [--turns N]

The model has random weights, which are as fast as learnt ones: ``7b`` has the shape of LLaVA-1.5-7B (a GPU of 80 GB,
and 16 GB of disk in ``--work``), ``tiny`` runs on a CPU. Contenders take turns, each in a process of its own; the
Trainer makes its batches itself, or has four workers make them. Reported are tokens of question, picture and answer a
second (median over updates, the first left out; then the median of the turns, with the least and the most), and the
most memory: of tensors on a GPU, of the process without its workers on a CPU, where it holds the libraries too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
BATCH = 16


def main() -> int:
    """Measure both and write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="holds model, data and runs")
    parser.add_argument("--shape", choices=("tiny", "7b"), default="tiny")
    parser.add_argument("--steps", type=int, default=6, metavar="N", help="updates of 16 stickers")
    parser.add_argument("--turns", type=int, default=3, metavar="N")
    parser.add_argument("--micro-batch", type=int, default=4, metavar="N")
    parser.add_argument("--results", type=Path, metavar="FOLDER", default=RESULTS, help="default %(default)s")
    chosen = parser.parse_args()
    # The Trainer's workers are forks, which threads of tokenizers would not survive.
    os.environ.update({"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"})
    from benchmarks import machine
    from benchmarks.processes import in_fresh_process

    data, base = _data(chosen.work), chosen.work / f"base-{chosen.shape}"
    if not (base / "processor_config.json").is_file():
        in_fresh_process(_model, base, data, chosen.shape)
    before = machine.describe()
    contenders: dict[str, tuple[Callable[..., Any], int]] = {
        "persrv": (_ours, -1),
        "persrv, no threads": (_ours, 0),
        "transformers.Trainer": (_trainer, 0),
        "transformers.Trainer, 4 workers": (_trainer, 4),
    }
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(chosen.turns):
        for name, (run, workers) in contenders.items():
            found = in_fresh_process(run, data, base, chosen.work, chosen.steps, chosen.micro_batch, workers)
            measured[name].append(found)
    lines = [f"# Training speed, shape {chosen.shape}", "", (__doc__ or "").strip(), ""]
    lines += ["| | tokens a second | most memory, MiB |", "| --- | ---: | ---: |"]
    for name, turns in measured.items():
        rates, memory = [rate for rate, _ in turns], statistics.median(memory for _, memory in turns)
        spread = f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
        lines.append(f"| {name} | {spread} | {memory:,.0f} |")
    lines += ["", f"{chosen.steps} updates of {BATCH}, {chosen.micro_batch} at once, gradient checkpointing on.", ""]
    lines += ["## The machine", "", *(f"* {key}: {value}" for key, value in before.items()), ""]
    page = "\n".join(lines)
    chosen.results.mkdir(parents=True, exist_ok=True)
    (chosen.results / f"training-speed-{chosen.shape}.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0


def _data(work: Path) -> Path:
    from persrv.offline import build_collection
    from persrv.training import prepare

    if not (work / "data" / "card.json").is_file():
        build_collection("emoji", home=work / "home", only=["ingest", "look"])
        prepare("emoji", work / "data", home=work / "home")
    return work / "data"


def _model(base: Path, data: Path, shape: str) -> None:
    from persrv.training.tiny import build_tiny

    build_tiny(base, data)
    if shape == "tiny":
        return
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    settings: Any = AutoConfig.from_pretrained(base)
    vision, text = settings.vision_config, settings.text_config
    vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers = 1024, 4096, 24
    vision.num_attention_heads, vision.image_size, vision.patch_size, vision.projection_dim = 16, 336, 14, 768
    text.hidden_size, text.intermediate_size, text.num_hidden_layers = 4096, 11008, 32
    text.num_attention_heads, text.num_key_value_heads, text.vocab_size, text.head_dim = 32, 32, 32064, 128
    models: Any = AutoModelForImageTextToText
    models.from_config(settings, dtype=torch.bfloat16).save_pretrained(base)
    file = base / "processor_config.json"
    content = json.loads(file.read_text())
    content |= {"patch_size": 14}
    content.get("image_processor", {}).update(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336})
    file.write_text(json.dumps(content))


def _settings(base: Path, steps: int, micro_batch: int, threads: int | None = None) -> Any:
    from persrv.training.settings import TrainingSettings

    return TrainingSettings(
        model=str(base),
        max_steps=steps,
        batch=BATCH,
        micro_batch=micro_batch,
        gradient_checkpointing="on",
        validation_stickers=1,
        validation_answers=0,
        validate_every=10_000,
        log_every=1,
        collating=threads,
    )


def _ours(data: Path, base: Path, work: Path, steps: int, micro_batch: int, threads: int) -> tuple[float, float]:
    from persrv.training import train
    from persrv.training.log import read_log

    shutil.rmtree(work / "ours", ignore_errors=True)
    train(data, work / "ours", _settings(base, steps, micro_batch, None if threads < 0 else threads))
    rates = [float(row["tokens_per_s"]) for row in read_log(work / "ours") if row["tokens_per_s"]]
    return statistics.median(rates[1:]), _memory()


def _trainer(data: Path, base: Path, work: Path, steps: int, micro_batch: int, workers: int) -> tuple[float, float]:
    from persrv.training.base import adapted_model, processor_of
    from persrv.training.collating import Collator
    from persrv.training.examples import read_examples
    from persrv.training.hardware import Hardware

    # This process was spawned, and its children would be; the Trainer's workers are forks where nobody says otherwise.
    multiprocessing.set_start_method("fork", force=True)
    settings = _settings(base, steps, micro_batch)
    hardware = Hardware(settings)
    collator = Collator(processor_of(base), data)
    from transformers import Trainer, TrainerCallback, TrainingArguments

    seen, marks = [0], [(time.monotonic(), 0)]

    class Counting(Trainer):  # type: ignore[misc]
        def training_step(self, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            seen[0] += int(inputs["attention_mask"].sum())
            return super().training_step(model, inputs, *more, **named)

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append((time.monotonic(), seen[0]))

    arguments = TrainingArguments(
        output_dir=str(work / "theirs"),
        max_steps=steps,
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=BATCH // micro_batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        bf16=hardware.device.type == "cuda",
        remove_unused_columns=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        use_cpu=hardware.device.type == "cpu",
        dataloader_num_workers=workers,
    )
    examples: Any = read_examples(data, "train")
    model = adapted_model(base, settings, hardware)
    Counting(model, arguments, data_collator=collator, train_dataset=examples, callbacks=[Clock()]).train()
    rates = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(marks[1:])]
    return statistics.median(rates), _memory()


def _memory() -> float:
    import torch

    from benchmarks.processes import peak_mib

    return torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else peak_mib()


if __name__ == "__main__":
    sys.exit(main())
