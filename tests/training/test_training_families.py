"""Each family that the page names trains with the defaults, and is served as it was trained."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from training_data import Prepared, quick_settings

if any(find_spec(package) is None for package in ("torch", "transformers", "peft", "accelerate", "matplotlib")):
    pytest.skip("the extra train is not installed", allow_module_level=True)

import torch
from small_families import FAMILIES, built

from persrv.reading.describe.asking import DescriberInput
from persrv.reading.describe.dialect import Dialect
from persrv.reading.describe.generating import Chat
from persrv.reading.describe.pretrained import load_processor, unquantised_modules
from persrv.training import train
from persrv.training.base import adapted_model
from persrv.training.examples import read_examples
from persrv.training.hardware import Hardware
from persrv.training.settings import TrainingSettings
from repository import ROOT

PLAIN = {"whole": (), "max_steps": 1, "epochs": 1, "validation_stickers": 1}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, prepared: Prepared, module_folder: Path) -> Path:
    return built(str(request.param), prepared, module_folder / str(request.param))


def test_every_family_trains_with_the_default_length(family: Path, prepared: Prepared, tmp_path: Path) -> None:
    assert quick_settings(prepared).max_length == TrainingSettings().max_length
    report = train(
        prepared.data,
        tmp_path / "adapter",
        quick_settings(prepared, model=str(family), micro_batch=2, **PLAIN),
    )
    assert (report.steps, report.too_long) == (1, 0)


def test_only_the_language_model_gets_an_adapter_and_the_rest_keeps_its_precision(
    family: Path, prepared: Prepared
) -> None:
    settings = quick_settings(prepared, model=str(family), **PLAIN)
    model = adapted_model(family, settings, Hardware(settings))
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert trained and all("language_model." in name for name in trained)
    unquantised = unquantised_modules(family, ("q_proj",))
    linear = [
        name.removeprefix("base_model.model.").replace(".base_layer", "")
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "lora_" not in name
    ]
    four_bits = {
        name for name in linear if not any(name == kept or name.startswith(f"{kept}.") for kept in unquantised)
    }
    assert four_bits
    assert all(name.startswith("model.language_model.") for name in four_bits)
    assert not any(name.endswith("q_proj") for name in four_bits)


def test_a_server_renders_the_question_that_was_trained(family: Path, prepared: Prepared) -> None:
    """What vLLM makes of our request: the parts in their order, through the model's own template."""
    example = read_examples(prepared.data, "train")[0]
    processor = load_processor(family)
    body = Dialect().request("m", DescriberInput(example.opened(prepared.data), example.question), 8)
    (message,) = body["messages"]
    parts: list[dict[str, Any]] = [
        {"type": "image"} if part["type"] == "image_url" else part for part in message["content"]
    ]
    served = processor.apply_chat_template(
        [{"role": message["role"], "content": parts}], add_generation_prompt=True, tokenize=False
    )
    assert served == Chat(processor).prompt(example.question)


@pytest.mark.parametrize("extra", ["vlm", "train"])
def test_the_extras_bring_what_qwen_needs(extra: str) -> None:
    import tomllib

    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert any(requirement.startswith("torchvision") for requirement in needed[extra])


def test_without_torchvision_the_error_says_what_to_install(prepared: Prepared, tmp_path: Path) -> None:
    base = built("Qwen2-VL", prepared, tmp_path / "qwen")
    given = {"model": str(base), "max_steps": 1}
    (tmp_path / "settings.toml").write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items()))
    code = (
        "import sys, importlib.abc\n"
        "class Hidden(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'torchvision': raise ModuleNotFoundError(name)\n"
        "import importlib.util as util\n"
        "real = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name.startswith('torchvision') else real(name, *more)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "from persrv.cli import main\n"
        "sys.exit(main())\n"
    )
    command = [
        "train",
        "run",
        str(prepared.data),
        str(tmp_path / "adapter"),
        "--settings",
        str(tmp_path / "settings.toml"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 3, done.stderr
    assert "pip install torchvision" in done.stderr
    assert "Traceback" not in done.stderr
