"""One spelling for texts that people regard as the same."""

import hashlib
import json
import re
import unicodedata

import emoji
import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persrv.text import characters, normalise, tokenize


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("  Sad\tCAT \n", "sad cat"),
        ("ＬＯＬ：）", "lol:)"),
        ("café Straße İstanbul ŁÓDŹ", "cafe strasse istanbul lodz"),
        ("Việt Nam", "viet nam"),
        ("don’t", "don't"),
        ("Ёж мой", "еж мой"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("مُحَمَّد", "محمد"),
        ("貓貓蟲", "猫猫虫"),
        ("後悔 東京", "后悔 东京"),
        ("気楽 桜", "気楽 桜"),
        ("ネコ ﾈｺ", "ねこ ねこ"),
        ("ガ か\u3099 ﾊﾟ", "が が ぱ"),
        ("안녕 ㅋㅋㅏ", "안녕 ㅋㅋㅏ"),
        ("สวัสดี नमस्ते", "สวัสดี नमस्ते"),
        ("👍🏽 ❤️", "👍 ❤"),
        ("🤷🏽\u200d♀️", "🤷\u200d♀"),
        ("a\u200db\u00ad\u200bc", "abc"),
        ("™ Ⓜ️ 🈲 ㊙️", "™ Ⓜ 🈲 ㊙"),
        ("a\0b\ud800c", "a b c"),
        ("", ""),
    ],
)
def test_equal_meanings_get_one_spelling(typed: str, folded: str) -> None:
    assert normalise(typed) == folded


def test_every_character_is_folded_in_one_go() -> None:
    for code in (
        *range(0x3400),
        *range(0x3400, 0xA000, 32),
        *range(0xA000, 0x110000, 32),
        *range(0x1F000, 0x1FB00),
        *range(0xF900, 0x10000),
    ):
        folded = normalise(f"{chr(code)} a{chr(code)} {chr(code)}\u0301\u0306")
        assert normalise(folded) == folded, hex(code)


@settings(max_examples=2000, deadline=None)
@given(st.text(st.one_of(st.characters(), st.characters(categories=("Mn", "Mc", "Cf", "Lo", "So")))))
def test_folding_twice_changes_nothing(text: str) -> None:
    folded = normalise(text)
    assert normalise(folded) == folded
    assert folded == " ".join(folded.split())
    folded.encode()


def test_emoji_stay_whole() -> None:
    tones = dict.fromkeys(range(0x1F3FB, 0x1F400))
    for sequence in emoji.EMOJI_DATA:
        assert normalise(sequence) == sequence.replace("\ufe0f", "").translate(tones)


def test_han_agrees_with_opencc_character_by_character() -> None:
    convert = opencc.OpenCC("t2s").convert
    unified = [chr(code) for code in range(0x4E00, 0xA000)]
    differing = [c for c in unified if normalise(c) != convert(c)]
    assert differing == ["薴"]
    assert normalise("薴") == normalise("苧") == "苎"


@pytest.mark.parametrize("pair", ["\u0301\u0316", "\u0f71\u0f72", "\uff9e\u093c", "\u0e38\u0e48", "\u302a\u3099"])
def test_endless_marks_are_cut_before_they_are_sorted(pair: str) -> None:
    assert len(normalise("x" + pair * 250_000)) <= 10


def test_marks_are_those_of_unicode_but_for_newer_ones() -> None:
    newer = re.compile(f"[{characters.NEWER}]")
    variation_selectors = range(0xE0100, 0xE01F0)
    expected = {
        chr(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in ("Mn", "Mc") and code not in variation_selectors
    }
    assert {mark for mark in expected - set(characters.combining_marks()) if not newer.match(mark)} == set()


def test_a_text_has_the_same_tokens_in_every_python() -> None:
    """The digest is of each character in a word, as Python 3.11 to 3.14 fold and cut it; of Chinese ones a few."""
    digest = hashlib.sha256()
    for start in (*range(0, 0x3400, 64), *range(0xA000, 0x20000, 64), *range(0x20000, 0x40000, 1024)):
        text = " ".join(f"a{chr(code)}b" for code in range(start, start + 64))
        digest.update(json.dumps([normalise(text), tokenize(text)]).encode())
    assert digest.hexdigest() == "2d7cbc568404bf89bd6c57eb601208811b1dc3198fc33fd3ab561c2b19a52291"


@pytest.mark.parametrize("word", ["𑼄𑼶𑼄", "𞓐𞓑"], ids=["kawi", "nag-mundari"])
def test_letters_that_python_may_not_know_make_words(word: str) -> None:
    assert tokenize(f"Ｃat  {word}!") == ["cat", word]
