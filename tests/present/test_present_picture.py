from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from persrv.errors import PictureError, QueryError
from persrv.online.answer import Answer
from persrv.present import fonts
from persrv.present.picture import draw_answers
from persrv.records import Hit

MakeHit = Callable[..., Hit]


def pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def reds(path: Path) -> int:
    """Count the clusters of columns that hold the test sticker's red."""
    red = (np.abs(pixels(path).astype(int) - (250, 10, 20)).sum(axis=2) < 30).any(axis=0)
    return int(np.count_nonzero(np.diff(red.astype(int)) == 1))


def answer_of(*hits: Hit) -> Answer:
    return Answer(hits, "q", None, "matched")


def test_as_many_stickers_as_columns(make_hit: MakeHit, still: Path, tmp_path: Path) -> None:
    answer = answer_of(*(make_hit(n, path=still) for n in range(1, 41)))
    widths = []
    for columns in (1, 3, 6):
        out = tmp_path / f"{columns}.png"
        draw_answers([("mina", answer)], out, columns=columns)
        assert reds(out) == columns
        widths.append(pixels(out).shape[1])
    assert widths == sorted(set(widths))


def test_missing_pictures_and_no_hits_leave_their_place(make_hit: MakeHit, still: Path, tmp_path: Path) -> None:
    hits = [make_hit(1, path=tmp_path / "missing.png"), make_hit(2, path=still), make_hit(3)]
    draw_answers([("a", answer_of(*hits)), ("b", answer_of())], tmp_path / "two.png")
    assert reds(tmp_path / "two.png") == 1
    draw_answers([("a", answer_of(*hits))], tmp_path / "one.png")
    assert pixels(tmp_path / "two.png").shape[0] > pixels(tmp_path / "one.png").shape[0]


def test_transparent_ground_is_neither_black_nor_white(make_hit: MakeHit, still: Path, tmp_path: Path) -> None:
    draw_answers([("", answer_of(make_hit(path=still, title="", pack=[], style="")))], tmp_path / "a.png", columns=1)
    assert (pixels(tmp_path / "a.png") == (0xE3, 0xE6, 0xEB)).all(axis=2).sum() > 5000
    assert not (pixels(tmp_path / "a.png") == 0).all(axis=2).any()


def test_same_input_same_bytes(make_hit: MakeHit, moving: Path, tmp_path: Path) -> None:
    answers = [("mina", answer_of(make_hit(path=moving, title="笑 <b>"))), ("[b]\x1b", answer_of(make_hit()))]
    for name in ("a.png", "b.png"):
        draw_answers(answers, tmp_path / name, title="t" * 500)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("columns", [0, -1, 25])
def test_impossible_columns(tmp_path: Path, columns: int) -> None:
    with pytest.raises(QueryError, match=str(columns)):
        draw_answers([("a", answer_of())], tmp_path / "a.png", columns=columns)


def test_nothing_to_draw_and_nowhere_to_write(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no answers"):
        draw_answers([], tmp_path / "a.png")
    with pytest.raises(PictureError, match="missing"):
        draw_answers([("a", answer_of())], tmp_path / "missing" / "a.png")


@pytest.fixture
def only_pillows_font(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {size: fonts.fonts(size)[:1] for size in (20, 30)}
    monkeypatch.setattr(fonts, "fonts", own.__getitem__)


@pytest.mark.usefixtures("only_pillows_font")
def test_what_pillows_font_lacks_is_left_out_or_replaced() -> None:
    assert fonts.drawable("joy", 20, "x")[0] == "joy"
    assert fonts.drawable("joyful 笑", 20, "x")[0] == "joyful"
    assert fonts.drawable("a 世界你好", 20, "1a2b3c4d")[0] == "1a2b3c4d"
    assert fonts.drawable("", 20, "1a2b3c4d")[0] == "1a2b3c4d"


@given(st.text(max_size=30))
def test_no_text_turns_into_empty_boxes(text: str) -> None:
    shown, font = fonts.drawable(text, 20, "fallback")
    assert shown
    assert all(fonts.has(font, char) for char in shown)


def test_the_machines_font_is_used_where_it_has_one() -> None:
    candidates = [font for font in fonts.fonts(20) if all(fonts.has(font, char) for char in "笑哭")]
    if not candidates:
        pytest.skip("this machine has no font with Chinese characters")
    assert fonts.drawable("笑哭", 20, "x") == ("笑哭", candidates[0])


@given(st.text(alphabet="abWil ", max_size=60), st.integers(0, 300))
def test_shortened_text_fits(text: str, width: int) -> None:
    font = fonts.fonts(20)[0]
    shown = fonts.cut_to_width(text, font, width)
    assert font.getlength(shown) <= width or shown == ""
    assert shown == text or shown == "" or (text.startswith(shown[:-1]) and shown.endswith("…"))
