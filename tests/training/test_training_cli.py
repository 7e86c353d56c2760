"""The commands, as a person types them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from training_data import Prepared
from typer.testing import CliRunner

from persrv.cli import app
from persrv.cli.train import train
from repository import ROOT
from tiny_collection import Tiny

COMMANDS = [str(command.callback.__name__) for command in train.registered_commands if command.callback]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_is_documented(command: str) -> None:
    page = CliRunner().invoke(app, ["train", command, "--help"], env={"COLUMNS": "200"})
    assert page.exit_code == 0
    assert f"persrv train {command}" in " ".join(re.sub(r"[│╭╮╰╯─]", " ", page.stdout).split())
    assert f"`persrv train {command} " in (ROOT / "docs/reference/training.md").read_text(encoding="utf-8")


def test_the_page_serves_merged_models_and_promises_what_was_run() -> None:
    page = " ".join((ROOT / "docs/how-to/train-the-describer.md").read_text(encoding="utf-8").split())
    # vLLM takes no adapters for LLaVA; a merged model is served whatever it is.
    assert "--enable-lora" not in page
    assert page.index("persrv train merge") < page.index("vllm serve")
    assert "Nobody has run this on a GPU yet" in page
    assert "On a CPU it ends with the same bits" in page


def test_prepare_prints_the_card_and_json(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    preparing = ["train", "prepare", str(tmp_path / "data"), str(tiny.file), "--min-users", "1"]
    assert "| train |" in CliRunner().invoke(app, preparing).stdout
    card = json.loads(CliRunner().invoke(app, [*preparing, "--json"]).stdout)
    assert card["picks"] == 12
    assert card["skipped_stickers"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "nowhere", "adapter"], 4, "nowhere holds no training data"),
        (["run", "DATA", "adapter", "--model", "/no/model"], 3, "there is no folder /no/model"),
        (["run", "DATA", "adapter", "--device", "gpu"], 3, "device: Input should be"),
        (["run", "DATA", "adapter", "--settings", "none.toml"], 3, "there is no file none.toml"),
        (["evaluate", "DATA", "nowhere", "judged"], 3, "holds no adapter that persrv trained"),
        (["merge", "nowhere", "merged"], 3, "holds no adapter that persrv trained"),
        (["tiny", "base", "DATA", "--width", "33"], 3, "width = 33"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str],
    code: int,
    says: str,
    prepared: Prepared,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [str(prepared.data) if argument == "DATA" else argument for argument in arguments]
    result = CliRunner().invoke(app, ["train", *given])
    assert result.exit_code == code, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert says in result.stderr
    assert not (tmp_path / "adapter").exists()
