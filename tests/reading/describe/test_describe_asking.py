"""Prompts, the contact sheet, the describer ``labels``, and the registry."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from drawn_stickers import BLUE, RED, picture, subject

from persrv.errors import MissingExtraError, RecipeError
from persrv.images.decode import Picture
from persrv.reading.describe import describer
from persrv.reading.describe.batching import Batches
from persrv.reading.describe.contact_sheet import frame_sheet
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.prompts import Prompts
from persrv.reading.emotions import labels
from persrv.recipe import Describe
from persrv.records import Semantics, Skipped

GREY = (128, 128, 128)


def test_a_still_fills_a_square_on_grey() -> None:
    frame = np.zeros((30, 90, 4), np.uint8)
    frame[10:20, 10:50] = (*RED, 255)
    sheet = frame_sheet(Picture("png", 90, 30, 1, (frame,)), 64)
    assert sheet is not None
    assert sheet.shape == (64, 64, 3)
    assert tuple(sheet[32, 1]) == tuple(sheet[32, 62]) == RED
    assert tuple(sheet[5, 32]) == tuple(sheet[58, 32]) == GREY


def test_frames_stand_in_reading_order_and_keep_their_place() -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]
    sheet = frame_sheet(picture(*colours, (0, 0, 0)), 400)
    assert sheet is not None
    assert [tuple(sheet[y, x]) for y in (100, 300) for x in (100, 300)] == colours
    assert np.abs(sheet[200, 200].astype(int) - GREY).max() <= 1
    moving = np.zeros((2, 20, 20, 4), np.uint8)
    moving[0, 0:5, 0:5] = moving[1, 15:20, 15:20] = (*BLUE, 255)
    moved = frame_sheet(Picture("gif", 20, 20, 2, tuple(moving)), 200)
    assert moved is not None
    assert tuple(moved[60, 5]) == BLUE
    assert tuple(moved[140, 195]) == BLUE
    assert tuple(moved[140, 5]) == GREY


def test_nothing_visible_gives_no_sheet() -> None:
    assert frame_sheet(Picture("png", 9, 9, 1, (np.zeros((9, 9, 4), np.uint8),))) is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_default_prompts_ask_for_what_parsing_reads(language: str) -> None:
    prompts = Prompts.of(Describe(language=language))  # type: ignore[arg-type]
    plain = prompts.question(Subject("1", picture(RED)))
    for word in ("JSON", '"description"', '"keywords"', '"emotions"', *labels()):
        assert word in plain
    assert not [mark for mark in ("{emotions}", "{known}", "{frames}", "{text}", "{name}") if mark in plain]
    known = Semantics(name=("grin", "other"), ocr=("哈哈", "{emotions}\u0000 x"))
    text = prompts.question(Subject("1", picture(RED, BLUE), known))
    assert prompts.frames in text
    assert "grin" in text
    assert "other" not in text
    assert "哈哈 / {emotions} x" in text
    assert prompts.question(Subject("1", picture(RED)), firmer=True) == f"{plain}\n{prompts.again}"


def test_a_text_without_end_is_cut() -> None:
    long = Subject("1", None, Semantics(ocr=("word " * 1000,)))
    prompts = Prompts.of(Describe())
    assert len(prompts.question(long)) < len(prompts.question(Subject("1", None))) + 200


def test_a_recipe_has_its_own_prompt_and_revision() -> None:
    own = Prompts.of(Describe(prompt='Say {"a": 1} and one of {emotions}. {known}'))
    first = own.question(Subject("1", picture(RED)))
    assert first.startswith('Say {"a": 1} and one of joy, amusement,')
    revisions = {own.revision, Prompts.of(Describe()).revision, Prompts.of(Describe(language="zh")).revision}
    assert len(revisions) == 3
    assert Prompts.of(Describe()).revision == Prompts.of(Describe(model="x", batch=3)).revision


def test_labels_say_only_what_the_source_says() -> None:
    made = describer(Describe(engine="labels"), folder=Path())
    known = Semantics(
        name=("crying cat", "哭猫"), tags=("cat", "sad", "伤心", "Crying Cat", "a", "b", "c", "d"), emoji=("😿",)
    )
    found = made.describe(
        [Subject("1", None, known), subject(2), Subject("3", None, Semantics(tags=("happy", "sad", "难过")))]
    )
    assert found[0] == Description("crying cat: cat, sad, 伤心, a, b, c", (), ("sadness",))
    assert found[1] == Skipped(f"{2:032x}", "its source gives it no name, tag or emoji")
    assert found[2] == Description("happy, sad, 难过", (), ("sadness", "joy"))
    assert made.name == "labels"
    assert made.revision == describer(Describe(engine="labels"), folder=Path("elsewhere")).revision


def test_no_engine_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"engine is empty; set it to one of labels, nearest"):
        describer(Describe(), folder=Path())


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "persrv.reading.describe.registry.find_spec", lambda name: None if name == "torch" else real(name)
    )
    with pytest.raises(MissingExtraError, match=r"transformers.*persrv\[vlm\]"):
        describer(Describe(engine="transformers"), folder=Path())


def test_other_engines_load_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from pathlib import Path; from persrv.recipe import Describe;"
        "from persrv.reading.describe import describer;"
        "describer(Describe(engine='labels'), folder=Path());"
        "describer(Describe(engine='openai', base_url='http://127.0.0.1:1/v1', model='m'), folder=Path());"
        "sys.exit(bool({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _limited(most: int, sizes: list[int]) -> Batches[int]:
    """Return batches whose work fails above a size, and on the item 13 for a reason of its own."""

    def run(items: Sequence[int]) -> list[str]:
        sizes.append(len(items))
        if len(items) > most:
            raise MemoryError
        if 13 in items:
            raise ValueError("unlucky\nand more")
        return [str(item) for item in items]

    return Batches(8, run, lambda error: isinstance(error, MemoryError), lambda: None)


def test_batches_shrink_when_memory_runs_out_and_stay_small() -> None:
    sizes: list[int] = []
    batches = _limited(3, sizes)
    assert batches(list(range(10))) == [str(i) for i in range(10)]
    assert batches.size == 2
    assert sizes == [8, 4, 2, 2, 4, 2, 2, 2]


def test_an_item_that_fails_alone_is_told_apart() -> None:
    sizes: list[int] = []
    batches = _limited(8, sizes)
    answers = batches(list(range(10, 18)))
    assert [str(a) for a in answers if not isinstance(a, str)] == ["NoAnswer(reason='the model failed: unlucky')"]
    assert [a for a in answers if isinstance(a, str)] == ["10", "11", "12", "14", "15", "16", "17"]
    assert batches.size == 8
    assert not isinstance(_limited(0, sizes)([1])[0], str)
