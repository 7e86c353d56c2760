"""Prepared data from the small drawn collection, and a tiny LLaVA for it."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest
from training_data import Prepared, asking

from persrv.training import prepare
from tiny_collection import Tiny

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(scope="session")
def prepared(tiny_built: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    if any(find_spec(package) is None for package in ("torch", "transformers", "peft", "accelerate", "matplotlib")):
        pytest.skip("the extra train is not installed")
    from persrv.training.tiny import build_tiny

    folder = tmp_path_factory.mktemp("training")
    card, skipped = prepare(asking(tiny_built.recipe), folder / "data", home=tiny_built.home, min_users=1, test=0.3)
    assert not skipped
    return Prepared(folder / "data", card, build_tiny(folder / "base", folder / "data"))
