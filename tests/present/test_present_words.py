from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.online.answer import Answer
from persrv.present import words
from persrv.records import Explanation, Hit

MakeHit = Callable[..., Hit]


@given(st.text(max_size=400) | st.text(alphabet="\x1b[31m\r\n\u202e\u200d\ud800a 世", max_size=60))
def test_cleaned_text_is_one_safe_line(text: str) -> None:
    line = words.clean(text, 50)
    assert len(line) <= 50
    assert line == line.strip() == words.clean(line, 50)
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line)
    assert "\u202e" not in line
    line.encode()


def test_family_emoji_and_flags_stay_whole() -> None:
    for emoji in ("👨‍👩‍👧", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "❤️"):
        assert words.clean(emoji) == emoji


def test_a_title_of_nothing_visible_is_the_short_id(make_hit: MakeHit) -> None:
    assert words.title(make_hit(rank=0xABC, title="\x00\u202e")) == "cba00000"


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({}, "Noto Emoji"),
        ({"pack": []}, "noto"),
        ({"pack": ["\x07", "b"]}, "noto"),
        ({"pack": "one name"}, "one name"),
        ({"pack": None, "style": None}, ""),
    ],
)
def test_origin_is_pack_then_style(make_hit: MakeHit, payload: dict[str, object], shown: str) -> None:
    assert words.origin(make_hit(**payload)) == shown


def test_why_in_plain_words(make_hit: MakeHit) -> None:
    hit = make_hit(matched={"love": 1.2, "heart": 0.004}, utility=1.21, style_factor=1.64, centroid=1)
    assert words.why(hit, "matched") == ["love 1.20", "heart 0.004", "useful ×1.21", "your style 2 ×1.64"]


def test_why_tells_meaning_from_words(make_hit: MakeHit) -> None:
    hit = make_hit(text=1.5, matched={"love": 1.2})
    near = replace(hit, explanation=replace(hit.explanation, meaning=0.3))
    assert words.why(near, "matched") == ["love 1.20", "near in meaning 0.30"]
    assert words.why(make_hit(text=0.3), "pictured") == ["alike 0.30"]


def test_why_leaves_out_what_changed_nothing(make_hit: MakeHit) -> None:
    assert words.why(make_hit(utility=1.001, style_factor=1.0, centroid=0), "matched") == ["words 2.00"]
    assert words.why(make_hit(text=1.0, utility=1.5), "trending") == ["useful ×1.50"]
    assert words.why(make_hit(text=0.83), "similar") == ["alike 0.83"]
    assert words.why(make_hit(style_factor=0.8, centroid=2), "corrected") == ["words 2.00", "unlike your styles ×0.80"]


@given(st.floats(0, 40), st.floats(1, 3), st.floats(0, 2))
def test_shares_add_up_to_the_score(text: float, utility: float, style: float) -> None:
    hit = Hit(1, "a" * 32, text * utility * style, None, {}, Explanation(text, 0, utility, 0, style, None))
    parts = words.shares(hit)
    assert parts.words + parts.utility + parts.style == pytest.approx(hit.score, abs=1e-9)
    assert parts.reach >= hit.score - 1e-9


def test_remarks_tell_each_correction_once() -> None:
    note = "no sticker has 'haert', searched for 'heart'"
    result = Answer((), "haert jyo", None, "corrected", note, {"haert": "heart", "jyo": "joy"})
    assert words.remarks(result) == [note, "searched for “joy” instead of “jyo”"]
    assert words.remarks(Answer((), "x", None, "matched")) == ["no stickers"]


def test_audience() -> None:
    assert words.audience(Answer((), "", "mina", "matched", personal=True)) == "ranked by their taste"
    assert words.audience(Answer((), "", "new", "matched")) == "no taste known yet"
    assert words.audience(Answer((), "", None, "matched")) == "the same for everybody"


def test_what_others_picked_is_left_out_where_nobody_would_see_what_it_did(make_hit: MakeHit) -> None:
    hit = make_hit(text=1.2, matched={"love": 1.2})
    far = replace(hit, explanation=replace(hit.explanation, picks=0.004, people=1, pick_factor=1.001, meaning=0.004))
    assert words.why(far, "matched") == ["love 1.20"]
    near = replace(hit, explanation=replace(hit.explanation, picks=0.3, people=2, pick_factor=1.5))
    assert words.why(near, "matched") == ["love 1.20", "picked for such words 0.30", "2 people picked it ×1.50"]
