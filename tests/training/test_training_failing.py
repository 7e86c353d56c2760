"""Training that cannot go on: one line that helps, nothing lost, and advice that works when it is followed."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from limited_disk import files_of_at_most
from training_data import Prepared, StopsAt, quick_settings
from typer.testing import CliRunner

if any(find_spec(package) is None for package in ("torch", "transformers", "peft", "accelerate", "matplotlib")):
    pytest.skip("the extra train is not installed", allow_module_level=True)

from persrv.cli import app
from persrv.errors import RecipeError, SourceError
from persrv.reading.describe.provenance import Provenance
from persrv.training import train
from persrv.training.adapter import save_adapter
from persrv.training.base import adapted_model, memory_error, smaller
from persrv.training.hardware import Hardware
from persrv.training.run import check_folder, training_identity
from persrv.training.settings import FREE, TrainingSettings

WEIGHTS = "adapter_model.safetensors"
FEW: dict[str, Any] = {"max_steps": 6, "validate_every": 3, "checkpoint_every": 2}


@pytest.fixture(scope="module")
def whole(prepared: Prepared, module_folder: Path) -> Path:
    """A short training that nothing disturbed."""
    folder = module_folder / "adapter"
    train(prepared.data, folder, quick_settings(prepared, **FEW))
    return folder


def sizes(folder: Path) -> tuple[int, int]:
    """Bytes of an adapter's weights, and of a checkpoint, which holds the optimizer's two moments too."""
    adapter = (folder / WEIGHTS).stat().st_size
    checkpoint = max(file.stat().st_size for file in (folder / "checkpoints").glob("*.pt"))
    assert checkpoint > 2 * adapter
    return adapter, checkpoint


def test_a_full_disk_in_a_checkpoint_is_one_line_and_loses_nothing(
    whole: Path, prepared: Prepared, tmp_path: Path
) -> None:
    folder = tmp_path / "adapter"
    with pytest.raises(KeyboardInterrupt):
        train(prepared.data, folder, quick_settings(prepared, **FEW), progress=StopsAt(3))
    with (
        files_of_at_most(sum(sizes(whole)) // 2),
        pytest.raises(SourceError, match=r"cannot be written: .*; make room on its disk, and run the same"),
    ):
        train(prepared.data, folder, quick_settings(prepared, **FEW))
    assert [file.name for file in (folder / "checkpoints").iterdir()] == ["step-0000002.pt"]
    # The advice is followed: room is there again, and the same command is run.
    assert train(prepared.data, folder, quick_settings(prepared, **FEW)).resumed_at == 2
    assert (folder / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()


def test_a_full_disk_in_an_adapter_is_one_line_and_loses_nothing(
    whole: Path, prepared: Prepared, tmp_path: Path
) -> None:
    folder = tmp_path / "adapter"
    with files_of_at_most(sizes(whole)[0] // 2), pytest.raises(SourceError, match=r"cannot be written: .*make room"):
        train(prepared.data, folder, quick_settings(prepared, **FEW))
    assert sorted(file.name for file in folder.iterdir()) == ["run.json", "training.csv"]
    train(prepared.data, folder, quick_settings(prepared, **FEW))
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    assert before[WEIGHTS] == (whole / WEIGHTS).read_bytes()
    given, known = quick_settings(prepared), Provenance.read(folder)
    assert known is not None
    model = adapted_model(prepared.base, given, Hardware(given))
    with files_of_at_most(sizes(whole)[0] // 2), pytest.raises(OSError):
        save_adapter(model, folder, known, prepared.card, prepared.base)
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


def test_a_full_disk_in_a_merge_is_one_line_and_leaves_nothing(whole: Path, tmp_path: Path) -> None:
    with files_of_at_most(sizes(whole)[0] // 2):
        result = CliRunner().invoke(app, ["train", "merge", str(whole), str(tmp_path / "merged")])
    assert result.exit_code == 4
    assert len(result.stderr.strip().splitlines()) == 1
    assert re.search(r"merged cannot be written: .*make room", result.stderr)
    assert list(tmp_path.iterdir()) == []
    assert CliRunner().invoke(app, ["train", "merge", str(whole), str(tmp_path / "merged")]).exit_code == 0


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"whole": ("multi_modal_projectr",)}, "whole names 'multi_modal_projectr'"),
        ({"device": "cuda"}, "^device is 'cuda'"),
        ({"four_bit": True}, "^four_bit needs a CUDA GPU"),
        ({"max_length": 16}, "every example has more than max_length = 16"),
        ({"model": "/no/such/model"}, "^model: there is no folder"),
    ],
)
def test_a_start_that_failed_claims_no_folder(
    prepared: Prepared, tmp_path: Path, wrong: dict[str, Any], match: str
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has what the others lack")
    with pytest.raises((RecipeError, SourceError), match=match):
        train(prepared.data, tmp_path / "adapter", quick_settings(prepared, **wrong))
    assert not (tmp_path / "adapter").exists()
    # Corrected, the same folder is taken.
    assert train(prepared.data, tmp_path / "adapter", quick_settings(prepared, max_steps=1)).steps == 1


def test_a_training_that_made_no_update_may_begin_otherwise(prepared: Prepared, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    with pytest.raises(KeyboardInterrupt):
        train(prepared.data, folder, quick_settings(prepared, checkpoint_every=9), progress=StopsAt(1))
    assert (folder / "run.json").is_file()
    assert train(prepared.data, folder, quick_settings(prepared, r=4, max_steps=2)).steps == 2
    with pytest.raises(RecipeError, match=r"differs in r; give another folder"):
        train(prepared.data, folder, quick_settings(prepared, r=8, max_steps=2))


SCARCE: list[dict[str, Any]] = [
    {"micro_batch": 8},
    {"micro_batch": 1},
    {"micro_batch": 1, "gradient_checkpointing": "on"},
    {"micro_batch": 1, "gradient_checkpointing": "on", "four_bit": True},
]


@pytest.mark.parametrize("given", SCARCE)
@pytest.mark.parametrize("begun", [False, True])
def test_the_advice_on_memory_works_when_it_is_followed(
    whole: Path, prepared: Prepared, tmp_path: Path, given: dict[str, Any], begun: bool
) -> None:
    """Memory ran out with these settings; what the message says is done, and nothing refuses it."""
    before = quick_settings(prepared, **FEW, **given)
    error = memory_error(before, begun)
    change = smaller(before)
    assert all(key in error.next_step for key in change)
    after = TrainingSettings.model_validate(before.model_dump() | change)
    assert after != before
    folder = tmp_path / "adapter"
    if begun:
        made = before.model_copy(update={"four_bit": False})
        with pytest.raises(KeyboardInterrupt):
            train(prepared.data, folder, made, progress=StopsAt(3))
        after = after.model_copy(update={"four_bit": after.four_bit and "four_bit" in change})
    if "another folder" in error.next_step:
        assert begun and not change.keys() <= FREE
        with pytest.raises(RecipeError, match="differs in"):
            check_folder(folder, training_identity(prepared.data, prepared.base, after))
        folder = tmp_path / "another"
    else:
        assert "run the same command again" in error.next_step
    # Four bits cannot be had on a CPU, so what is checked is that the folder takes the training.
    check_folder(folder, training_identity(prepared.data, prepared.base, after))
    if not after.four_bit and "max_length" not in change:
        assert train(prepared.data, folder, after).steps == 6


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["merge", "ADAPTER", "OUT", "--model", "/no/such/model"], "--model: there is no folder"),
        (["evaluate", "DATA", "ADAPTER", "OUT", "--model", "/no/such/model"], "--model: there is no folder"),
        (["evaluate", "DATA", "ADAPTER", "OUT", "--four-bit", "--device", "cpu"], "--four-bit needs a CUDA GPU"),
    ],
)
def test_errors_name_the_option_that_was_typed(
    whole: Path, prepared: Prepared, tmp_path: Path, command: list[str], says: str
) -> None:
    places = {"ADAPTER": str(whole), "DATA": str(prepared.data), "OUT": str(tmp_path / "out")}
    result = CliRunner().invoke(app, ["train", *(places.get(word, word) for word in command)])
    assert result.exit_code == 3, result.output
    assert says in result.stderr
    assert "describe." not in result.stderr


def test_a_run_file_that_is_damaged_is_named(prepared: Prepared, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[")
    with pytest.raises(RecipeError, match=r"run\.json cannot be read"):
        train(prepared.data, tmp_path, quick_settings(prepared))


def test_a_loss_that_is_no_number_says_where_to_go_on(prepared: Prepared, tmp_path: Path) -> None:
    wild = {"learning_rate": 1e9, "clip": 1e9, "dropout": 0.0}
    with pytest.raises(RecipeError, match=r'the loss became .*precision = "float32"') as early:
        train(prepared.data, tmp_path / "early", quick_settings(prepared, **wild, checkpoint_every=1000))
    assert "another folder" not in str(early.value)
    with pytest.raises(RecipeError, match=r"the loss became .*another folder"):
        train(prepared.data, tmp_path / "late", quick_settings(prepared, **wild, checkpoint_every=1))
