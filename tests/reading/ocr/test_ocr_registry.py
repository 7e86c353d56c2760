"""Engines by name, and what they say of impossible recipes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from persrv.errors import MissingExtraError, RecipeError
from persrv.reading.ocr.registry import ENGINES, ocr_engine
from persrv.recipe import Ocr
from repository import ROOT


def test_a_recipe_can_name_every_engine_and_no_other() -> None:
    assert set(ENGINES) == set(Ocr.model_fields["engine"].annotation.__args__) - {""}  # type: ignore[union-attr]


def test_no_engine_is_no_reading() -> None:
    with pytest.raises(RecipeError, match=r"no OCR engine ''; use one of easyocr, rapidocr"):
        ocr_engine(Ocr())


@pytest.mark.parametrize("engine", ["rapidocr", "easyocr"])
def test_an_unknown_language_lists_the_known_ones(engine: str) -> None:
    with pytest.raises(RecipeError, match=r"'klingon'; use one of .*ch_sim.* en,.* ja"):
        ocr_engine(Ocr.model_validate({"engine": engine, "languages": ["en", "klingon"]}))


@pytest.mark.parametrize("engine", ["rapidocr", "easyocr"])
def test_no_language_is_an_error(engine: str) -> None:
    with pytest.raises(RecipeError, match=r"ocr\.languages is empty; name at least one of .*ch_sim"):
        ocr_engine(Ocr.model_validate({"engine": engine, "languages": []}))


@pytest.mark.parametrize(("engine", "package", "extra"), [("rapidocr", "rapidocr", "ocr"), ("easyocr",) * 3])
def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, engine: str, package: str, extra: str
) -> None:
    modules = {"rapidocr": "rapid", "easyocr": "easy"}
    monkeypatch.delitem(sys.modules, f"persrv.reading.ocr.{modules[engine]}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'pip install "persrv\[{extra}\]"'):
        ocr_engine(Ocr.model_validate({"engine": engine}))


def test_the_registry_loads_no_engine() -> None:
    heavy = "{'rapidocr', 'onnxruntime', 'easyocr', 'torch', 'cv2'}"
    code = f"import sys, persrv.reading.ocr.registry; raise SystemExit(sorted({heavy} & set(sys.modules)) or 0)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
