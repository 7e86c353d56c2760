"""What a GPU and several processes ask for, as far as a CPU can show it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from training_data import Prepared, StopsAt, quick_settings

if any(find_spec(package) is None for package in ("torch", "transformers", "peft", "accelerate", "matplotlib")):
    pytest.skip("the extra train is not installed", allow_module_level=True)

import torch
from safetensors.torch import load_file

from persrv.reading.describe.asking import DescriberInput
from persrv.reading.describe.generating import Generator
from persrv.reading.describe.pretrained import load_model, load_processor
from persrv.training import train
from persrv.training.base import adapted_model, processor_of
from persrv.training.collating import Collator
from persrv.training.examples import read_examples
from persrv.training.hardware import Hardware, bundles
from persrv.training.log import read_log
from persrv.training.loss import answer_loss
from persrv.training.prefetch import prefetched
from persrv.training.settings import TrainingSettings

WEIGHTS = "adapter_model.safetensors"
BFLOAT16 = {"precision": "bfloat16", "device": "cpu", "dropout": 0.0}


def test_in_bfloat16_weights_that_are_trained_stay_float32_and_all_of_them_move(prepared: Prepared) -> None:
    """The defect: with steps of 5e-5, 43 % of the projector's weights did not move: bfloat16 rounded them."""
    settings = quick_settings(prepared, **BFLOAT16)
    hardware = Hardware(settings)
    model = adapted_model(prepared.base, settings, hardware).train()
    formats = {(weight.requires_grad, weight.dtype) for weight in model.parameters()}
    assert formats == {(True, torch.float32), (False, torch.bfloat16)}
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    before = {name: weight.detach().clone() for name, weight in trained.items()}
    optimizer = torch.optim.AdamW(trained.values(), 5e-5, weight_decay=0.0)
    batch = hardware.to_device(
        Collator(processor_of(prepared.base), prepared.data)(read_examples(prepared.data, "train"))
    )
    for _ in range(8):
        optimizer.zero_grad()
        with hardware.autocast():
            loss = answer_loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    projector = [name for name in trained if "multi_modal_projector" in name and name.endswith("weight")]
    assert len(projector) == 2
    for name in projector:
        assert float((trained[name] == before[name]).float().mean()) < 0.01


def test_a_training_in_bfloat16_learns_answers_and_is_resumed(prepared: Prepared, tmp_path: Path) -> None:
    given = quick_settings(prepared, **BFLOAT16, epochs=12, validation_answers=2, max_tokens=8)
    with pytest.raises(KeyboardInterrupt):
        train(prepared.data, tmp_path, given, progress=StopsAt(4))
    report = train(prepared.data, tmp_path, given)
    assert report.resumed_at == 3
    assert {"validation_loss", "keyword_recall", "word_recall"} == report.metrics.keys()
    losses = [float(row["loss"]) for row in read_log(tmp_path) if row["loss"]]
    assert losses[-1] < 0.6 * losses[0]
    assert {weight.dtype for weight in load_file(tmp_path / WEIGHTS).values()} == {torch.float32}


def test_in_bfloat16_a_model_in_training_answers(prepared: Prepared) -> None:
    """Modules in float32 among others in bfloat16 would clash, and every answer would count as none."""
    settings = quick_settings(prepared, **BFLOAT16)
    hardware = Hardware(settings)
    model = adapted_model(prepared.base, settings, hardware).eval()
    example = read_examples(prepared.data, "validation")[0]
    generator = Generator(load_processor(prepared.base), model, hardware.machine, 8)
    with hardware.autocast():
        (answer,) = generator([DescriberInput(example.opened(prepared.data), example.question)])
    assert isinstance(answer, str)


@pytest.mark.parametrize("checkpointing", ["on", "off"])
def test_the_frozen_tower_is_outside_the_graph(prepared: Prepared, checkpointing: str) -> None:
    settings = quick_settings(prepared, gradient_checkpointing=checkpointing, whole=("multi_modal_projector",))
    model = adapted_model(prepared.base, settings, Hardware(settings)).train()
    outputs: list[torch.Tensor] = []
    tower = next(module for name, module in model.named_modules() if name.endswith("vision_tower"))
    tower.register_forward_hook(lambda module, given, output: outputs.append(output.last_hidden_state))
    batch = Collator(processor_of(prepared.base), prepared.data)(read_examples(prepared.data, "train")[:2])
    answer_loss(model, batch).backward()  # type: ignore[no-untyped-call]
    assert [output.requires_grad for output in outputs] == [False]
    assert all(weight.grad is not None for weight in model.parameters() if weight.requires_grad)


def test_weights_are_loaded_straight_to_the_device(prepared: Prepared) -> None:
    """Torch's device without memory takes the place of a GPU: nothing of the model may be on the CPU."""
    model = load_model(prepared.base, torch.float32, torch.device("meta"))
    assert {weight.device.type for weight in model.parameters()} == {"meta"}
    assert {weight.device.type for weight in load_model(prepared.base, torch.float32).parameters()} == {"cpu"}


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_batches_made_ahead_come_in_their_order_each_thread_with_a_maker_of_its_own(threads: int) -> None:
    number = count()

    def maker() -> Callable[[int], tuple[int, int]]:
        mine = next(number)
        return lambda item: (item, mine)

    made = list(prefetched(range(50), maker, threads))
    assert [item for item, _ in made] == list(range(50))
    assert len({mine for _, mine in made}) <= max(threads, 1)


@pytest.mark.parametrize("threads", [0, 2])
def test_a_batch_that_fails_says_so_when_its_turn_comes(threads: int) -> None:
    def maker() -> Callable[[int], int]:
        return lambda item: 10 // (item - 3)

    batches = prefetched(range(9), maker, threads)
    assert [next(batches) for _ in range(3)] == [-4, -5, -10]
    with pytest.raises(ZeroDivisionError):
        next(batches)


def test_threads_change_nothing_that_is_learnt(prepared: Prepared, tmp_path: Path) -> None:
    for threads in (0, 3):
        given = quick_settings(prepared, collating=threads, max_steps=4)
        train(prepared.data, tmp_path / str(threads), given)
    assert (tmp_path / "0" / WEIGHTS).read_bytes() == (tmp_path / "3" / WEIGHTS).read_bytes()


def test_gradients_travel_in_bundles() -> None:
    assert list(bundles([3, 3, 3, 9, 1], most=6)) == [(0, 2), (2, 3), (3, 4), (4, 5)]
    assert list(bundles([1], most=6)) == [(0, 1)]


def together(data: Path, folder: Path, settings: TrainingSettings) -> list[dict[str, Any]]:
    """Train with two processes that share no folder, and return what each reports."""
    file = folder / "settings.toml"
    values = {key: value for key, value in settings.model_dump(mode="json").items() if value is not None}
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()), encoding="utf-8")
    launched = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    script = [str(Path(__file__).with_name("two_hosts.py")), str(data), str(folder), str(file)]
    done = subprocess.run([*launched, *script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"host{rank}.json").read_text()) for rank in (0, 1)]


def test_two_hosts_without_a_shared_folder_agree_on_the_step_and_share_validation(
    prepared: Prepared, tmp_path: Path
) -> None:
    whole = quick_settings(prepared, dropout=0.0, max_steps=6, micro_batch=1, validate_every=3, validation_answers=2)
    alone = train(prepared.data, tmp_path / "alone", whole)
    with pytest.raises(KeyboardInterrupt):
        train(prepared.data, tmp_path / "host0", whole, progress=StopsAt(4))
    first, second = together(prepared.data, tmp_path, whole)
    # The second host has no checkpoint, and goes on from the first one's.
    assert (first["resumed_at"], second["resumed_at"]) == (3, 3)
    assert first["metrics"] == second["metrics"]
    assert first["metrics"] == pytest.approx(alone.metrics, rel=1e-3)
    assert not (tmp_path / "host1").exists()
    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("alone", "host0"))
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, atol=1e-4, rtol=0)
