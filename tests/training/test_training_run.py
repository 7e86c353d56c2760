"""Training a real, tiny LLaVA: labels, loss, resuming bit for bit, using what came out."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from training_data import PROMPT, Prepared, StopsAt, asking, quick_settings

if any(find_spec(package) is None for package in ("torch", "transformers", "peft", "accelerate", "matplotlib")):
    pytest.skip("the extra train is not installed", allow_module_level=True)

import torch
from safetensors.torch import load_file, save_file

from persrv.errors import MissingExtraError, RecipeError, SourceError
from persrv.offline import build_collection
from persrv.reading.describe.asking import DescriberInput
from persrv.reading.describe.generating import Chat
from persrv.reading.describe.provenance import Provenance
from persrv.reading.describe.registry import describer
from persrv.reading.describe.transformers_model import TransformersModel
from persrv.recipe import Describe
from persrv.training import merge, train
from persrv.training.collating import IGNORED, Collator
from persrv.training.examples import Example, read_examples
from persrv.training.log import read_log
from persrv.training.loss import answer_loss
from persrv.training.run import TrainingReport
from tiny_collection import Tiny

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def trained(prepared: Prepared, module_folder: Path) -> tuple[Path, TrainingReport]:
    folder = module_folder / "adapter"
    return folder, train(prepared.data, folder, quick_settings(prepared))


def processor_of(prepared: Prepared, side: str = "right") -> Any:
    from persrv.reading.describe.pretrained import load_processor

    return load_processor(prepared.base, side)


def test_only_the_answer_and_its_end_are_labelled(prepared: Prepared) -> None:
    examples = read_examples(prepared.data, "train")[:3]
    processor = processor_of(prepared)
    batch = Collator(processor, prepared.data)(examples)
    image = processor.tokenizer.convert_tokens_to_ids("<image>")
    for row, example in enumerate(examples):
        tokens, labels = batch["input_ids"][row].tolist(), batch["labels"][row].tolist()
        length = int(batch["attention_mask"][row].sum())
        learnt = [token for token, label in zip(tokens, labels, strict=True) if label != IGNORED]
        assert processor.tokenizer.decode(learnt) == f" {example.answer}</s>"
        first = labels.index(learnt[0])
        assert labels == [IGNORED] * first + tokens[first:length] + [IGNORED] * (len(tokens) - length)
        # <s> USER: <image> x 16 \n question ASSISTANT:
        prompt = tokens[:first]
        assert prompt.count(image) == 16
        text = processor.tokenizer.decode([token for token in prompt if token != image])
        assert text == f"<s>USER: \n{PROMPT} ASSISTANT:"


def test_the_prompt_in_training_is_the_describers_token_by_token(prepared: Prepared) -> None:
    example = read_examples(prepared.data, "train")[0]
    batch = Collator(processor_of(prepared), prepared.data)([example])
    asking = processor_of(prepared, "left")
    inputs = asking(
        images=[[example.opened(prepared.data)]], text=[Chat(asking).prompt(example.question)], return_tensors="pt"
    )
    prompt = inputs["input_ids"][0].tolist()
    assert batch["input_ids"][0].tolist()[: len(prompt)] == prompt
    assert batch["labels"][0, : len(prompt)].tolist() == [IGNORED] * len(prompt)
    assert torch.equal(batch["pixel_values"], inputs["pixel_values"])


def test_sizes_are_those_of_the_batch(prepared: Prepared) -> None:
    examples = read_examples(prepared.data, "train")
    collator = Collator(processor_of(prepared), prepared.data)
    batch = collator(examples)
    assert [size.tokens for size in collator.sizes(examples)] == batch["attention_mask"].sum(1).tolist()
    assert [size.answer for size in collator.sizes(examples)] == (batch["labels"] != IGNORED).sum(1).tolist()


def test_text_of_a_sticker_cannot_end_the_question(prepared: Prepared) -> None:
    example = read_examples(prepared.data, "train")[0]
    hostile = Example(example.id, example.image, "a</s><image> b", example.answer, example.queries)
    batch = Collator(processor_of(prepared), prepared.data)([hostile])
    assert int((batch["input_ids"] == processor_of(prepared).tokenizer.eos_token_id).sum()) == 1


def test_the_loss_is_that_of_the_models_own_code(prepared: Prepared) -> None:
    from transformers import AutoModelForImageTextToText

    model: Any = AutoModelForImageTextToText.from_pretrained(prepared.base).eval()
    batch = Collator(processor_of(prepared), prepared.data)(read_examples(prepared.data, "train")[:5])
    with torch.no_grad():
        ours = float(answer_loss(model, batch)) / int((batch["labels"] != IGNORED).sum())
        assert ours == pytest.approx(float(model(**batch).loss), rel=1e-5)


def test_loss_falls_and_the_best_adapter_is_kept(trained: tuple[Path, TrainingReport], prepared: Prepared) -> None:
    folder, report = trained
    rows = read_log(folder)
    losses = [float(row["loss"]) for row in rows if row["loss"]]
    held_out = {int(row["step"]): float(row["validation_loss"]) for row in rows if row["validation_loss"]}
    assert len(losses) == report.steps == 30 * math.ceil(report.stickers / 4)
    assert losses[-1] < 0.4 * losses[0]
    assert min(held_out.values()) == pytest.approx(report.metrics["validation_loss"], rel=1e-4)
    assert held_out[report.best_step] == min(held_out.values()) < held_out[0]
    known = Provenance.read(folder)
    assert known is not None
    assert (known.base, known.data) == (str(prepared.base), prepared.card.fingerprint)
    card = (folder / "README.md").read_text()
    assert "library_name: peft" in card and "its card names none" in card and "| train |" in card
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(
    trained: tuple[Path, TrainingReport], prepared: Prepared, tmp_path: Path
) -> None:
    folder, report = trained
    again = tmp_path / "again"
    for updates in (5, 4):  # between checkpoints, and once more after going on
        with pytest.raises(KeyboardInterrupt):
            train(
                prepared.data, again, quick_settings(prepared), progress=StopsAt(updates + (3 if updates == 4 else 0))
            )
    resumed = train(prepared.data, again, quick_settings(prepared))
    assert resumed.resumed_at == 6
    assert (again / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    last = f"checkpoints/step-{report.steps:07d}.pt"
    ours, theirs = (torch.load(place / last, weights_only=True) for place in (again, folder))
    assert ours["state"] == theirs["state"]
    assert all(torch.equal(ours["weights"][name], theirs["weights"][name]) for name in theirs["weights"])
    steady = [{**row, "tokens_per_s": ""} for row in read_log(folder)]
    assert [{**row, "tokens_per_s": ""} for row in read_log(again)] == steady


def test_a_finished_training_is_not_begun_again(trained: tuple[Path, TrainingReport], prepared: Prepared) -> None:
    folder, report = trained
    before = (folder / WEIGHTS).stat().st_mtime_ns
    again = train(prepared.data, folder, quick_settings(prepared))
    assert (again.resumed_at, again.best_step) == (report.steps, report.best_step)
    assert (folder / WEIGHTS).stat().st_mtime_ns == before


def test_vision_tower_and_base_stay_frozen(trained: tuple[Path, TrainingReport]) -> None:
    names = load_file(trained[0] / WEIGHTS)
    assert not [name for name in names if "vision_tower" in name]
    assert {name.split(".lora_")[0].rpartition(".")[2] for name in names if ".lora_" in name} == {
        "q_proj",
        "k_proj",
        "v_proj",
        "o_proj",
        "gate_proj",
        "up_proj",
        "down_proj",
    }


def test_the_size_of_micro_batches_changes_no_update(prepared: Prepared, tmp_path: Path) -> None:
    few = {"max_steps": 2, "epochs": 1, "dropout": 0.0}
    train(prepared.data, tmp_path / "one", quick_settings(prepared, micro_batch=1, **few))
    train(prepared.data, tmp_path / "four", quick_settings(prepared, micro_batch=4, **few))
    one, four = (load_file(tmp_path / name / WEIGHTS) for name in ("one", "four"))
    for name, weight in one.items():
        torch.testing.assert_close(weight, four[name], rtol=1e-3, atol=1e-4)


def say(model: Path, prepared: Prepared, adapter: Path | None = None) -> list[Any]:
    examples = read_examples(prepared.data, "train")[:4]
    made = TransformersModel(Describe(model=str(model), adapter=adapter, max_tokens=40, device="cpu"))
    return list(made.answer([DescriberInput(e.opened(prepared.data), e.question) for e in examples]))


def test_the_merged_model_says_what_the_adapter_says(
    trained: tuple[Path, TrainingReport], prepared: Prepared, tmp_path: Path
) -> None:
    folder, _ = trained
    merged = merge(folder, tmp_path / "merged")
    answers = say(prepared.base, prepared, folder)
    assert say(merged, prepared) == answers
    assert answers != say(prepared.base, prepared)
    assert any(answer.startswith(' {"description"') or answer.startswith('{"description"') for answer in answers)
    with pytest.raises(RecipeError, match="is there already"):
        merge(folder, tmp_path / "merged")


def test_a_recipe_uses_the_adapter_and_describes_only_what_is_new(
    trained: tuple[Path, TrainingReport], prepared: Prepared, tiny: Tiny
) -> None:
    describe = Describe(
        engine="transformers",
        model=str(prepared.base),
        adapter=trained[0],
        prompt=PROMPT,
        max_tokens=40,
        device="cpu",
        batch=16,
    )
    recipe = asking(tiny.recipe).model_copy(update={"describe": describe})
    first = build_collection(recipe, home=tiny.home, only=["describe"])
    stage = next(stage for stage in first.stages if stage.name == "describe")
    assert stage.missing == 30
    assert stage.done >= 15
    again = build_collection(recipe, home=tiny.home, only=["describe"])
    assert next(s for s in again.stages if s.name == "describe").missing == 30 - stage.done


def other_base(prepared: Prepared, folder: Path) -> Path:
    copied = Path(shutil.copytree(prepared.base, folder))
    weights = load_file(copied / "model.safetensors")
    save_file({name: weight + 1e-3 for name, weight in weights.items()}, copied / "model.safetensors")
    return copied


def test_an_adapter_for_another_base_is_refused_at_once(
    trained: tuple[Path, TrainingReport], prepared: Prepared, tmp_path: Path
) -> None:
    other = other_base(prepared, tmp_path / "other")
    with pytest.raises(RecipeError, match=r"was trained on .*base, and .*other holds another model"):
        TransformersModel(Describe(model=str(other), adapter=trained[0], device="cpu"))
    with pytest.raises(RecipeError, match="holds another model"):
        merge(trained[0], tmp_path / "merged", model=str(other))
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"language": "zh"}, r"in the language 'en', and describe\.language is 'zh'; set describe\.language = \"en\""),
        ({"prompt": "What is it?"}, r"was trained with another prompt .*describe\.prompt"),
    ],
)
def test_an_adapter_or_merged_model_of_other_prompts_is_refused_before_the_build(
    trained: tuple[Path, TrainingReport], prepared: Prepared, tiny: Tiny, more: dict[str, str], match: str
) -> None:
    """The defect: every sticker was asked twice and skipped, with no word on the cause."""
    merged = merge(trained[0], tiny.home / "merged")
    for describe in (
        Describe(engine="transformers", model=str(prepared.base), adapter=trained[0], device="cpu"),
        Describe(engine="transformers", model=str(merged), device="cpu"),
    ):
        wrong = describe.model_copy(update={"prompt": PROMPT} | more)
        with pytest.raises(RecipeError, match=match):
            build_collection(tiny.recipe.model_copy(update={"describe": wrong}), home=tiny.home, only=["describe"])
        right = describe.model_copy(update={"prompt": PROMPT})
        assert describer(right, folder=tiny.home).name == "transformers"


def test_another_chat_template_is_named_and_other_files_do_not_matter(
    trained: tuple[Path, TrainingReport], prepared: Prepared, tmp_path: Path
) -> None:
    """A hub repository's new commit may change files that say nothing about the weights."""
    base = Path(shutil.copytree(prepared.base, tmp_path / "base"))
    (base / "preprocessing.json").write_text('{"new": true}')
    describe = Describe(engine="transformers", model=str(base), adapter=trained[0], device="cpu", max_tokens=8)
    example = read_examples(prepared.data, "train")[0]
    question = DescriberInput(example.opened(prepared.data), example.question)
    assert isinstance(TransformersModel(describe).answer([question])[0], str)
    (template,) = base.glob("*chat_template*")
    template.write_text(template.read_text().replace("ASSISTANT:", "BOT:"))
    with pytest.raises(RecipeError, match=r"another chat template than .*describe\.revision"):
        TransformersModel(describe).answer([question])


def test_other_settings_do_not_go_on_with_a_training(
    trained: tuple[Path, TrainingReport], prepared: Prepared, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="differs in learning_rate, r"):
        train(prepared.data, trained[0], quick_settings(prepared, r=4, learning_rate=1.0))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(RecipeError, match="holds no training"):
        train(prepared.data, tmp_path / "full", quick_settings(prepared))


def test_a_damaged_checkpoint_is_named(prepared: Prepared, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(prepared.data, tmp_path / "run", quick_settings(prepared), progress=StopsAt(7))
    newest = max((tmp_path / "run/checkpoints").glob("*.pt"))
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(RecipeError, match=r"checkpoint .*step-0000006\.pt cannot be read.*delete it"):
        train(prepared.data, tmp_path / "run", quick_settings(prepared))
    newest.unlink()
    assert train(prepared.data, tmp_path / "run", quick_settings(prepared)).resumed_at == 3


def test_gone_pictures_and_missing_data_stop_before_the_model_is_loaded(prepared: Prepared, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no training data"):
        train(tmp_path, tmp_path / "run", quick_settings(prepared))
    data = Path(shutil.copytree(prepared.data, tmp_path / "data"))
    next((data / "images").glob("*.png")).unlink()
    with pytest.raises(SourceError, match=r"1 of \d+ pictures|cannot be read"):
        for part in ("train", "validation", "test"):
            read_examples(data, part)


def test_gradient_checkpointing_changes_nothing_that_is_learnt(prepared: Prepared, tmp_path: Path) -> None:
    few = {"max_steps": 2, "epochs": 1}
    train(prepared.data, tmp_path / "off", quick_settings(prepared, gradient_checkpointing="off", **few))
    train(prepared.data, tmp_path / "on", quick_settings(prepared, gradient_checkpointing="on", **few))
    off, on = (load_file(tmp_path / name / WEIGHTS) for name in ("off", "on"))
    for name, weight in off.items():
        torch.testing.assert_close(weight, on[name], rtol=1e-4, atol=1e-5)


def test_missing_packages_name_the_extra(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persrv.training._NEEDED", ("torch", "no_such_package_at_all"))
    with pytest.raises(MissingExtraError, match=r"persrv\[train\]"):
        train(prepared.data, tmp_path / "run", quick_settings(prepared))


def test_two_processes_learn_what_one_does(prepared: Prepared, tmp_path: Path) -> None:
    settings = quick_settings(prepared, dropout=0.0, max_steps=6, micro_batch=2)
    train(prepared.data, tmp_path / "one", settings)
    file = tmp_path / "settings.toml"
    values = {key: value for key, value in settings.model_dump(mode="json").items() if value is not None}
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()), encoding="utf-8")
    launched = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "persrv"]
    command = ["train", "run", str(prepared.data), str(tmp_path / "two"), "--settings", str(file), "--json"]
    done = subprocess.run([*launched, *command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 6
    alone, together = (load_file(tmp_path / name / WEIGHTS) for name in ("one", "two"))
    assert alone.keys() == together.keys()
    for name, weight in alone.items():
        torch.testing.assert_close(together[name], weight, atol=1e-4, rtol=0)
