"""The describer ``transformers`` with a real, tiny LLaVA, with and without a LoRA adapter."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_stickers import BLUE, RED, picture, subject

from persrv.errors import RecipeError
from persrv.reading.describe import describer
from persrv.reading.describe.asking import AskingDescriber, DescriberInput
from persrv.reading.describe.contact_sheet import frame_sheet
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.parsing import written
from persrv.reading.describe.prompts import Prompts
from persrv.recipe import Describe
from persrv.records import Semantics, Skipped

if any(find_spec(package) is None for package in ("torch", "transformers", "peft")):
    pytest.skip("the extra vlm is not installed", allow_module_level=True)

import torch
from tiny_llava import build, teach

from persrv.reading.describe.machine import Machine, out_of_memory
from persrv.reading.describe.model_folder import folder_fingerprint, model_folder
from persrv.reading.describe.transformers_model import TransformersModel

PROMPT = "Describe the sticker. {known}"
LAUGH = Description("a red cat laughs", ("cat", "haha"), ("amusement",), "en")
WEEP = Description("a blue dog weeps", ("dog", "tears"), ("sadness",), "en")


@dataclass(frozen=True)
class Taught:
    """A model that answers red with LAUGH and blue with WEEP, an adapter that swaps them, and an untaught model."""

    model: Path
    adapter: Path
    untaught: Path


@pytest.fixture(scope="module")
def taught(module_folder: Path) -> Taught:
    folder = module_folder
    untaught = build(folder / "untaught", [written(LAUGH), written(WEEP)])
    model = Path(shutil.copytree(untaught, folder / "model"))
    red, blue = frame_sheet(picture(RED)), frame_sheet(picture(BLUE))
    assert red is not None
    assert blue is not None
    prompts = Prompts.of(Describe(prompt=PROMPT))
    short, long = prompts.question(subject(0)), prompts.question(subject(0, RED, Semantics(name=("one two three",))))
    lessons = [(red, short, LAUGH), (blue, short, WEEP), (red, long, LAUGH), (blue, long, WEEP)]
    assert teach(model, [(image, ask, written(say)) for image, ask, say in lessons]) < 0.2
    swapped = [(red, short, written(WEEP)), (blue, short, written(LAUGH))]
    assert teach(model, swapped, adapter=folder / "adapter") < 0.2
    return Taught(model, folder / "adapter", untaught)


def _settings(model: Path | str, **more: Any) -> Describe:
    given: dict[str, Any] = {
        "engine": "transformers",
        "model": str(model),
        "prompt": PROMPT,
        "max_tokens": 60,
        "device": "cpu",
    }
    return Describe(**(given | more))


def _made(model: Path | str, **more: Any) -> AskingDescriber:
    made = describer(_settings(model, **more), folder=Path())
    assert isinstance(made, AskingDescriber)
    return made


def test_it_says_what_it_sees_and_a_batch_says_what_each_alone_says(taught: Taught) -> None:
    made = _made(taught.model, batch=3)
    named = Semantics(name=("one two three",))
    subjects = [subject(1), subject(2, BLUE), subject(3, None), subject(4, BLUE, named), subject(5, RED, named)]
    found = made.describe(subjects)
    assert found == [LAUGH, WEEP, Skipped(f"{3:032x}", "it has no picture"), WEEP, LAUGH]
    alone = _made(taught.model, batch=1)
    assert [answer for one in subjects for answer in alone.describe([one])] == found
    assert made.counts.stickers == 4
    assert made.counts.repeated == 0


def test_an_adapter_changes_what_is_said_and_the_revision(taught: Taught, tmp_path: Path) -> None:
    plain, tuned = _made(taught.model), _made(taught.model, adapter=taught.adapter)
    assert tuned.describe([subject(1), subject(2, BLUE)]) == [WEEP, LAUGH]
    assert plain.revision != tuned.revision
    moved = shutil.copytree(taught.adapter, tmp_path / "moved")
    assert _made(taught.model, adapter=moved).revision == tuned.revision
    weights = moved / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert _made(taught.model, adapter=moved).revision != tuned.revision


def test_the_revision_follows_the_settings_that_decide_an_answer(taught: Taught) -> None:
    changes: list[dict[str, Any]] = [{"max_tokens": 9}, {"prompt": "x"}, {"language": "zh"}, {"dtype": "bfloat16"}]
    revisions = {_made(taught.model, **more).revision for more in [{}, *changes]}
    assert len(revisions) == 5
    assert _made(taught.model, batch=2).revision in revisions


def test_an_untaught_model_is_asked_twice_then_skipped_and_counted(taught: Taught) -> None:
    made = _made(taught.untaught, max_tokens=8)
    found = made.describe([subject(1), subject(2, BLUE)])
    assert all(isinstance(answer, Skipped) and "no description" in answer.reason for answer in found)
    assert (made.counts.stickers, made.counts.repeated, made.counts.unreadable) == (2, 2, 2)


def test_a_sticker_whose_text_looks_like_a_picture_mark_does_no_harm(taught: Taught) -> None:
    hostile = Subject("1", picture(RED), Semantics(name=("<image><image></s>",), ocr=("<imag<image>e>",)))
    made = _made(taught.model)
    answer, innocent = made.describe([hostile, subject(2, BLUE)])
    assert innocent == WEEP
    assert "the model failed" not in str(answer)


def test_bfloat16_runs_too(taught: Taught) -> None:
    assert len(_made(taught.model, dtype="bfloat16").describe([subject(1)])) == 1


def test_a_failing_question_leaves_the_others_their_answers(taught: Taught) -> None:
    model = TransformersModel(_settings(taught.model))
    sheet = frame_sheet(picture(RED))
    assert sheet is not None
    good, bad = DescriberInput(sheet, "Describe the sticker. "), DescriberInput(np.zeros((0, 0, 3), np.uint8), "x")
    answers = model.answer([good, bad, good])
    assert answers[0] == answers[2] == written(LAUGH)
    assert not isinstance(answers[1], str)
    assert model.answer([]) == []


def test_real_errors_of_memory_are_told_from_others() -> None:
    with pytest.raises(RuntimeError) as large:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert out_of_memory(large.value)
    with pytest.raises(RuntimeError) as shape:
        torch.zeros(2) @ torch.zeros(3)
    assert not out_of_memory(shape.value)
    assert out_of_memory(MemoryError())
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))


def test_the_machine_is_chosen_or_refused() -> None:
    cpu = Machine.choose(Describe(device="cpu"))
    assert (cpu.device, cpu.dtype) == ("cpu", torch.float32)
    assert Machine.choose(Describe(device="cpu", dtype="float16")).dtype == torch.float16
    assert Machine.choose(Describe()).device in ("cuda", "mps", "cpu")
    missing = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(RecipeError, match=rf"device is '{missing}'"):
        Machine.choose(Describe(device=missing))
    with pytest.raises(RecipeError, match="four_bit needs a CUDA GPU"):
        TransformersModel(Describe(engine="transformers", device="cpu", four_bit=True))


@pytest.mark.parametrize(
    ("model", "match"),
    [
        ("/no/such/folder", "there is no folder"),
        ("./no-such-folder", "there is no folder"),
        ("a/b/c", "there is no folder"),
        ("nobody/no-such-model", "not on this machine.*give a local folder"),
        ("..bad..name..", "there is no folder"),
        ("bad name!", "not on this machine"),
    ],
)
def test_a_model_that_is_nowhere_is_named(model: str, match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        _made(model)


def test_the_default_model_is_llava() -> None:
    with pytest.raises(RecipeError, match=r"llava-hf/llava-1\.5-7b-hf"):
        _made("")


def test_a_model_in_the_hubs_cache_is_found_by_name(
    taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "models--some--vlm"
    shutil.copytree(taught.model, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert _made("some/vlm").describe([subject(1)]) == [LAUGH]
    assert model_folder("some/vlm", commit).name == commit
    with pytest.raises(RecipeError, match="some/vlm"):
        model_folder("some/vlm", "another-branch")
    (cached / "snapshots" / commit / "config.json").unlink()
    with pytest.raises(RecipeError, match="incomplete"):
        model_folder("some/vlm", "")


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _with_pickled_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def _of_another_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "no-such-type", "architectures": ["No"]}))


def _cut(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def _without_template(folder: Path) -> None:
    for file in folder.glob("*chat_template*"):
        file.unlink()


@pytest.mark.parametrize("spoil", [_without_weights, _with_pickled_weights, _of_another_kind, _cut, _without_template])
def test_a_spoilt_model_is_refused(taught: Taught, tmp_path: Path, spoil: Any) -> None:
    folder = Path(shutil.copytree(taught.model, tmp_path / "spoilt"))
    spoil(folder)
    with pytest.raises(RecipeError, match=r"spoilt cannot be loaded: .+; give a model"):
        _made(folder).describe([subject(1)])


def test_folders_without_model_or_adapter_are_refused(taught: Taught, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no config\.json"):
        _made(tmp_path)
    with pytest.raises(RecipeError, match=r"no adapter_config\.json"):
        _made(taught.model, adapter=tmp_path)


def test_an_adapter_of_another_model_is_refused(taught: Taught, tmp_path: Path) -> None:
    foreign = Path(shutil.copytree(taught.adapter, tmp_path / "foreign"))
    config = json.loads((foreign / "adapter_config.json").read_text())
    (foreign / "adapter_config.json").write_text(json.dumps(config | {"r": 3}))
    with pytest.raises(RecipeError, match=r"with the adapter .*foreign cannot be loaded"):
        _made(taught.model, adapter=foreign).describe([subject(1)])


def test_large_files_are_sampled_for_their_fingerprint(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    with weights.open("wb") as file:
        file.truncate(65 * 2**20)
    before = folder_fingerprint(tmp_path)
    with weights.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    assert folder_fingerprint(tmp_path) != before
    (tmp_path / "notes.md").write_text("no part of the model")
    with weights.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\0")
    assert folder_fingerprint(tmp_path) == before
