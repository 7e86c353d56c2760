"""What file names say, in many scripts, and which say nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.records import Semantics
from persrv.text.file_names import read_file_name


@pytest.mark.parametrize(
    "stem", ["สวัสดี", "नमस्ते", "Übung", "ガーン", "مَرْحَبًا", "don’t", "don't panic", "開心", "안녕", "好 了 吧"]
)
def test_words_keep_their_marks_in_every_script(stem: str) -> None:
    assert read_file_name(unicodedata.normalize("NFD", stem)) == Semantics(name=(unicodedata.normalize("NFC", stem),))
    assert read_file_name(stem) == Semantics(name=(unicodedata.normalize("NFC", stem),))


@pytest.mark.parametrize(
    ("stem", "name", "emoji"),
    [
        ("😭😭", (), ("😭",)),
        ("0_😀", (), ("😀",)),
        ("cat😻love", ("cat love",), ("😻",)),
        ("👨‍👩‍👧 family", ("family",), ("👨‍👩‍👧",)),
        ("👍🏽", (), ("👍🏽",)),
        ("🇫🇷", (), ("🇫🇷",)),
        ("1f600", (), ("😀",)),
        ("emoji_u1f468_200d_1f469", (), ("👨‍👩",)),
        ("1f468-200d-1f469", (), ("👨‍👩",)),
        ("U+2764", (), ("❤",)),
        ("2764", (), ()),
        ("face", ("face",), ()),
    ],
)
def test_emoji_in_names_are_emoji(stem: str, name: tuple[str, ...], emoji: tuple[str, ...]) -> None:
    assert read_file_name(stem) == Semantics(name=name, emoji=emoji)


@pytest.mark.parametrize(
    "stem",
    [
        "12345",
        "IMG_1234",
        "IMG-20260101-WA0012",
        "STK-20240101-WA0001",
        "DSC01234",
        "Screenshot 2024-01-01 at 10.22.33 AM",
        "Screenshot_20240101-102233",
        "屏幕截图 2024-01-01 102233",
        "微信图片_20240101102233",
        "QQ图片20240101102233",
        "mmexport1704067200000",
        "photo_2024-01-01_10-22-33",
        "sticker (12)",
        "AnimatedSticker",
        "image0",
        "CAACAgIAAxkBAAEBhGFi-9kX_xyz",
        "CAACAg IAAxk BAAEB",
        "d41d8cd98f00b204e9800998ecf8427e",
        "123e4567-e89b-12d3-a456-426614174000",
        "-5a3bc0de99887766",
        "dQw4w9WgXcQ",
        "dQw4w9WgXc",
        "___",
        "",
    ],
)
def test_a_name_that_an_app_made_up_says_nothing(stem: str) -> None:
    assert read_file_name(stem) == Semantics()


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("wojak_sad_a8f3c9e1", "wojak sad"),
        ("dog-8f14e45fceea167a5a36dedd4bea2543", "dog"),
        ("deadbeef", "deadbeef"),
        ("decade", "decade"),
        ("sad_cat-2", "sad cat"),
        ("image of a cat", "image of a cat"),
        ("good.morning", "good morning"),
        ("no", "no"),
    ],
)
def test_words_beside_numbers_and_hashes_are_kept(stem: str, name: str) -> None:
    assert read_file_name(stem).name == (name,)


def test_a_name_in_camel_case_is_found_together_and_taken_apart() -> None:
    assert read_file_name("pepeHands") == Semantics(name=("pepe Hands",), keywords=("pepeHands",))


@pytest.mark.parametrize(
    "stem",
    [
        "你说得对，但是我不听",
        "when will it be over",
        "我想现在就回家去",
        "好 我想现在就回家去",
        "when the code works on the first try",
        "我已经三天没有睡觉了",
        "Sorry, I'm late!",
    ],
)
def test_a_sentence_is_a_name_and_a_description(stem: str) -> None:
    assert read_file_name(stem) == Semantics(name=(stem,), description=(stem,))


@given(st.text(max_size=60))
def test_any_name_can_be_read(stem: str) -> None:
    message = read_file_name(stem)
    assert all(phrase.strip() for _, phrases in message.items() for phrase in phrases)
