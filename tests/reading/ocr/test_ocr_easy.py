"""EasyOCR for real, on a few English stickers."""

from __future__ import annotations

import sys
from pathlib import Path

import easyocr_en_models
import numpy as np
import pytest
from captioned_stickers import as_picture, draw_all, found

from persrv.errors import PictureError, RecipeError
from persrv.reading.ocr.engine import OcrEngine
from persrv.reading.ocr.picture_text import read_picture
from persrv.reading.ocr.registry import ocr_engine
from persrv.recipe import Ocr

MODELS = Path(easyocr_en_models.model_dir())


def made(**settings: object) -> OcrEngine:
    return ocr_engine(Ocr.model_validate({"engine": "easyocr", "languages": ["en"], "model_folder": MODELS} | settings))


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return made()


def test_english_captions_are_found(engine: OcrEngine) -> None:
    stickers = [sticker for sticker in draw_all() if sticker.language == "en"][6:60:18]
    for sticker in stickers:
        answer = read_picture(engine, as_picture(sticker.frame), min_confidence=0.6, max_side=320)
        assert found(sticker.caption, [line.text for line in answer.lines]), (sticker.caption, answer)
        assert all(0 <= line.confidence <= 1 for line in answer.lines)
        assert all(0 <= edge <= 1 for line in answer.lines for edge in line.box)
    assert len(stickers) == 3


def test_loading_leaves_nothing_behind(engine: OcrEngine, capfd: pytest.CaptureFixture[str]) -> None:
    before = list(sys.path)
    assert engine.revision == "1.7.2: en; side 320"
    assert made(max_side=480).revision == "1.7.2: en; side 480"
    assert sys.path == before
    assert capfd.readouterr() == ("", "")


def test_a_frame_that_breaks_the_engine_is_that_picture_s_error(engine: OcrEngine) -> None:
    with pytest.raises(PictureError, match=r"EasyOCR failed on a frame of 0 × 0 pixels.*; leave the picture out"):
        engine.read(np.zeros((0, 0, 3), np.uint8))


def test_languages_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"cannot read ch_sim, ko .*only compatible with English.*languages that go"):
        made(languages=["ch_sim", "ko"])


def test_a_missing_folder_or_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=rf"there is no folder {tmp_path / 'none'}"):
        made(model_folder=tmp_path / "none")
    with pytest.raises(RecipeError, match=rf"models in {tmp_path}: Missing .*craft_mlt_25k\.pth"):
        made(model_folder=tmp_path)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "craft_mlt_25k.pth").symlink_to(MODELS / "craft_mlt_25k.pth")
    (tmp_path / "english_g2.pth").write_bytes(b"no model")
    with pytest.raises(RecipeError, match=r"MD5 mismatch for .*english_g2\.pth"):
        made(model_folder=tmp_path)
